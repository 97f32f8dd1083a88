"""Writing this room's own small files so that they are whole or absent, and a full disk is called by its name."""

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from penstock.errors import PenstockError, StorageFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NOT_OURS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def write_atomically(path: Path, text: str) -> None:
    """Put the text there, whole or not at all, readable by the owner alone (addresses may hold credentials)."""
    with disk_errors_named(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def disk_errors_named(folder: Path) -> Iterator[None]:
    """Turn a full or read-only disk into an error that says where, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise storage_full(folder) from error
        if error.errno in _NOT_OURS:
            raise PenstockError(
                f"environments cannot be written: {error.strerror}",
                details=[f"file: {error.filename or folder}"],
                hint="let the server's user write there, or name another folder with PENSTOCK_HOME",
            ) from error
        raise


def storage_full(folder: Path) -> StorageFull:
    """No space is left for environments."""
    return StorageFull(
        "no space is left on the disk that holds environments",
        details=[f"folder: {folder}"],
        hint="free some space, for example with `penstock gc`, and run the job again",
    )


@contextlib.contextmanager
def locked(
    path: Path, *, shared: bool = False, when_taken: Callable[[], None] | None = None
) -> Iterator[int]:
    """Hold a file lock across threads and processes; yields its descriptor.

    `when_taken` is called where somebody else has it, before waiting; it may raise, to give up instead. A child that
    inherits the descriptor holds the lock too, so what a killed parent started is not run over.
    """
    with disk_errors_named(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if when_taken is not None:
                when_taken()
            fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)
