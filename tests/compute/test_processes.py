"""Naming processes, and finding what belongs to a step."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compute import local, processes, worker
from penstock.compute.local import LocalCompute
from penstock.testing.compute_contract import end_of, wait_until
from tests.compute.steps import Launcher, gone, pids_in

# The small parent as it runs where there is no /proc and nobody adopts orphans; the local compute's other way.
_WITHOUT_PROC = "import worker; worker.LINUX = False; "
_WITHOUT_PRCTL = "import worker; worker.find_prctl = lambda: None; "


def _own() -> processes.ProcessIdentity:
    identity = processes.identity_of(os.getpid())
    assert identity is not None
    return identity


def test_a_running_process_has_an_identity_that_holds() -> None:
    """Asked twice, it is the same."""
    assert _own() == _own()
    assert processes.is_running(_own())


@pytest.mark.parametrize(
    "change", [{"start_time": "1"}, {"boot_id": "another"}, {"pid": 0}, {"pid": 2**22 + 5}]
)
def test_another_process_is_not_taken_for_this_one(change: dict[str, object]) -> None:
    """Pid, start time and boot must all agree."""
    other = replace(_own(), **change)  # type: ignore[arg-type]

    assert not processes.is_running(other)
    assert not processes.send_signal(other, 0)


def test_a_zombie_does_not_run() -> None:
    """It holds its pid until somebody reaps it, but nothing runs there any more."""
    with subprocess.Popen(["/bin/sleep", "600"]) as child:
        identity = processes.identity_of(child.pid)
        assert identity is not None

        child.kill()

        wait_until(lambda: not processes.is_running(identity))
        assert processes.identity_of(child.pid) is None


def test_a_name_with_parentheses_and_spaces_is_read_right(tmp_path: Path) -> None:
    """/proc/<pid>/stat puts the name in the middle, unescaped."""
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "600"]) as child:
        process = worker.find_process(child.pid)

        assert process is not None
        assert (process.pid, process.parent, process.zombie) == (child.pid, os.getpid(), False)
        child.kill()


def test_descendants_are_found_through_generations_and_loops() -> None:
    """Also in a table that was read while processes came and went."""
    table = [
        worker.Process(pid, parent, pid, False, "")
        for pid, parent in ((2, 1), (3, 2), (4, 3), (5, 9), (9, 5))
    ]

    assert sorted(process.pid for process in worker.descendants_of({2}, table)) == [3, 4]
    assert sorted(process.pid for process in worker.descendants_of({5}, table)) == [9]


def test_ps_tells_the_same_as_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc, `ps` is asked, under whatever locale and time zone."""
    if not worker.LINUX:
        pytest.skip("compares the two, and there is no /proc here")
    direct = worker.find_process(os.getpid())
    monkeypatch.setattr(worker, "LINUX", False)

    by_ps = worker.find_process(os.getpid())
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    elsewhere = worker.find_process(os.getpid())

    assert direct is not None
    assert by_ps is not None
    assert elsewhere is not None
    assert (by_ps.parent, by_ps.group, by_ps.zombie) == (direct.parent, direct.group, direct.zombie)
    assert by_ps.start_time == elsewhere.start_time != ""
    assert os.getpid() in {process.pid for process in worker.all_processes()}
    assert worker.find_process(2**22 + 5) is None


def test_only_processes_of_the_step_are_ended() -> None:
    """The marker must match as a whole: another step's name may begin with this one's."""
    with (
        subprocess.Popen(["/bin/sleep", "600"], env={"PENSTOCK_STEP": "train/1"}) as mine,
        subprocess.Popen(["/bin/sleep", "600"], env={"PENSTOCK_STEP": "train/12"}) as longer,
        subprocess.Popen(["/bin/sleep", "600"], env={"XPENSTOCK_STEP": "train/1"}) as other,
    ):
        wait_until(
            lambda: all(
                b"sleep" in Path(f"/proc/{p.pid}/cmdline").read_bytes() for p in (mine, longer, other)
            )
        )

        left = processes.end_step_processes("train/1")

        assert left == ()
        assert mine.wait() == -signal.SIGKILL
        assert longer.poll() is other.poll() is None
        longer.kill()
        other.kill()


@pytest.mark.parametrize("way", [_WITHOUT_PROC, _WITHOUT_PRCTL], ids=["without-proc", "without-prctl"])
def test_without_the_help_of_linux_the_descendants_are_ended_too(
    launch: Launcher, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their group, their parents, and (where it can be read) their environment."""
    before, importing, after = local._BOOT.partition("import worker")
    monkeypatch.setattr(local, "_BOOT", before + way + importing + after)
    if way == _WITHOUT_PROC:
        monkeypatch.setattr(worker, "LINUX", False)
        monkeypatch.setattr(processes, "boot_id", worker.boot_id)
    stubborn = "trap '' TERM; echo $$; while :; do sleep 0.05; done"
    asked = launch("", argv=("/bin/sh", "-c", 'sh -c "$0" & (sh -c "$0" &); eval "$0"', stubborn))
    compute = LocalCompute(grace=0.3)
    handle = compute.start(asked)
    pids = pids_in(asked.log, 3)

    compute.cancel(handle)

    wait_until(lambda: all(map(gone, pids)), seconds=5)
    assert end_of(compute, handle).reason == "canceled"


def test_the_boot_is_named() -> None:
    """Some text that two processes agree on."""
    code = "from penstock.compute import worker, worker; print(worker.boot_id())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == processes.boot_id() != ""
