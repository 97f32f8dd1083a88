"""What a command is, which flags every command takes, and how the words of a command line become values.

A command is described as data, in a module that is imported only when its noun is typed:

    # cli/demo.py
    from penstock.cli.grammar import Argument, Command, Example
    from penstock.cli.invocation import Invocation

    def run(invocation: Invocation) -> object:
        invocation.say("training ...")                       # stderr: talk
        return invocation.client.jobs.show("happy_frog")     # stdout: the record, rendered by -o and --query

    COMMANDS = (
        Command(
            name="demo",                                     # equal to the noun: `penstock demo` is the command
            summary="Run the main job end to end on data that is already here.",
            arguments=(Argument(("--folder", "-f"), "Where the project is written."),),
            examples=(Example("Run it", "penstock demo"),),
            run=run,
        ),
    )

and named by one row of `registry.NOUNS`. A noun with several commands (`job`) lists them all in `COMMANDS`. Flags arrive
as `invocation.arguments.folder` (the first flag, dashes to underscores); a flag that was not given is None (a switch: False).
`run` may return None (prints nothing), anything JSON can hold, or an `Outcome` (a text for people, an exit code).

Grammar: argparse, because `az` is argparse: unambiguous prefixes of long flags and several values per flag are native to it,
and it is the lightest. One parser is built per run, for the command that was typed. The help is our own (`help.py`): argparse's
differs from one Python to the next.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from penstock.errors import UsageError
from penstock.resources.nearest import nearest

if TYPE_CHECKING:
    from penstock.cli.invocation import Invocation


@dataclass(frozen=True)
class Argument:
    """One flag, or one positional word (a name without dashes).

    `takes`: `value` one; `values` one or more, and the flag may be repeated; `lists` the same with the words of each
    time the flag is given kept apart; `nothing` makes a switch; `truth` an optional true/false (`--all-results`,
    `--all-results true`). `choices` are matched without regard to case. `default` is told in
    the help and not applied: a command can so tell a flag that was not given from one that was.
    """

    names: tuple[str, ...]
    help: str
    takes: Literal["value", "values", "lists", "nothing", "truth"] = "value"
    required: bool = False
    choices: tuple[str, ...] = ()
    convert: Callable[[str], object] | None = None
    default: str | None = None
    metavar: str | None = None

    @property
    def is_positional(self) -> bool:
        return not self.names[0].startswith("-")

    @property
    def destination(self) -> str:
        """The attribute of `invocation.arguments` that holds the value."""
        return self.names[0].lstrip("-").replace("-", "_")

    @property
    def spelled(self) -> str:
        """All spellings, as `az` names them in its messages: `--name/-n`."""
        return "/".join(self.names)


@dataclass(frozen=True)
class Example:
    """One command line that works, and what it is for."""

    title: str
    command: str


@dataclass(frozen=True)
class Command:
    """One command: words of help, its flags, and what it does.

    `on_failure` is what goes to stdout where it fails: for a command whose output a shell evaluates, and takes silence for success.
    """

    name: str
    summary: str
    run: "Callable[[Invocation], object]"
    examples: tuple[Example, ...]
    arguments: tuple[Argument, ...] = ()
    description: str = ""
    on_failure: str = ""


OUTPUT_FORMATS = ("json", "jsonc", "yaml", "yamlc", "table", "tsv", "none")

GLOBAL_ARGUMENTS: tuple[Argument, ...] = (
    Argument(("--output", "-o"), "Output format.", choices=OUTPUT_FORMATS, default="json", metavar="FORMAT"),
    Argument(("--query",), "JMESPath query over the result.", metavar="JMESPATH"),
    Argument(
        ("--workspace-name", "-w"),
        "Workspace; `penstock configure --defaults workspace=NAME` sets it for good.",
        metavar="NAME",
    ),
    Argument(
        ("--resource-group", "-g"),
        "Resource group: recorded with a workspace, accepted everywhere.",
        metavar="NAME",
    ),
    Argument(
        ("--subscription",),
        "Accepted, so that the same command line works here and in the cloud; not used.",
        metavar="ID",
    ),
    Argument(("--only-show-errors",), "Keep warnings and progress quiet.", takes="nothing"),
    Argument(("--verbose",), "Say more, such as what a pipeline's steps write.", takes="nothing"),
    Argument(("--debug",), "Say everything: requests, times, tracebacks.", takes="nothing"),
    Argument(("--help", "-h"), "Show this help and exit.", takes="nothing"),
)


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(command: Command, full_name: str, words: Sequence[str]) -> argparse.Namespace:
    """The values of a command line, or UsageError with the usage and, for a mistyped flag, the nearest one.

    Flags that are missing are not looked for when `--help` is among the words.
    """
    arguments = (*command.arguments, *GLOBAL_ARGUMENTS)
    parser = _parser_of(arguments, full_name)
    advice = f"run `{full_name} --help` to see all arguments and examples"
    try:
        namespace, unknown = parser.parse_known_args(list(words))
        if namespace.help:
            return namespace
        if unknown:
            _refuse_unknown(unknown, arguments, words)
        _refuse_missing(namespace, command.arguments)
    except UsageError as error:
        raise UsageError(
            error.message, details=(*error.details, usage(command, full_name)), hint=error.hint or advice
        ) from None
    return namespace


def usage(command: Command, full_name: str) -> str:
    """`usage: penstock job show --name NAME [--web]`: the flags of the command itself, without the global ones."""
    words = [f"usage: {full_name}"]
    for argument in command.arguments:
        word = argument.names[0]
        if argument.is_positional:
            word = metavar_of(argument) + (" ..." if argument.takes == "values" else "")
        elif argument.takes in ("value", "values", "lists"):
            word += f" {metavar_of(argument)}" + ("" if argument.takes == "value" else " ...")
        words.append(word if argument.required else f"[{word}]")
    return " ".join(words)


def metavar_of(argument: Argument) -> str:
    """The word that stands for the value in usage texts."""
    if argument.metavar:
        return argument.metavar
    return argument.names[0].lstrip("-").upper().replace("-", "_")


def _parser_of(arguments: Sequence[Argument], full_name: str) -> _Parser:
    parser = _Parser(prog=full_name, add_help=False, allow_abbrev=True)
    for argument in arguments:
        options: dict[str, Any] = {}  # Any: argparse's own keyword arguments
        if not argument.is_positional:
            options["dest"] = argument.destination
        else:
            # Never required in argparse's eyes: `_refuse_missing` words it the same for flags and positionals.
            options["nargs"] = "*" if argument.takes == "values" else "?"
        if argument.takes == "nothing":
            options["action"] = "store_true"
        elif argument.takes == "truth":
            options.update(nargs="?", const=True, type=_truth)
        else:
            options["type"] = _converter_of(argument)
            if argument.takes == "values" and not argument.is_positional:
                options.update(nargs="+", action="extend")
            elif argument.takes == "lists":
                options.update(nargs="+", action="append")
        parser.add_argument(*argument.names, **options)
    return parser


def _converter_of(argument: Argument) -> Callable[[str], object]:
    def convert(text: str) -> object:
        if argument.choices:
            for choice in argument.choices:
                if text.lower() == choice.lower():
                    return choice
            near = nearest(text, argument.choices)
            wish = f"; did you mean `{near}`?" if near else ""
            allowed = ", ".join(argument.choices)
            raise argparse.ArgumentTypeError(f"`{text}` is not one of {allowed}{wish}")
        if argument.convert is None:
            return text
        try:
            return argument.convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def whole_number(text: str) -> int:
    """A flag's value as a number, or a ValueError that says what was expected."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"`{text}` is not a whole number") from None


