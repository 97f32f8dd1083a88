"""Knowing that what was laid out for many readers is still what it was, without reading it all again."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import Conflict
from penstock.resources.snapshots import Snapshot, SnapshotFile
from penstock.store import beneath

FILE_MODE = 0o444
FOLDER_MODE = 0o555


@dataclass(frozen=True)
class LaidOut:
    """A note in `books`: this snapshot was laid out at `place`, and then its files looked like this.

    The look of a file is its inode, size, mode and times. The time of its last change (`ctime`) cannot be set back, so
    whoever writes to a file leaves a trace, however careful. A note without a look says that the place is ours and was
    not finished.
    """

    books: Path
    place: Path
    snapshot: str

    def claim(self) -> None:
        """Say that the place is ours, before anything is there."""
        self._write(None)

    def write(self) -> None:
        """Remember how what is there looks now."""
        self._write(look_of(self.place))

    def is_ours(self) -> bool:
        return self._read() is not None

    def still_holds(self) -> bool:
        """Whether all is there and was left alone."""
        note = self._read()
        if note is None or note["look"] is None:
            return False
        try:
            return bool(note["look"] == look_of(self.place))
        except FileNotFoundError:  # somebody is removing it
            return False

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    @classmethod
    def all_in(cls, books: Path) -> Iterator["LaidOut"]:
        for path in (books / "places").glob("*.json"):
            note = _note_in(path)
            if note is not None:
                yield cls(books, Path(note["place"]), note["snapshot"])

    @property
    def _path(self) -> Path:
        return (
            self.books / "places" / (hashlib.sha256(os.fsencode(self.place.absolute())).hexdigest() + ".json")
        )

    def _read(self) -> dict[str, Any] | None:
        note = _note_in(self._path)
        return note if note is not None and note["snapshot"] == self.snapshot else None

    def _write(self, look: str | None) -> None:
        path = self._path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".unfinished")
        note = {"place": str(self.place.absolute()), "snapshot": self.snapshot, "look": look}
        try:
            unfinished.write_text(json.dumps(note), encoding="utf-8", errors="surrogateescape")
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _note_in(path: Path) -> dict[str, Any] | None:
    """The note, None where there is none that can be read: it only saves work."""
    try:
        note = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (FileNotFoundError, ValueError):
        return None
    return note if isinstance(note, dict) and {"place", "snapshot", "look"} <= note.keys() else None


def look_of(place: Path) -> str:
    """A digest of how everything at and beneath `place` looks. FileNotFoundError where nothing is."""
    hashed = hashlib.sha256()
    for path in (str(place), *_beneath(str(place))):
        status = os.lstat(path)
        facts = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        hashed.update(repr((path, *facts)).encode(errors="surrogateescape"))
    return hashed.hexdigest()


def _beneath(folder: str) -> Iterator[str]:
    if not stat.S_ISDIR(os.lstat(folder).st_mode):
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        yield entry.path
        if entry.is_dir(follow_symlinks=False):
            yield from _beneath(entry.path)


def same_content(place: Path, snapshot: Snapshot) -> bool:
    """Whether exactly the snapshot is there, every byte read, with the modes of what is for many readers."""
    expected = {file.path: file for file in snapshot.files}
    try:
        if not snapshot.is_folder:
            with beneath.folder(place.parent) as outer:
                return _is_same(place.name, outer, expected[""])
        return not place.is_symlink() and place.is_dir() and _same_tree(place, expected)
    except (FileNotFoundError, Conflict):  # gone, or something that is no file of ours
        return False


def _same_tree(place: Path, expected: dict[str, SnapshotFile]) -> bool:
    folders = {""} | {str(each) for path in expected for each in list(Path(path).parents)[:-1]}
    seen = set()
    for found, inner, names, descriptor in os.fwalk(place, follow_symlinks=False):
        here = os.path.relpath(found, place)
        prefix = "" if here == "." else here + "/"
        if prefix.rstrip("/") not in folders or stat.S_IMODE(os.fstat(descriptor).st_mode) != FOLDER_MODE:
            return False
        if any(prefix + name not in folders or _is_link(name, descriptor) for name in inner):
            return False
        for name in names:
            file = expected.get(prefix + name)
            if file is None or not _is_same(name, descriptor, file):
                return False
            seen.add(file.path)
    return seen == expected.keys()


def _is_link(name: str, outer: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=outer, follow_symlinks=False).st_mode)


def _is_same(name: str, outer: int, file: SnapshotFile) -> bool:
    descriptor = beneath.open_file(name, outer)
    with os.fdopen(descriptor, "rb") as stream:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != (FOLDER_MODE if file.executable else FILE_MODE):
            return False
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.digest
