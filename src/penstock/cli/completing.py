"""What may follow a command line that is being typed: nouns, commands, flags, choices, and names that a running server knows."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence

from penstock.cli.grammar import GLOBAL_ARGUMENTS, Argument, Command
from penstock.cli.registry import NOUNS

# Flags that name a thing of some noun, whatever command they belong to.
_NAMES_OF_FLAGS = {"--workspace-name": "workspace", "--registry-name": "registry", "--parent-job-name": "job"}

# The names of a noun's things. Asked only where the server is already there: completing starts none.
NamesOf = Callable[[str], Iterable[str]]


def candidates(line: str, names_of: NamesOf) -> list[str]:
    """What the last word of the line may be; nothing where the shell's own file names are the better answer."""
    *before, current = _words(line)
    return sorted({each for each in _following(before[1:], current, names_of) if each.startswith(current)})


def _words(line: str) -> list[str]:
    """The line as words, the one that is being typed last: an empty one behind a blank."""
    for close in ("", '"', "'"):
        try:
            words = shlex.split(line + close)
        except ValueError:
            continue  # a quote is still open
        return [*words, ""] if not close and line[-1:].isspace() else words or [""]
    return [""]


def _following(words: Sequence[str], current: str, names_of: NamesOf) -> Iterable[str]:
    if words[:1] == ["ml"]:
        words = words[1:]
    if not words or words[0] == "help":
        return [*NOUNS, "help", "--help", "--version"] if not words else NOUNS
    noun = NOUNS.get(words[0])
    if noun is None:
        return ()
    commands = noun.commands()
    if not noun.alone and len(words) == 1:
        return (*commands, "--help")
    command = commands.get(noun.name if noun.alone else words[1])
    rest = words[1 if noun.alone else 2 :]
    return () if command is None else _of_command(noun.name, command, rest, current, names_of)


def _of_command(
    noun: str, command: Command, words: Sequence[str], current: str, names_of: NamesOf
) -> Iterator[str]:
    arguments = (*command.arguments, *GLOBAL_ARGUMENTS)
    by_name = {name: argument for argument in arguments for name in argument.names}
    open_flag = _open_flag(words, by_name)
    if open_flag is not None and not current.startswith("-"):
        yield from open_flag.choices
        kind = noun if open_flag.names[0] == "--name" else _NAMES_OF_FLAGS.get(open_flag.names[0])
        # The name of what is created is nobody's yet.
        if kind is not None and not (kind == noun and command.name == "create"):
            yield from names_of(kind)
        return
    for argument in arguments:
        if argument.is_positional:
            yield from argument.choices
        elif argument.takes in ("values", "lists") or not set(argument.names) & set(words):
            yield argument.names[0]
            yield from argument.names[1:] if current.startswith("-") else ()


def _open_flag(words: Sequence[str], by_name: dict[str, Argument]) -> Argument | None:
    """The flag whose value comes next."""
    for distance, word in enumerate(reversed(words)):
        argument = by_name.get(word)
        if argument is not None:
            takes_more = argument.takes in ("values", "lists") or distance == 0
            return argument if argument.takes != "nothing" and takes_more else None
    return None
