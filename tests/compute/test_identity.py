"""Which process is meant: reused pids, restarted machines, older attempts."""

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compute import processes, worker
from penstock.compute.interface import Handle
from penstock.compute.local import LocalCompute
from penstock.testing.compute_contract import end_of, wait_until
from tests.compute.steps import Launcher, gone


def test_a_reused_pid_is_not_mistaken_for_the_parent(
    compute: LocalCompute, launch: Launcher, tmp_path: Path
) -> None:
    """The pid of a stranger means nothing without the start time: it is neither waited for nor killed."""
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        boot = processes.boot_id()
        handle = Handle("step", tmp_path / "step", stranger.pid, "1", boot, 1)
        handle.folder.mkdir()

        finished = compute.poll(handle)
        compute.cancel(handle)

        assert finished is not None
        assert finished.reason == "lost"
        assert stranger.poll() is None
        stranger.kill()


def test_after_a_reboot_what_had_not_finished_is_lost(compute: LocalCompute, launch: Launcher) -> None:
    """Even if pid and start time agree, it is another boot."""
    asked = launch("sleep 600")
    handle = compute.start(asked)
    before = replace(handle, boot_id="another-boot")

    finished = LocalCompute().poll(before)

    assert finished is not None
    assert finished.reason == "lost"
    assert "restarted" in (finished.detail or "")
    assert not gone(handle.pid)  # a process of this boot is not this step's
    compute.cancel(handle)
    os.kill(handle.pid, signal.SIGUSR1)
    wait_until(lambda: _reaped(compute, handle))


def _reaped(compute: LocalCompute, handle: Handle) -> bool:
    compute.poll(handle)
    return worker.find_process(handle.pid) is None


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"id": "step", "fence": null}'])
def test_a_folder_cut_off_by_a_power_failure_is_lost_not_forgotten(
    compute: LocalCompute, tmp_path: Path, content: str
) -> None:
    """Half a worker.json says that something began; it must not begin again unnoticed."""
    (tmp_path / "worker.json").write_text(content)

    handle = compute.adopt(tmp_path)

    assert handle is not None
    assert end_of(compute, handle).reason == "lost"


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"fence": 1}'])
def test_a_result_that_cannot_be_read_is_no_success(
    compute: LocalCompute, launch: Launcher, content: str
) -> None:
    """The step is lost, and every later question gets the same answer."""
    asked = launch("exit 0")
    handle = compute.start(asked)
    end_of(compute, handle)
    (asked.folder / "result.json").write_text(content)
    observer = LocalCompute()

    finished = end_of(observer, handle)

    assert finished.reason == "lost"
    assert observer.poll(handle) == finished


def test_an_older_attempt_does_not_speak_for_the_folder(compute: LocalCompute, launch: Launcher) -> None:
    """A handle with another fence is lost, and the running attempt goes on undisturbed."""
    asked = launch("while [ ! -e go ]; do sleep 0.02; done", fence=2)
    handle = compute.start(asked)

    stale = compute.poll(replace(handle, pid=1, start_time="0", fence=1))

    assert stale is not None
    assert stale.reason == "lost"
    assert compute.poll(handle) is None
    (asked.cwd / "go").touch()
    assert end_of(compute, handle).succeeded


def test_no_zombie_is_left(compute: LocalCompute, launch: Launcher) -> None:
    """The server that started a small parent reaps it."""
    handles = [compute.start(launch("exit 0")) for _ in range(3)]

    for handle in handles:
        end_of(compute, handle)

    wait_until(lambda: all(_reaped(compute, handle) for handle in handles))
