"""The command line within this process, against a server whose answers are written down."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.cli.main import run
from penstock.settings import Home
from tests.client.fake_server import FakeServer


@dataclass(frozen=True)
class Ran:
    """What one command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Penstock = Callable[[str], Ran]


@pytest.fixture
def home(clean_environment: Path) -> Home:
    return Home.from_environment()


@pytest.fixture
def fake(home: Home) -> Iterator[FakeServer]:
    server = FakeServer(home.socket)
    yield server
    server.stop()


@pytest.fixture
def penstock(capsys: pytest.CaptureFixture[str]) -> Penstock:
    """`penstock("job show -n x")` as a shell would split it."""

    def penstock(line: str) -> Ran:
        capsys.readouterr()
        code = run(shlex.split(line))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return penstock
