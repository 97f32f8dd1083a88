"""Snapshots: a local file or folder as a list of digests, named by the digest of that list.

The same content gives the same snapshot wherever it lies and whatever it is called; times and owners do not count.
Empty folders are not kept. Which files of a folder belong to it is said in `ignore.py`; how a folder is walked, in
`folder_walk.py`.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from penstock.errors import InvalidDocument, Problem
from penstock.resources.folder_walk import FoundFile, Unusable, files_below, open_regular
from penstock.resources.project_root import LEAVES_HINT, is_inside, place_of, project_root_of, real
from penstock.resources.safe_paths import is_safe_name, unsafe_part

_DIGEST = re.compile(r"[0-9a-f]{64}")
_URI = re.compile(r"snapshot://([0-9a-f]{64})/([^/?#\s]+)(/?)")


@dataclass(frozen=True)
class SnapshotFile:
    """One file. `path` is relative, with `/`, and empty where the snapshot is a single file.

    `digest` is 64 hex digits (SHA-256), `size` is in bytes.
    """

    path: str
    digest: str
    size: int
    executable: bool


@dataclass(frozen=True)
class Snapshot:
    """A file or a folder as it was when it was read. `files` are sorted by path."""

    name: str
    is_folder: bool
    files: tuple[SnapshotFile, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest. The name is no part of it."""
        return hashlib.sha256(self.manifest()).hexdigest()

    @property
    def uri(self) -> str:
        """`snapshot://<digest>/<name>`, with a slash at the end for a folder."""
        return str(SnapshotUri(self.digest, self.name, self.is_folder))

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def manifest(self) -> bytes:
        """The list of files as canonical JSON: `{"folder": …, "files": [[path, digest, size, executable], …]}`."""
        files = [[file.path, file.digest, file.size, file.executable] for file in self.files]
        text = json.dumps(
            {"folder": self.is_folder, "files": files}, separators=(",", ":"), ensure_ascii=False
        )
        return text.encode()

    @classmethod
    def from_manifest(cls, manifest: bytes, name: str) -> "Snapshot":
        """The snapshot that a manifest describes. It may come from anybody: InvalidDocument if it is not canonical."""
        try:
            record = json.loads(manifest)
            files = tuple(SnapshotFile(*entry) for entry in record["files"])
            snapshot = cls(name, record["folder"], files)
            trouble = _trouble_with(snapshot)
            if trouble is None and snapshot.manifest() != manifest:
                trouble = "it is not written in the canonical form"
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise _bad_manifest("it cannot be read") from error
        if trouble is not None:
            raise _bad_manifest(trouble)
        return snapshot


@dataclass(frozen=True)
class SnapshotUri:
    """`snapshot://<digest>/<name>`: what a document holds in place of a local path once its bytes were uploaded."""

    digest: str
    name: str
    is_folder: bool

    def __str__(self) -> str:
        return f"snapshot://{self.digest}/{quote(self.name, safe='')}" + ("/" if self.is_folder else "")


def parse_snapshot_uri(text: str) -> SnapshotUri | None:
    """The parts of a snapshot URI, None for any other text. The name is one plain part of a path, never more."""
    match = _URI.fullmatch(text)
    if match is None:
        return None
    name = unquote(match[2])
    # Encoded as we encode it, so that one snapshot has one URI; what is not UTF-8 does not come back the same.
    if not is_safe_name(name) or quote(name, safe="") != match[2]:
        return None
    return SnapshotUri(match[1], name, match[3] == "/")


def take_snapshot(
    path: Path, *, apply_ignore: bool = True, project_root: Path | None = None
) -> tuple[Snapshot, Mapping[str, Path]]:
    """Read a file or a folder: its snapshot, and for every digest a local file that has it.

    Links are followed while they stay inside `project_root` (found from `path` when not given; `/` for a path that a
    person named outside of any project). Raises InvalidDocument with all that cannot be read, pointers empty.
    """
    absolute = place_of(path)
    root = real(_root_for(absolute) if project_root is None else project_root)
    troubles = _trouble_with_place(absolute, root)
    if troubles:
        raise InvalidDocument(troubles)
    is_folder = absolute.is_dir()
    found: Iterable[FoundFile] = (
        files_below(absolute, root, apply_ignore=apply_ignore, trouble=troubles.append)
        if is_folder
        else [FoundFile("", absolute, real(absolute))]
    )
    files: list[SnapshotFile] = []
    local: dict[str, Path] = {}
    for each in found:
        try:
            file = digested(each)
        except Unusable as error:
            troubles.append(error.problem)
            continue
        files.append(file)
        local.setdefault(file.digest, each.real)
    if troubles:
        raise InvalidDocument(troubles)
    files.sort(key=lambda file: file.path)
    return Snapshot(absolute.name, is_folder, tuple(files)), local


def _root_for(path: Path) -> Path:
    # A link belongs to the project that it lies in, not to the one that it leads to.
    return project_root_of(path if path.is_dir() and not path.is_symlink() else path.parent)


def _trouble_with_place(path: Path, root: Path) -> list[Problem]:
    """What is wrong with the file or folder itself, before anything in it is read."""
    if not path.exists():
        return [Problem("", f"`{path}` does not exist", code="missing")]
    if not is_safe_name(path.name):
        return [Problem("", f"`{path}` cannot be uploaded: its name holds what a name may not hold")]
    if not is_inside(path, root):
        real = os.path.realpath(path)
        return [
            Problem(
                "",
                f"`{path}` leaves the project: it leads to {real}, and the project is {root}",
                hint=LEAVES_HINT,
            )
        ]
    return []


def digested(found: FoundFile) -> SnapshotFile:
    """The file with the digest of what is in it now. Raises Unusable."""
    with open_regular(found) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        mode = os.fstat(stream.fileno()).st_mode
        return SnapshotFile(found.path, digest, stream.tell(), bool(mode & 0o100))


def _trouble_with(snapshot: Snapshot) -> str | None:
    """What a well-meaning client would never have written, None where all is right."""
    if type(snapshot.is_folder) is not bool:
        return "`folder` is neither true nor false"
    if not snapshot.is_folder and [file.path for file in snapshot.files] != [""]:
        return "a single file has one entry, with an empty path"
    before: Any = None
    folders: set[str] = set()
    for file in snapshot.files:
        if not (
            isinstance(file.path, str) and isinstance(file.digest, str) and _DIGEST.fullmatch(file.digest)
        ):
            return "an entry has no path or no digest"
        if type(file.size) is not int or file.size < 0 or type(file.executable) is not bool:
            return f"the entry of `{file.path}` has no size or no mode"
        if snapshot.is_folder and (unsafe := unsafe_part(file.path)) is not None:
            return f"path `{file.path}` {unsafe}"
        if before is not None and file.path <= before:
            return "its entries are not sorted by path"
        before = file.path
        folders.update(_parents(file.path))
    both = next((file.path for file in snapshot.files if file.path in folders), None)
    return f"`{both}` is a file and a folder" if both else None


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _bad_manifest(trouble: str) -> InvalidDocument:
    return InvalidDocument([Problem("", trouble)], f"this is not the manifest of a snapshot: {trouble}")
