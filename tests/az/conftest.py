"""`az` within this process, and as scripts run it: the real shim, in a real shell."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from penstock.az.main import run
from penstock.cli import az_script, program
from penstock.settings import Home
from tests.az.without_az import SYSTEM
from tests.cli.conftest import Ran
from tests.client.fake_server import FakeServer

Az = Callable[[str], Ran]
Shell = Callable[..., Ran]


@pytest.fixture
def home(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of its own, on a PATH that has no `az`."""
    monkeypatch.setenv("PATH", SYSTEM)
    return Home.from_environment()


@pytest.fixture
def fake(home: Home) -> Iterator[FakeServer]:
    server = FakeServer(home.socket)
    yield server
    server.stop()


@pytest.fixture
def az(home: Home, capsys: pytest.CaptureFixture[str]) -> Iterator[Az]:
    """`az("account show")` as a shell would split it."""

    def az(line: str) -> Ran:
        capsys.readouterr()
        code = run(shlex.split(line))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    yield az
    program.speak_as_penstock()


@pytest.fixture
def shim(home: Home) -> Path:
    """The written script."""
    return az_script.write(home)


@pytest.fixture
def shell(home: Home) -> Shell:
    """A script in a real shell, `penstock` first on PATH; the environment may be added to."""

    def shell(
        script: str, program: str = "bash", *, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> Ran:
        path = os.pathsep.join([str(Path(sys.executable).parent), SYSTEM])
        ran = subprocess.run(
            [program, "-c", script],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PATH": path, **(env or {})},
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return shell


def executable(path: Path, text: str) -> Path:
    """A script at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
