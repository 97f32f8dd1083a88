"""Servers, small parents and commands are killed: no step is lost from sight, none runs on, none runs twice."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from penstock.compute import worker
from penstock.compute.local import LocalCompute
from penstock.testing.compute_contract import end_of, wait_until
from penstock.testing.processes_contract import several
from tests.compute.steps import Launcher, gone, kill, pids_in, serve


def test_reliability_18_a_step_outlives_its_killed_server_and_is_adopted(
    compute: LocalCompute, launch: Launcher
) -> None:
    """Another server finds it running, sees it end, and it ran once."""
    asked = launch("echo run >> runs; while [ ! -e go ]; do sleep 0.02; done; exit 4")
    server, handle = serve(asked)
    kill(server)

    adopted = compute.adopt(asked.folder)

    assert adopted == handle
    assert compute.poll(adopted) is None
    (asked.cwd / "go").touch()
    finished = end_of(compute, adopted)
    assert (finished.exit_code, finished.reason) == (4, "exited")
    assert (asked.cwd / "runs").read_text() == "run\n"


def test_a_step_that_ended_while_no_server_ran_is_not_lost(compute: LocalCompute, launch: Launcher) -> None:
    """Its result waits in its folder."""
    asked = launch("exit 5")
    server, handle = serve(asked)
    wait_until((asked.folder / "result.json").exists)
    kill(server)

    adopted = compute.adopt(asked.folder)

    assert adopted == handle
    assert end_of(compute, adopted).exit_code == 5


def test_a_killed_group_takes_its_processes_with_it(compute: LocalCompute, launch: Launcher) -> None:
    """The out-of-memory killer may choose whoever runs several processes: they end, and the step has failed."""
    asked = several(launch("echo $$; trap '' TERM; while :; do sleep 0.02; done"), 2)
    handle = compute.start(asked)
    pids = [pid for process in asked.processes for pid in pids_in(process.log, 1)]

    os.kill(json.loads((asked.folder / "worker.json").read_bytes())["command_pid"], signal.SIGKILL)

    finished = end_of(compute, handle)
    assert (finished.exit_code, finished.reason, finished.processes) == (137, "exited", ())
    assert all(map(gone, pids))


def test_several_processes_are_adopted_as_one_is(compute: LocalCompute, launch: Launcher) -> None:
    """Another server object knows nothing but the folder, and finds all of them at their end."""
    asked = several(launch("while [ ! -e go ]; do sleep 0.02; done; exit $RANK"), 2)
    LocalCompute().start(asked)
    adopted = compute.adopt(asked.folder)
    assert adopted is not None

    (asked.cwd / "go").touch()

    finished = end_of(compute, adopted)
    assert finished.exit_code == 1
    assert finished.failed_process is not None
    assert finished.failed_process.name == "process_1"


def test_an_adopted_step_can_be_canceled(compute: LocalCompute, launch: Launcher) -> None:
    """The server that started it need not be the one that ends it."""
    asked = launch("echo $$; sleep 600")
    server, handle = serve(asked)
    (pid,) = pids_in(asked.log, 1)
    kill(server)

    compute.cancel(handle)

    assert end_of(compute, handle, seconds=5).reason == "canceled"
    assert gone(pid)


def test_reliability_18_a_step_whose_parent_is_killed_is_lost_and_ended(
    compute: LocalCompute, launch: Launcher
) -> None:
    """Nothing runs on unobserved: neither the command nor children that dropped their environment."""
    asked = launch('echo $$; sleep 600 & echo $!; setsid env -i "$(command -v sleep)" 600 & echo $!; wait')
    handle = compute.start(asked)
    pids = pids_in(asked.log, 3)

    os.kill(handle.pid, signal.SIGKILL)

    finished = end_of(compute, handle)
    assert (finished.exit_code, finished.reason) == (None, "lost")
    assert "killed" in (finished.detail or "")
    assert all(map(gone, pids))
    assert LocalCompute().poll(handle) == finished


def test_a_step_whose_parent_is_killed_can_still_be_canceled(compute: LocalCompute, launch: Launcher) -> None:
    """Then the canceller does the parent's work."""
    asked = launch("sleep 600 & echo $!; echo $$; wait")
    handle = compute.start(asked)
    pids = pids_in(asked.log, 2)
    os.kill(handle.pid, signal.SIGKILL)
    wait_until(lambda: gone(handle.pid))

    compute.cancel(handle)

    wait_until(lambda: all(map(gone, pids)), seconds=5)
    assert end_of(compute, handle).reason == "canceled"


def test_a_killed_parent_takes_the_command_with_it(compute: LocalCompute, launch: Launcher) -> None:
    """Also while no server is there to see it."""
    if worker.find_prctl() is None:
        pytest.skip("needs Linux's parent death signal")
    asked = launch("echo $$; exec sleep 600")
    handle = compute.start(asked)
    (pid,) = pids_in(asked.log, 1)

    os.kill(handle.pid, signal.SIGKILL)

    wait_until(lambda: gone(pid))
    assert end_of(compute, handle).reason == "lost"


def test_a_stopped_parent_hears_a_cancel(compute: LocalCompute, launch: Launcher) -> None:
    """SIGSTOP does not keep a step alive."""
    handle = compute.start(launch("sleep 600"))
    os.kill(handle.pid, signal.SIGSTOP)

    compute.cancel(handle)

    assert end_of(compute, handle, seconds=5).reason == "canceled"


def test_a_parent_that_the_system_ends_leaves_a_lost_step(compute: LocalCompute, launch: Launcher) -> None:
    """A shutdown is no cancel: the step may be run again."""
    asked = launch("echo $$; sleep 600")
    handle = compute.start(asked)
    (pid,) = pids_in(asked.log, 1)

    os.kill(handle.pid, signal.SIGTERM)

    finished = end_of(compute, handle)
    assert finished.reason == "lost"
    assert "signal 15" in (finished.detail or "")
    assert gone(pid)


def test_a_cancel_that_comes_at_once_is_not_missed(compute: LocalCompute, launch: Launcher) -> None:
    """Twenty steps, each canceled as soon as `start` has returned."""
    handles = []
    for _ in range(20):
        handles.append(compute.start(launch("trap '' TERM; sleep 600")))
        compute.cancel(handles[-1])

    assert {end_of(compute, handle, seconds=5).reason for handle in handles} == {"canceled"}


def test_a_daemon_that_keeps_the_log_open_does_not_hold_up_the_step(
    compute: LocalCompute, launch: Launcher
) -> None:
    """It is ended with the step, even if it ignores SIGTERM."""
    asked = launch(
        "(setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' &); sleep 0.3; exit 0"
    )
    handle = compute.start(asked)

    finished = end_of(compute, handle, seconds=10)

    assert finished.succeeded
    assert all(map(gone, pids_in(asked.log, 1)))


def test_reliability_21_a_command_that_the_kernel_ends_for_lack_of_memory_says_so(
    compute: LocalCompute, launch: Launcher, tmp_path: Path
) -> None:
    """A step in a control group of 64 MB that takes more."""
    group = Path("/sys/fs/cgroup/memory") / f"penstock-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 << 20))
    except OSError as problem:
        pytest.skip(f"needs the right to make a memory control group: {problem}")
    take = "x = bytearray(1 << 28)\nfor i in range(0, len(x), 4096): x[i] = 1"
    asked = launch(f"echo $$ > {group}/cgroup.procs; exec '{sys.executable}' -S -c \"{take}\"")

    finished = end_of(compute, compute.start(asked))
    group.rmdir()

    assert finished.signal == 9
    assert "out-of-memory killer" in (finished.detail or "")
