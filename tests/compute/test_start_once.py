"""However many ask, and whenever they die: a step starts once or not at all."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock.compute import local, worker
from penstock.compute.interface import Handle, Launch
from penstock.compute.local import LocalCompute
from penstock.errors import Conflict
from penstock.testing.compute_contract import end_of
from tests.compute.steps import Launcher


def test_two_starts_at_once_have_one_winner(launch: Launcher) -> None:
    """The others are told that there is one; the command ran once."""
    for _ in range(5):
        asked = launch("echo run >> runs")
        gate = threading.Barrier(4)
        outcomes: list[Handle | Conflict] = []

        def start(asked: Launch = asked, gate: threading.Barrier = gate, into: list = outcomes) -> None:
            gate.wait()
            try:
                into.append(LocalCompute().start(asked))
            except Conflict as problem:
                into.append(problem)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        (handle,) = [outcome for outcome in outcomes if isinstance(outcome, Handle)]
        assert len(outcomes) == 4
        assert end_of(LocalCompute(), handle).succeeded
        assert (asked.cwd / "runs").read_text() == "run\n"
        assert sorted(path.name for path in asked.folder.iterdir()) == ["result.json", "worker.json"]


@pytest.mark.parametrize("name", ["worker.json", "result.json"])
def test_the_parent_itself_refuses_a_folder_that_was_used(launch: Launcher, name: str) -> None:
    """Also where the server did not look: two servers may have asked."""
    asked = launch("echo run >> runs")
    asked.folder.mkdir()
    (asked.folder / name).write_text("{}")

    done = _run_worker(local._description(asked, 1.0))

    assert done.stdout.startswith(b"penstock-worker refused")
    assert not (asked.cwd / "runs").exists()
    assert [path.name for path in asked.folder.iterdir()] == [name]


def test_a_parent_whose_server_died_before_the_answer_starts_nothing(launch: Launcher) -> None:
    """The next server starts the step again, in the same folder, and it runs once."""
    asked = launch("echo run >> runs")
    asked.folder.mkdir()
    reader, writer = os.pipe()
    os.close(reader)

    done = _run_worker(local._description(asked, 1.0), stdout=writer)
    os.close(writer)

    assert done.returncode == 2
    assert list(asked.folder.iterdir()) == []
    compute = LocalCompute()
    assert end_of(compute, compute.start(asked)).succeeded
    assert (asked.cwd / "runs").read_text() == "run\n"


def test_half_a_description_starts_nothing(launch: Launcher) -> None:
    """A server that is killed while it writes leaves no step behind."""
    asked = launch("echo run >> runs")
    asked.folder.mkdir()
    description = local._description(asked, 1.0)

    for length in (0, 10, len(description) // 2, len(description) - 1):
        done = _run_worker(description[:length])

        assert b"incomplete" in done.stdout
        assert list(asked.folder.iterdir()) == []


def _run_worker(description: bytes, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[bytes]":
    argv = [sys.executable, "-I", "-S", "-c", local._BOOT, str(Path(worker.__file__).parent), "step"]
    return subprocess.run(argv, input=description, stdout=stdout, check=False, timeout=30)


# A server that starts the launch of its argument when it reads a line, and says when it is ready to.
_WAITING_SERVER = """
import json, sys, time
from pathlib import Path
from penstock.compute.interface import Launch
from penstock.compute.local import LocalCompute
asked = json.loads(sys.argv[1])
launch = Launch(**{name: Path(v) if isinstance(v, str) and name != "id" else v for name, v in asked.items()})
print("ready", flush=True)
sys.stdin.readline()
LocalCompute().start(launch)
time.sleep(600)
"""


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 25, 35, 50])
def test_reliability_18_a_server_killed_while_it_starts_a_step_leaves_all_or_nothing(
    launch: Launcher, milliseconds: int
) -> None:
    """Whatever the instant: the next server adopts the step or starts it, and it runs once."""
    asked = launch("echo run >> runs; sleep 0.2")
    fields = {name: str(getattr(asked, name)) for name in ("id", "folder", "cwd", "log", "python")}
    text = json.dumps({**fields, "argv": asked.argv, "env": dict(asked.env), "fence": 1})
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING_SERVER, text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        server.stdin.write(b"go\n")
        server.stdin.flush()
        time.sleep(milliseconds / 1000)  # the fault's instant, not a wait for something
        server.kill()

    compute = LocalCompute()
    handle = compute.adopt(asked.folder)
    try:
        handle = handle or compute.start(asked)
    except Conflict:
        handle = compute.adopt(asked.folder)
    assert handle is not None
    finished = end_of(compute, handle)

    runs = (asked.cwd / "runs").read_text() if (asked.cwd / "runs").exists() else ""
    assert (finished.reason, runs) in (("exited", "run\n"), ("lost", ""))
