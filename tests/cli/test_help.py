"""Help texts: every command has one with examples, and they are golden files.

`PENSTOCK_WRITE_GOLDEN=1 pytest tests/cli` writes them anew.
"""

import shlex
import shutil

import pytest

from penstock.cli.grammar import GLOBAL_ARGUMENTS, Command, parse
from penstock.cli.registry import COMMANDS_NOT_YET, NOT_YET, NOUNS
from tests.cli.conftest import Penstock
from tests.cli.golden import held_against

COMMANDS = [
    (f"penstock {noun.name}" if noun.alone else f"penstock {noun.name} {command.name}", command)
    for noun in NOUNS.values()
    for command in noun.commands().values()
]
NAMES = [name for name, _ in COMMANDS]


@pytest.mark.parametrize("line", ["", *(noun.name for noun in NOUNS.values() if not noun.alone)])
def test_the_help_of_a_noun_is_golden(penstock: Penstock, line: str) -> None:
    """Also that of `penstock` alone."""
    held_against(f"help-{line or 'penstock'}.txt", penstock(f"{line} --help").out)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_is_golden(penstock: Penstock, name: str) -> None:
    """Word for word."""
    ran = penstock(f"{name.removeprefix('penstock ')} --help")

    assert ran.code == 0
    held_against(f"help-{name.removeprefix('penstock ').replace(' ', '-')}.txt", ran.out)


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_every_command_is_described_and_has_examples_that_parse(name: str, command: Command) -> None:
    """An example that is not understood helps nobody."""
    assert command.summary.endswith(".")
    assert command.examples
    for argument in command.arguments:
        assert argument.help.endswith("."), argument.names
    own = 0
    for example in command.examples:
        assert example.title, name
        for line in _command_lines(example.command):
            if " ".join(line).startswith(f"{name} ") or line == name.split():
                own += 1
                parse(command, name, line[len(name.split()) :])
    assert own >= len(command.examples)


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_no_flag_means_two_things(name: str, command: Command) -> None:
    """Neither among a command's own flags nor with the global ones."""
    spellings = [flag for argument in (*command.arguments, *GLOBAL_ARGUMENTS) for flag in argument.names]

    assert len(spellings) == len(set(spellings))


def test_every_module_of_the_registry_holds_what_it_says() -> None:
    """A noun alone is one command of its own name; what is not there yet is not there."""
    for noun in NOUNS.values():
        commands = noun.commands()
        assert noun.alone == (list(commands) == [noun.name]), noun.name
        assert not set(commands) & set(COMMANDS_NOT_YET.get(noun.name, ()))
    assert not set(NOUNS) & set(NOT_YET)


@pytest.mark.parametrize("columns", ["1", "60", "500"])
def test_help_fits_the_terminal(penstock: Penstock, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Between 40 and 100 columns; flags and examples are never broken."""
    monkeypatch.setenv("COLUMNS", columns)
    out = penstock("job create --help").out

    flags = "--output -o FORMAT"
    assert flags in out
    assert "    penstock job create -f pipeline.yml --set inputs.rate=0.1 settings.force_rerun=true" in out
    prose = [line for line in out.split("Arguments")[0].splitlines() if not line.startswith("usage")]
    assert max(len(line) for line in prose) <= 100
    assert shutil.get_terminal_size().columns == int(columns)


def _command_lines(text: str) -> list[list[str]]:
    """The penstock commands of a shell line."""
    import re

    text = re.sub(r'\w+="?\$\((.*)\)"?', r"\1", text)
    text = re.sub(r'eval "\$\((.*?)\)"', r"\1", text)
    lines = [shlex.split(part) for part in re.split(r"&&|\|\||(?<!\|)\|(?!\|)", _protected(text))]
    return [[word.replace("\x00", "|") for word in line] for line in lines if line[:1] == ["penstock"]]


def _protected(text: str) -> str:
    """Bars within quotes are no pipes."""
    import re

    return re.sub(r"'[^']*'|\"[^\"]*\"", lambda match: match.group().replace("|", "\x00"), text)
