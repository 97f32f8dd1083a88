"""`az`: from its words to an exit code.

`az ml …` is `penstock …`, in this process. A command that is served here is answered; any other goes to the real `az`, where one is
further down PATH, with the words, the environment and the streams it would have had; and without one it is refused by name.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from penstock.cli import main
from penstock.cli.program import speak_as_az
from penstock.errors import UsageError


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line of `az`; the exit code. Raises nothing. Does not return where the real `az` takes over."""
    speak_as_az()
    return main.guarded(list(sys.argv[1:] if argv is None else argv), _az)


def _az(words: list[str]) -> int:
    from penstock.cli.dispatch import dispatch, global_flags_last

    ordered = global_flags_last(words)
    if ordered[:1] == ["ml"]:
        return dispatch(main.understood(ordered[1:]))
    from penstock.az.refusals import NotServed

    try:
        return _serve(ordered)
    except NotServed:
        from penstock.az.real import hand_over

        hand_over(words)  # returns where there is no real `az`
        raise


def _serve(words: list[str]) -> int:
    from penstock.az import registry
    from penstock.az.refusals import refusal_of
    from penstock.cli.dispatch import print_help, run_command, show_or_refuse

    if words[:1] in (["--version"], ["-v"]):
        words = ["version", "--as-text", *words[1:]]
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if not words or all(word.startswith("-") for word in words):
        from penstock.az.help import root_help

        return print_help(root_help())
    group = registry.GROUPS.get(words[0])
    if group is None:
        raise refusal_of(words)
    main.check_texts(words)
    commands = group.commands()
    if group.alone:
        with _secrets_untold(words):
            return run_command(commands[group.name], f"az {group.name}", _understood(words)[1:])
    if len(words) == 1 or words[1] in ("-h", "--help"):
        from penstock.cli.help import noun_help

        return show_or_refuse(noun_help(f"az {group.name}", group.summary, commands), asked=len(words) > 1)
    command = commands.get(words[1])
    if command is None:
        raise refusal_of(words)
    with _secrets_untold(words):
        return run_command(command, f"az {group.name} {command.name}", _understood(words)[2:])


def _understood(words: list[str]) -> list[str]:
    """The words with the text of each `@FILE` in its place, but for a login's: its secrets stay where they are."""
    return words if "login" in words[:2] else main.understood(words)


@contextmanager
def _secrets_untold(words: Sequence[str]) -> Iterator[None]:
    """No message about the words of a login repeats one of them: any may be the password, of which the script forgot the flag."""
    try:
        yield
    except UsageError as error:
        if "login" not in words[:2]:
            raise
        told = [error.message, *error.details, error.hint or ""]
        for word in sorted(words[1:], key=len, reverse=True):
            secret = word.partition("=")[2] if word.startswith("--") else word
            if len(secret) > 2 and secret not in ("login", "--help"):
                told = [text.replace(secret, "***") for text in told]
        raise UsageError(told[0], details=told[1:-1], hint=told[-1] or None) from None
