"""The command line and the real server, as a person meets them first."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.client import starting
from penstock.settings import Home


@pytest.fixture(autouse=True)
def home(clean_environment: Path) -> Iterator[Home]:
    home = Home.from_environment()
    yield home
    starting.stop_server(home)


def begin(line: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", *line.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )


def run(line: str) -> tuple[int, str, str]:
    process = begin(line)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_two_first_commands_at_once_share_one_server_that_survives_a_kill(home: Home) -> None:
    """Started on demand by whoever is first, for this user alone; started again after kill -9; stopped on request."""
    both = [begin("workspace show --query name -o tsv") for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in both]
    assert answers == [("default\n", "")] * 2
    assert home.server_log.read_text().count(" serves ") == 1
    assert home.socket.stat().st_mode & 0o777 == 0o600

    first = json.loads(run("server status -o json")[1])
    os.kill(first["pid"], 9)
    assert run("compute list --query [0].name -o tsv") == (0, "local\n", "")
    second = json.loads(run("server status -o json")[1])
    assert second["pid"] != first["pid"]

    assert run("compute show -n cpu-cluster")[0] == 3
    assert run("server stop")[0] == 0
    assert run("server status --query running -o tsv")[1] == "false\n"


def test_a_server_that_cannot_start_says_why(home: Home) -> None:
    """The last lines of its log, and no traceback of ours."""
    home.path.mkdir(parents=True)
    home.database.write_text("this is no database, and longer than a header of one: " * 20)

    code, out, err = run("job list")

    assert (code, out) == (1, "")
    assert err.startswith("error: the server ended while it was starting")
    assert "server.log" in err
