"""Completing command lines: what is offered, in real shells, without starting a server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli.completing import candidates
from penstock.settings import Home
from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

SHELLS = {
    "bash": 'eval "$(penstock completion bash)"; COMP_LINE="$LINE"; COMP_POINT=${#COMP_LINE}; _penstock;'
    ' printf "%s\\n" "${COMPREPLY[@]}"',
    # Outside its line editor zsh has no completion to add to: compadd prints what it is given.
    "zsh": 'compdef() { :; }; compadd() { print -l ${(P)argv[-1]}; }; eval "$(penstock completion zsh)";'
    ' words=("${(@s: :)LINE}"); CURRENT=${#words}; _penstock',
    "fish": "penstock completion fish | source; complete -C $LINE",
}


def offered(line: str, **names: list[str]) -> list[str]:
    return candidates(line, lambda noun: names.get(noun, ()))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("penstock jo", ["job"]),
        ("penstock ml jo", ["job"]),
        ("penstock help jo", ["job"]),
        ("penstock job show", ["show", "show-diff", "show-services"]),
        ("penstock job stream -n x --verb", ["--verbose"]),
        ("penstock job list --status Canceled", ["Canceled"]),
        ("penstock job list -o j", ["json", "jsonc"]),
        ("penstock job list --query x -o t", ["table", "tsv"]),
        ("penstock status --only", ["--only-show-errors"]),
        ("penstock job create -f job", []),
        ("penstock job create -n o", []),
        ("penstock xyzzy ", []),
        ("penstock job xyzzy ", []),
        ('penstock job show -n "on', ["one"]),
        ("penstock job show -n ", ["one", "two"]),
        ("penstock job list -p t", ["two"]),
        ("penstock model show -w d", ["dev"]),
        ("penstock job create --file a.yml --set x=1 --fi", []),
    ],
)
def test_what_may_follow(line: str, expected: list[str]) -> None:
    """Nouns, commands, flags that are not there yet, choices, names; nothing where a file is meant."""
    assert offered(line, job=["one", "two"], workspace=["dev"]) == expected


def test_a_flag_that_was_given_is_not_offered_again() -> None:
    """Unless it may be repeated."""
    flags = offered("penstock job create --file a.yml --set x=1 --stream --")

    assert "--file" not in flags
    assert "--stream" not in flags
    assert {"--set", "--name", "--output"} <= set(flags)


def test_names_come_from_a_server_that_runs(penstock: Penstock, fake: FakeServer) -> None:
    """One light request."""
    fake.on("GET", "/api/v1/workspaces/default/jobs", [{"name": "happy_frog"}, {"name": "sad_owl"}])

    ran = penstock('completion words --line="penstock job show -n h"')

    assert (ran.code, ran.out) == (0, "happy_frog\n")
    assert len(fake.asked("GET", "/api/v1/workspaces/default/jobs")) == 1


def test_completing_starts_no_server(penstock: Penstock, home: Home) -> None:
    """Whoever presses a key has not asked for one."""
    ran = penstock('completion words --line="penstock job show -n "')

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert not home.socket.exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes(shell: str, clean_environment: Path) -> None:
    """The script is understood, and what it calls is the program that is installed."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    ran = subprocess.run(
        [program, "-c", SHELLS[shell]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": folders, "LINE": "penstock job can"},
    )

    assert ran.stderr == ""
    assert ran.stdout.split() == ["cancel"]
