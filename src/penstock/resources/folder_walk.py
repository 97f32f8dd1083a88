"""Walking the files of a folder that is about to be uploaded: links followed, but not out of the project, nor in circles."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from penstock.errors import Problem
from penstock.resources.ignore import ALWAYS_LEFT_OUT, IgnoreRules
from penstock.resources.project_root import LEAVES_HINT, is_inside
from penstock.resources.safe_paths import unsafe_part

MOST_FILES = 1_000_000
"""Folders linked into each other can describe more files than there are; nobody uploads this many on purpose."""

_LEAVE_IT_OUT = "remove it, or leave it out with a line in .amlignore"


@dataclass(frozen=True)
class FoundFile:
    """A file to upload: its path in the snapshot, as a person finds it, and with all links resolved."""

    path: str
    local: Path
    real: Path


class Unusable(Exception):
    """A file or folder that cannot be uploaded. Carries the problem, without a pointer."""

    def __init__(self, what: str, why: str, hint: str | None = _LEAVE_IT_OUT) -> None:
        super().__init__(f"{what} {why}")
        self.problem = Problem("", f"{what} {why}", hint=hint, code="invalid")


@dataclass(frozen=True)
class _Folder:
    path: str  # relative, empty or with a slash at the end
    local: str
    real: str
    above: frozenset[tuple[int, int]]  # device and inode of this folder and of those that it is in


def files_below(
    folder: Path, root: Path, *, apply_ignore: bool, trouble: Callable[[Problem], None]
) -> Iterator[FoundFile]:
    """Every file of a folder that its ignore file does not leave out; what stands in the way goes to `trouble`."""
    try:
        rules = IgnoreRules.of(folder) if apply_ignore else IgnoreRules()
        todo = [_root_folder(folder, root)]
    except OSError as error:
        trouble(_unreadable(str(folder), error).problem)
        return
    except Unusable as error:
        trouble(error.problem)
        return
    count = 0
    while todo:
        here = todo.pop()
        try:
            entries = sorted(os.scandir(here.local), key=lambda entry: entry.name)
        except OSError as error:
            if not rules.leaves_out(here.path):
                trouble(_unreadable(here.local, error).problem)
            continue
        for entry in entries:
            if entry.name in ALWAYS_LEFT_OUT:
                continue
            is_folder = _leads_to_folder(entry)
            path = here.path + entry.name + ("/" if is_folder else "")
            left_out = rules.leaves_out(path)
            if left_out and (rules.can_prune or not is_folder):
                continue
            try:
                if is_folder:
                    todo.append(_subfolder(here, entry, path, root))
                else:
                    count += 1
                    yield FoundFile(path, Path(entry.path), Path(_real_path(here, entry, path, root)))
            except Unusable as error:
                if not left_out:
                    trouble(error.problem)
            if count > MOST_FILES:
                trouble(Problem("", f"{folder} holds more than {MOST_FILES:,} files", hint=_LEAVE_IT_OUT))
                return


def open_regular(found: FoundFile) -> BufferedReader:
    """The file, open for reading. Raises Unusable for what cannot be read, and for pipes, sockets and devices."""
    try:
        # NOFOLLOW: links were resolved and checked; one that appears now was swapped in. NONBLOCK: a pipe would wait.
        descriptor = os.open(found.real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(str(found.local), error) from error
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise Unusable(f"`{found.local}`", "is a pipe, socket or device, and no file")
    return stream


def _root_folder(folder: Path, root: Path) -> _Folder:
    if not is_inside(folder, root):
        raise _leaves(str(folder), os.path.realpath(folder), root)
    return _Folder("", str(folder), os.path.realpath(folder), frozenset({_identity(str(folder))}))


def _subfolder(parent: _Folder, entry: "os.DirEntry[str]", path: str, root: Path) -> _Folder:
    real = _real_path(parent, entry, path.rstrip("/"), root)
    try:
        identity = _identity(real)
    except OSError as error:
        raise _unreadable(entry.path, error) from error
    if identity in parent.above:
        raise Unusable(f"link `{entry.path}`", "leads back to a folder that it lies in")
    return _Folder(path, entry.path, real, parent.above | {identity})


def _real_path(parent: _Folder, entry: "os.DirEntry[str]", path: str, root: Path) -> str:
    """Where an entry really lies, links resolved; checked against the project's root."""
    trouble = unsafe_part(path)
    if trouble is not None:
        raise Unusable(f"`{_printable(entry.path)}`", f"cannot be uploaded: its path {trouble}")
    if not entry.is_symlink():
        return f"{parent.real}/{entry.name}"
    real = os.path.realpath(entry.path)
    if not Path(real).exists():
        raise Unusable(f"link `{entry.path}`", f"leads nowhere: there is no {Path(entry.path).readlink()}")
    if not is_inside(Path(real), root):
        raise _leaves(entry.path, real, root)
    return real


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: no folder, and `_real_path` says so
        return False


def _identity(folder: str) -> tuple[int, int]:
    status = Path(folder).stat()
    return status.st_dev, status.st_ino


def _leaves(link: str, real: str, root: Path) -> Unusable:
    return Unusable(
        f"link `{link}`", f"leaves the project: it leads to {real}, and the project is {root}", LEAVES_HINT
    )


def _unreadable(path: str, error: OSError) -> Unusable:
    return Unusable(f"`{_printable(path)}`", f"cannot be read: {error.strerror or error}")


def _printable(path: str) -> str:
    """A path that can be printed, whatever bytes and control characters its names hold."""
    return "".join(char if char.isprintable() else "?" for char in os.fsencode(path).decode(errors="replace"))
