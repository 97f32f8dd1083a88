"""The help texts, drawn from the description of commands.

Our own and not argparse's, whose layout and wording differ from one Python to the next.
"""

import shutil
import textwrap
from collections.abc import Iterable, Mapping

from penstock import __version__
from penstock.cli.grammar import GLOBAL_ARGUMENTS, Argument, Command, metavar_of, usage
from penstock.cli.registry import NOUNS

_WIDEST, _NARROWEST = 100, 40


def root_help() -> str:
    """What `penstock` alone shows."""
    rows = [(noun.name, noun.summary) for noun in NOUNS.values()]
    return "\n".join(
        [
            f"penstock {__version__}: runs Azure ML v2 project files where you are.",
            "",
            "usage: penstock NOUN [COMMAND] [ARGUMENTS]",
            "",
            *section("Nouns", rows),
            *section(
                "Start here",
                [
                    ("penstock demo", "see everything work, on data that is already here"),
                    ("penstock check pipeline.yml", "what does my project need?"),
                    ("penstock job create -f pipeline.yml --stream", "run it"),
                ],
                stacked=True,
            ),
            "`penstock NOUN --help` lists a noun's commands, `penstock NOUN COMMAND --help` its arguments and examples.",
            "`penstock ml job create` is the same as `penstock job create`.",
            "",
        ]
    )


def noun_help(name: str, summary: str, commands: Mapping[str, Command]) -> str:
    """What `penstock job --help` shows; `name` is `penstock job`."""
    rows = [(command.name, command.summary) for command in commands.values()]
    example = next(iter(commands.values())).examples[0]
    return "\n".join(
        [
            f"{name}: {summary}",
            "",
            f"usage: {name} COMMAND [ARGUMENTS]",
            "",
            *section("Commands", rows),
            *section("Example", [(example.command, example.title)], stacked=True),
            f"`{name} COMMAND --help` shows a command's arguments and examples.",
            "",
        ]
    )


def command_help(command: Command, full_name: str) -> str:
    """What `penstock job create --help` shows."""
    lines = [f"{full_name}: {command.summary}", ""]
    for paragraph in textwrap.dedent(command.description).strip().split("\n\n"):
        if paragraph:
            lines += [*_paragraph(paragraph), ""]
    lines += [*_wrap(usage(command, full_name), _width(), "    "), ""]
    if command.arguments:
        lines += section("Arguments", _argument_rows(command.arguments))
    lines += section("Global arguments", _argument_rows(GLOBAL_ARGUMENTS))
    lines += section(
        "Examples", [(example.command, example.title) for example in command.examples], stacked=True
    )
    return "\n".join(lines)


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Filled lines. Words such as --only-show-errors stay whole: half a flag cannot be copied."""
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def _paragraph(text: str) -> list[str]:
    """A paragraph, filled; one whose lines are indented is kept as it is."""
    if text.startswith(" "):
        return text.splitlines()
    return _wrap(" ".join(text.split()), _width())


def _argument_rows(arguments: Iterable[Argument]) -> list[tuple[str, str]]:
    rows = []
    for argument in arguments:
        names = metavar_of(argument) if argument.is_positional else " ".join(argument.names)
        if not argument.is_positional and argument.takes in ("value", "values", "lists"):
            names += f" {metavar_of(argument)}"
        text = argument.help
        if argument.takes == "values":
            text += " Several values may follow."
        if argument.choices:
            text += f" One of: {', '.join(argument.choices)}."
        if argument.default is not None:
            text += f" Default: {argument.default}."
        if argument.required:
            text += " Required."
        rows.append((names, text))
    return rows


def section(title: str, rows: Iterable[tuple[str, str]], *, stacked: bool = False) -> list[str]:
    """Two columns under a title; `stacked` puts the right one above the left, indented less: for examples."""
    rows = list(rows)
    lines = [title]
    if stacked:
        for left, right in rows:
            title_line = f"  {right[:1].upper()}{right[1:]}"
            lines += [title_line if title_line.endswith("?") else f"{title_line}:", f"    {left}"]
        return [*lines, ""]
    column = min(max(len(left) for left, _ in rows) + 4, 40)
    for left, right in rows:
        wrapped = _wrap(right, max(_width() - column, 24)) or [""]
        head = f"  {left}"
        if len(head) + 2 > column:
            lines.append(head)
            lines += [" " * column + text for text in wrapped]
        else:
            lines.append(head.ljust(column) + wrapped[0])
            lines += [" " * column + text for text in wrapped[1:]]
    return [*lines, ""]


def _width() -> int:
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
