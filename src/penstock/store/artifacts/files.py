"""Artifacts as files: `sha256/ab/<digest>`, read-only, each put there by one rename."""

import fcntl
import hashlib
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from penstock.errors import Conflict, NotFound
from penstock.store import beneath
from penstock.store.artifacts.interface import (
    ArtifactStore,
    Blob,
    DamagedArtifact,
    checked_digest,
    other_content,
)
from penstock.store.failures import disk_told_plainly

_SHELVES = "sha256"
_UNFINISHED = "unfinished"


class FileArtifacts(ArtifactStore):
    """Artifacts in a folder of a local disk. The folder is made with the first artifact."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tidy = False

    def put(self, digest: str, chunks: Iterable[bytes]) -> int:
        """See `ArtifactStore`. The bytes, and their name, are on the disk when it returns."""
        checked_digest(digest)
        with disk_told_plainly(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (
                beneath.folder(self._folder) as root,
                beneath.folder_beneath(root, (_UNFINISHED,), make_mode=0o700) as desk,
                beneath.folder_beneath(root, (_SHELVES, digest[:2]), make_mode=0o700) as shelf,
                _unfinished_file(desk) as (name, descriptor),
            ):
                self._sweep(desk)
                hashed, size = hashlib.sha256(), 0
                for chunk in chunks:
                    beneath.write_all(descriptor, chunk)
                    hashed.update(chunk)
                    size += len(chunk)
                if hashed.hexdigest() != digest:
                    raise other_content(digest, hashed.hexdigest())
                os.fchmod(descriptor, 0o444)
                os.fsync(descriptor)
                os.rename(name, digest, src_dir_fd=desk, dst_dir_fd=shelf)
                os.fsync(shelf)
        return size

    def open(self, digest: str) -> BinaryIO:
        with disk_told_plainly(self._folder):
            try:
                with self._shelf(digest) as shelf:
                    descriptor = beneath.open_file(digest, shelf)
            except FileNotFoundError:
                raise NotFound(
                    f"artifact {digest} was not found",
                    details=(f"looked in: {self._path(digest)}",),
                    hint="send the document again: what is missing is uploaded with it",
                ) from None
            return cast(BinaryIO, _VerifyingReader(descriptor, digest, self._path(digest)))

    def has(self, digest: str) -> bool:
        with disk_told_plainly(self._folder):
            try:
                with self._shelf(digest) as shelf:
                    os.stat(digest, dir_fd=shelf, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def delete(self, digest: str) -> None:
        with disk_told_plainly(self._folder):
            try:
                with self._shelf(digest) as shelf:
                    os.unlink(digest, dir_fd=shelf)
            except FileNotFoundError:
                return

    def listing(self) -> Iterator[Blob]:
        for path in (self._folder / _SHELVES).glob("??/*"):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            yield Blob(path.name, status.st_size, status.st_mtime)

    def _path(self, digest: str) -> Path:
        return self._folder / _SHELVES / digest[:2] / digest

    @contextmanager
    def _shelf(self, digest: str) -> Iterator[int]:
        checked_digest(digest)
        with (
            beneath.folder(self._folder) as root,
            beneath.folder_beneath(root, (_SHELVES, digest[:2])) as shelf,
        ):
            yield shelf

    def _sweep(self, desk: int) -> None:
        """Remove what a process that was killed left half-written; one that lives holds a lock on its file."""
        if self._tidy:
            return
        self._tidy = True
        for name in os.listdir(desk):
            try:
                descriptor = beneath.open_file(name, desk)
            except (FileNotFoundError, Conflict):
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=desk)
            except (BlockingIOError, FileNotFoundError):
                continue  # somebody is writing it, or has just finished
            finally:
                os.close(descriptor)


@contextmanager
def _unfinished_file(desk: int) -> Iterator[tuple[str, int]]:
    """A new file on the desk, under our lock; gone when the block ends, unless the block has renamed it."""
    while True:
        name = secrets.token_hex(16)
        descriptor = beneath.create_file(name, desk, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # swept in the moment before we had the lock
    try:
        yield name, descriptor
    finally:
        try:
            os.unlink(name, dir_fd=desk)
        except FileNotFoundError:
            pass  # it has its place on a shelf
        finally:
            os.close(descriptor)


class _VerifyingReader(io.RawIOBase):
    """Reads a file to its end and there compares what it has read with the digest."""

    def __init__(self, descriptor: int, digest: str, path: Path) -> None:
        self._file = io.FileIO(descriptor, "rb")
        self._digest = digest
        self._path = path
        self._hashed = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        if count:
            self._hashed.update(memoryview(buffer)[:count])
        elif len(buffer) and self._hashed.hexdigest() != self._digest:
            raise DamagedArtifact(
                f"artifact {self._digest} is damaged: its bytes are not those that were kept",
                details=(f"file: {self._path}", f"their digest: {self._hashed.hexdigest()}"),
                hint=f"remove {self._path} and send the document again: the file is uploaded anew",
            )
        return count or 0

    def close(self) -> None:
        self._file.close()
        super().close()
