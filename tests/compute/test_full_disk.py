"""A disk that is full, or gone, does not lose how a step ended."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.compute.local import LocalCompute
from penstock.errors import StorageFull
from penstock.testing.compute_contract import end_of, wait_until
from tests.compute.steps import Launcher


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 512 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "penstock-test", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a small filesystem: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


def test_reliability_21_a_full_disk_does_not_lose_the_result(
    compute: LocalCompute, launch: Launcher, small_disk: Path
) -> None:
    """The result was given its space at the start; what is missing in the log is said."""
    asked = launch(
        "while [ ! -e go ]; do sleep 0.02; done; yes | head -c 300000; exit 7",
        folder=small_disk / "state",
        log=small_disk / "log.txt",
    )
    handle = compute.start(asked)
    _fill(small_disk)
    (asked.cwd / "go").touch()

    finished = end_of(compute, handle)

    assert (finished.exit_code, finished.reason) == (7, "exited")
    assert "could not be written to disk" in (finished.detail or "")
    assert LocalCompute().poll(handle) == finished


def test_reliability_21_a_step_does_not_start_on_a_full_disk(
    compute: LocalCompute, launch: Launcher, small_disk: Path
) -> None:
    """It says so, and leaves nothing behind: with space again the same launch works."""
    asked = launch("echo run >> runs", folder=small_disk / "state")
    asked.folder.mkdir()
    _fill(small_disk)

    with pytest.raises(StorageFull, match="no space"):
        compute.start(asked)

    assert list(asked.folder.iterdir()) == []
    (small_disk / "filler").unlink()
    assert end_of(compute, compute.start(asked)).succeeded
    assert (asked.cwd / "runs").read_text() == "run\n"


def test_without_a_place_for_the_result_the_exit_code_is_still_known(
    compute: LocalCompute, launch: Launcher
) -> None:
    """Somebody deletes the folder while the step runs: the small parent ends with the command's own code."""
    asked = launch("while [ ! -e go ]; do sleep 0.02; done; exit 9")
    handle = compute.start(asked)
    wait_until(lambda: "command_pid" in (asked.folder / "worker.json").read_text())
    shutil.rmtree(asked.folder)
    (asked.cwd / "go").touch()

    finished = end_of(compute, handle)

    assert (finished.exit_code, finished.reason) == (9, "exited")
    assert "only the exit code is known" in (finished.detail or "")
    assert compute.poll(handle) == finished
