"""Copying an artifact into a file, and knowing that the file has the right bytes."""

import errno
import hashlib
import io
import os

from penstock.errors import InvalidDocument, NotFound, Problem
from penstock.store.artifacts.interface import ArtifactStore, DamagedArtifact
from penstock.store.beneath import write_all

_CHUNK = 1024 * 1024
_MOST_AT_ONCE = 1 << 30
_CANNOT = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF})


def copy_verified(artifacts: ArtifactStore, digest: str, target: int, size: int, shown: str) -> None:
    """Write the artifact into the empty file `target`. `shown` names the file in an error, as a person knows it."""
    try:
        with artifacts.open(digest) as source:
            done = _cloned(source, target) and _digest_of(target) == digest
        if not done:
            _copied(artifacts, digest, target)
    except DamagedArtifact as error:
        raise DamagedArtifact(
            f"{shown} is damaged", details=(error.message, *error.details), hint=error.hint
        ) from error
    except NotFound as error:
        raise NotFound(
            f"{shown} was not found", details=(error.message, *error.details), hint=error.hint
        ) from error
    if os.fstat(target).st_size != size:
        raise InvalidDocument(
            [Problem("", f"{shown} has {os.fstat(target).st_size} bytes, its manifest says {size}")]
        )


def _cloned(source: object, target: int) -> bool:
    """Let the kernel copy, where source is a file: on file systems that can, both then share blocks until one writes."""
    if not hasattr(os, "copy_file_range"):  # not on macOS
        return False
    try:
        descriptor = source.fileno()  # type: ignore[attr-defined]
    except (OSError, AttributeError):  # a stream over memory or a network
        return False
    position = 0
    try:
        while count := os.copy_file_range(descriptor, target, _MOST_AT_ONCE, position, position):
            position += count
    except OSError as error:
        if error.errno in _CANNOT and position == 0:
            return False
        raise
    return position > 0


def _digest_of(target: int) -> str:
    """Of what was written, which is what will be read."""
    os.lseek(target, 0, os.SEEK_SET)
    with io.FileIO(target, "rb", closefd=False) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copied(artifacts: ArtifactStore, digest: str, target: int) -> None:
    """By hand. The stream verifies what it gives, and says which file is damaged."""
    os.ftruncate(target, 0)
    os.lseek(target, 0, os.SEEK_SET)
    with artifacts.open(digest) as source:
        while chunk := source.read(_CHUNK):
            write_all(target, chunk)
