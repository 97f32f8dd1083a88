"""Opening and removing what is beneath a folder, without ever following a link.

Checking a path and then opening it leaves a moment in which somebody swaps a part of it for a link. So nothing is
checked: every part is opened in the folder that was opened before it, and the kernel refuses links (`O_NOFOLLOW`).
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import Conflict

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LINK_REFUSED = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})


@contextmanager
def folder(path: Path) -> Iterator[int]:
    """A descriptor of the folder at `path`, which may be reached through links: where it is, its owner has chosen."""
    descriptor = os.open(path, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def folder_beneath(root: int, parts: Sequence[str], *, make_mode: int | None = None) -> Iterator[int]:
    """A descriptor of the folder that `parts` lead to; those that are absent are made where `make_mode` is given."""
    descriptor = os.dup(root)
    try:
        for part in parts:
            inner = _step(descriptor, part, make_mode)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _step(outer: int, part: str, make_mode: int | None) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=outer)
    except FileNotFoundError:
        if make_mode is None:
            raise
    except OSError as error:
        raise _refused(part, error) from error
    with suppress(FileExistsError):  # another one made it meanwhile, which is as good
        os.mkdir(part, make_mode, dir_fd=outer)
    return _step(outer, part, None)


def open_file(name: str, outer: int) -> int:
    """A descriptor to read the regular file `name` in the folder `outer`. A link, a pipe or a device is refused."""
    try:
        # Non-blocking: opening a pipe that somebody put there must not wait for its other end.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=outer)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(name, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_ours(name)
    return descriptor


def create_file(name: str, outer: int, mode: int) -> int:
    """A descriptor to write (and read back) a new file. FileExistsError where anything, a link too, has the name."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, mode, dir_fd=outer)


def write_all(descriptor: int, chunk: bytes) -> None:
    """All of it: a single write may stop in the middle."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def remove_tree(path: Path) -> None:
    """A file, a link (not what it leads to), or a folder with all in it, write-protected folders too. Absent is fine."""
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_folder:
        path.unlink()
        return
    for _, _, _, descriptor in os.fwalk(path, follow_symlinks=False):
        os.fchmod(descriptor, 0o700)
    shutil.rmtree(path)


def _refused(name: str, error: OSError) -> Exception:
    return _not_ours(name) if error.errno in _LINK_REFUSED else error


def _not_ours(name: str) -> Conflict:
    return Conflict(
        f"`{name}` in Penstock's folder is a link or a special file, which Penstock never makes",
        hint="find out who put it there, and remove it",
    )
