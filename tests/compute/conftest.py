"""A compute, and launches of shell scripts."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compute import worker
from penstock.compute.interface import Launch
from penstock.compute.local import LocalCompute
from tests.compute.steps import Launcher


@pytest.fixture(autouse=True)
def nothing_is_left_running(tmp_path: Path) -> Iterator[None]:
    """Also where a test fails half-way: ends what still runs in the test's folder, and its small parent with it."""
    yield
    for process in worker.all_processes():
        if process.pid == os.getpid():
            continue
        with suppress(OSError):
            if Path(f"/proc/{process.pid}/cwd").readlink().is_relative_to(tmp_path):
                os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def compute() -> LocalCompute:
    """A compute that gives a command little time to end."""
    return LocalCompute(grace=0.3)


@pytest.fixture
def launch(tmp_path: Path) -> Launcher:
    """A launch of a shell script in a folder of its own."""

    def make(script: str, **changes: object) -> Launch:
        folder = tmp_path / f"step-{len(list(tmp_path.glob('step-*')))}"
        folder.mkdir()
        made = Launch(
            id=folder.name,
            folder=folder / "state",
            argv=("/bin/sh", "-c", script),
            env={"PATH": os.environ["PATH"]},
            cwd=folder,
            log=folder / "log.txt",
            python=Path(sys.executable),
            fence=1,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    return make
