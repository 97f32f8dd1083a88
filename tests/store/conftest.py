"""A database of its own for each test, and a small file system for those that need a full one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.store.database import Database, open_database

pytest.register_assert_rewrite(
    "penstock.testing.store_contract",
    "penstock.testing.records_contract",
    "penstock.testing.artifact_contract",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "penstock.db")
    yield database
    database.close()


class SmallDisk:
    """A file system of 2 MiB that a test fills, empties and write-protects."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, leave: int = 0) -> None:
        """Take all room, but for `leave` bytes (rounded to pages)."""
        ballast = self.path / "ballast"
        with ballast.open("ab", buffering=0) as stream:
            for size in (65_536, 4096, 1):
                try:
                    while True:
                        stream.write(b"\0" * size)
                except OSError:
                    continue
        if leave:
            os.truncate(ballast, max(0, ballast.stat().st_size - leave))

    def empty(self) -> None:
        (self.path / "ballast").unlink()

    def write_protect(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Real: a tmpfs, where this user may mount one."""
    place = tmp_path / "small-disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"this user cannot mount a file system: {mounted.stderr.strip().splitlines()[:1]}")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)
