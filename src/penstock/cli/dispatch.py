"""From words to one command: which noun, which command, its flags, its result on stdout."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from penstock.cli.grammar import GLOBAL_ARGUMENTS, OUTPUT_FORMATS, Command, parse
from penstock.cli.program import spoken
from penstock.cli.registry import COMMANDS_NOT_YET, FIRST_GENERATION, NOT_YET, NOUNS, Noun
from penstock.errors import PenstockError, UsageError
from penstock.resources.nearest import nearest

if TYPE_CHECKING:
    from penstock.cli.invocation import Invocation

_HELP = ("-h", "--help", "help")
_SWITCHES = tuple(
    name for argument in GLOBAL_ARGUMENTS if argument.takes == "nothing" for name in argument.names
)


def dispatch(words: list[str]) -> int:
    """Run what the words say; the exit code. Errors are raised."""
    words = global_flags_last(words)
    if words[:1] == ["ml"]:
        # `az ml job create` with `az` replaced by `penstock`.
        words = words[1:]
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if not words or words[0] in _HELP or all(word in _SWITCHES for word in words):
        from penstock.cli.help import root_help

        return print_help(root_help())
    noun = _noun_of(words[0])
    commands = noun.commands()
    if noun.alone:
        return run_command(commands[noun.name], f"penstock {noun.name}", words[1:])
    if len(words) == 1 or words[1] in _HELP:
        return _show_noun(noun, commands, asked=len(words) > 1)
    command = commands.get(words[1].lower())
    if command is None:
        _refuse_command(noun, commands, words[1])
    return run_command(command, f"penstock {noun.name} {command.name}", words[2:])


def _show_noun(noun: Noun, commands: Mapping[str, Command], *, asked: bool) -> int:
    from penstock.cli.help import noun_help

    return show_or_refuse(noun_help(f"penstock {noun.name}", noun.summary, commands), asked=asked)


def show_or_refuse(text: str, *, asked: bool) -> int:
    """A help text: the result where it was asked for, else what is wrong with words that name no command."""
    from penstock.cli.invocation import write_error

    if asked:
        return print_help(text)
    write_error(spoken(text))
    return UsageError.exit_code


def print_help(text: str) -> int:
    """Help is talk, though it goes to stdout."""
    return _print(spoken(text))


def run_command(command: Command, full_name: str, words: Sequence[str]) -> int:
    """Run one command with the words behind its name; the exit code. Errors are raised."""
    try:
        return _run(command, full_name, words)
    except Exception:
        if command.on_failure:
            _print(command.on_failure)
        raise


def _run(command: Command, full_name: str, words: Sequence[str]) -> int:
    from penstock.cli.invocation import Invocation, Outcome

    if any(word in ("-h", "--help") for word in words):
        from penstock.cli.help import command_help

        return print_help(command_help(command, full_name))
    arguments = parse(command, full_name, words)
    if arguments.help:
        from penstock.cli.help import command_help

        return print_help(command_help(command, full_name))
    invocation = Invocation(arguments, full_name, words)
    search = None
    if arguments.query:
        from penstock.cli.render import compile_query

        search = compile_query(arguments.query)
    try:
        result = command.run(invocation)
    finally:
        invocation.close()
    outcome = result if isinstance(result, Outcome) else Outcome(result)
    if outcome.text is not None and arguments.output is None and search is None:
        _print(outcome.text)
    elif outcome.record is not None:
        record = search(outcome.record) if search else outcome.record
        _print_record(record, invocation, queried=search is not None)
    return outcome.exit_code


def _print_record(record: object, invocation: "Invocation", *, queried: bool) -> None:
    from penstock.cli.render import render

    output = invocation.arguments.output or invocation.defaults.get("output", "json")
    if output not in OUTPUT_FORMATS:
        raise PenstockError(
            f"the default output `{output}` is not one of {', '.join(OUTPUT_FORMATS)}",
            hint="penstock configure --defaults output=json",
        )
    text = render(record, output, queried=queried, colour=_wants_colour())
    if not _can_be_printed(text):
        text = render(record, output, queried=queried, colour=_wants_colour(), only_ascii=True)
    _print(text)


def _can_be_printed(text: str) -> bool:
    """Whether stdout's encoding has every character: a locale such as de_DE.ISO-8859-1 has not all of them."""
    try:
        text.encode((sys.stdout and sys.stdout.encoding) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _print(text: str) -> int:
    from penstock.cli.invocation import write_result

    write_result(text)
    return 0


def _wants_colour() -> bool:
    streams = (sys.stdout, sys.stderr)
    return not os.environ.get("NO_COLOR") and all(
        stream is not None and stream.isatty() for stream in streams
    )


def _noun_of(word: str) -> Noun:
    noun = NOUNS.get(word.lower())
    if noun is not None:
        return noun
    if word.lower() in NOT_YET:
        raise PenstockError(
            f"`{word}` is not supported yet",
            details=(f"`az ml {word}` exists in the cloud; this version of penstock does not have it",),
            hint="`penstock --help` lists what there is",
        )
    if word.lower() in FIRST_GENERATION:
        raise PenstockError(
            f"`{word}` is not supported: it belongs to the first generation of `az ml`",
            details=("penstock speaks the second, whose files and commands are others",),
            hint=f"in its place: {FIRST_GENERATION[word.lower()]}",
        )
    near = nearest(word, (*NOUNS, *NOT_YET))
    raise UsageError(
        f"`{word}` is not a penstock command",
        hint=f"did you mean `penstock {near}`?" if near else "`penstock --help` lists what there is",
    )


def _refuse_command(noun: Noun, commands: Mapping[str, Command], word: str) -> NoReturn:
    full_name = f"penstock {noun.name}"
    if word.lower() in COMMANDS_NOT_YET.get(noun.name, ()):
        raise PenstockError(
            f"`{full_name} {word}` is not supported yet", hint=f"`{full_name} --help` lists what there is"
        )
    near = nearest(word, (*commands, *COMMANDS_NOT_YET.get(noun.name, ())))
    raise UsageError(
        f"`{word}` is not a command of `{full_name}`",
        details=(f"its commands: {', '.join(commands)}",),
        hint=f"did you mean `{full_name} {near}`?"
        if near
        else f"`{full_name} --help` says what each of them does",
    )


def global_flags_last(words: list[str]) -> list[str]:
    """Global flags typed before the noun, moved behind the command, where the parser expects them."""
    takes_value = {
        name: argument.takes == "value" for argument in GLOBAL_ARGUMENTS for name in argument.names
    }
    moved: list[str] = []
    rest = list(words)
    while rest and rest[0].split("=", 1)[0] in takes_value and rest[0] not in _HELP:
        word = rest.pop(0)
        moved.append(word)
        if takes_value[word.split("=", 1)[0]] and "=" not in word and rest:
            moved.append(rest.pop(0))
    return [*rest, *moved]