def at_least_one(text: str) -> int:
    """As `whole_number`, from 1 upwards."""
    if (number := whole_number(text)) < 1:
        raise ValueError(f"`{text}` is less than 1")
    return number


def _truth(text: str) -> bool:
    if text.lower() in ("true", "1", "yes"):
        return True
    if text.lower() in ("false", "0", "no"):
        return False
    raise argparse.ArgumentTypeError(f"`{text}` is neither true nor false")


def _refuse_unknown(unknown: Sequence[str], arguments: Sequence[Argument], words: Sequence[str]) -> NoReturn:
    known = [name for argument in arguments for name in argument.names if name.startswith("--")]
    for word in unknown:
        flag = word.split("=", 1)[0]
        near = nearest(flag, known) if flag.startswith("-") and len(flag) > 2 else None
        if near:
            raise UsageError(f"unrecognized arguments: {' '.join(unknown)}", hint=f"did you mean `{near}`?")
    # `-name x`, as PowerShell spells it, was understood as `-n ame`; what is left over is the value.
    short = [f"-{word.partition('=')[0].lower()}" for word in words if word.startswith("-")]
    near = next((flag for flag in short if flag in known), None)
    raise UsageError(
        f"unrecognized arguments: {' '.join(unknown)}", hint=f"did you mean `{near}`?" if near else None
    )


def _refuse_missing(namespace: argparse.Namespace, arguments: Sequence[Argument]) -> None:
    missing = [
        argument.spelled
        for argument in arguments
        if argument.required and getattr(namespace, argument.destination) in (None, [])
    ]
    if missing:
        raise UsageError(f"the following arguments are required: {', '.join(missing)}")
