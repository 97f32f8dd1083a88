"""The snapshot of a component's code together with its `additional_includes`.

Each include stands at the top of the snapshot under its own name; folders of one name become one. Code comes first and
then the includes in their order: of two files in one place the later one stays, and a warning names both. What the
ignore file of the code leaves out is left out of the includes too, and a folder's own ignore file counts for that folder.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.errors import InvalidDocument, Problem
from penstock.resources.folder_walk import FoundFile, Unusable, files_below, open_regular
from penstock.resources.ignore import IgnoreRules
from penstock.resources.local_paths import Include, LocalPath
from penstock.resources.project_root import real
from penstock.resources.snapshots import Snapshot, SnapshotFile, digested, take_snapshot

# The earliest time that a zip file can hold: the same files make the same archive on every day.
_NO_TIME = (1980, 1, 1, 0, 0, 0)

Content = Path | bytes


@dataclass(frozen=True)
class Taken:
    """A snapshot, what has the content of each of its digests, and what its owner should know about it."""

    snapshot: Snapshot
    contents: Mapping[str, Content]
    warnings: tuple[Problem, ...] = ()


def take(local: LocalPath) -> Taken:
    """The snapshot of a local path. Raises InvalidDocument; pointers that are empty mean the path itself."""
    if not local.includes:
        snapshot, files = take_snapshot(local.path, project_root=local.root)
        return Taken(snapshot, dict(files))
    merging = _Merging(local)
    if local.role != "includes":
        merging.add(Include(local.pointer, local.path, ""))
    for include in local.includes:
        merging.add(include)
    return merging.taken()


class _Merging:
    """One component's code on its way to a snapshot."""

    def __init__(self, local: LocalPath) -> None:
        self._local = local
        self._root = real(local.root)
        has_code = local.role != "includes" and local.path.is_dir()
        self._of_code = IgnoreRules.of(local.path) if has_code else IgnoreRules()
        self._files: dict[str, tuple[SnapshotFile, Content, str]] = {}
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []

    def add(self, include: Include) -> None:
        """Put the files of an include, or of the code itself (which has no name), into their places."""
        found = self._zipped(include) if include.is_zipped else self._found(include)
        for path, file, content in found:
            before = self._files.get(path)
            if before is not None and before[0].digest != file.digest:
                message = (
                    f"`{path}` of the code is that of {include.path}: it stands in for that of {before[2]}"
                )
                self._warnings.append(Problem(include.pointer, message))
            self._files[path] = (replace(file, path=path), content, str(include.path))

    def taken(self) -> Taken:
        self._refuse_files_that_are_folders()
        if self._problems:
            raise InvalidDocument(self._problems)
        files = tuple(file for _, (file, _, _) in sorted(self._files.items()))
        contents = {file.digest: content for file, content, _ in self._files.values()}
        return Taken(Snapshot(self._local.path.name, True, files), contents, tuple(self._warnings))

    def _found(self, include: Include) -> Iterator[tuple[str, SnapshotFile, Content]]:
        for found in self._walk(include):
            path = f"{include.name}/{found.path}".strip("/")
            if include.name and (self._of_code.leaves_out(path) or self._of_code.leaves_out(found.path)):
                continue
            try:
                yield path, digested(found), found.real
            except Unusable as error:
                self._problems.append(replace(error.problem, pointer=include.pointer))

    def _walk(self, include: Include) -> Iterator[FoundFile]:
        if not include.path.is_dir():
            name = "" if include.name else include.path.name
            yield FoundFile(name, include.path, real(include.path))
            return
        yield from files_below(
            include.path,
            self._root,
            apply_ignore=True,
            trouble=lambda problem: self._problems.append(replace(problem, pointer=include.pointer)),
        )

    def _zipped(self, include: Include) -> Iterator[tuple[str, SnapshotFile, Content]]:
        """One archive of a folder, which is in it under its own name."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as stream:
            for found in sorted(self._walk(include), key=lambda found: found.path):
                if self._of_code.leaves_out(found.path):
                    continue
                try:
                    with open_regular(found) as content:
                        entry = zipfile.ZipInfo(f"{include.path.name}/{found.path}", _NO_TIME)
                        entry.external_attr = 0o644 << 16
                        stream.writestr(entry, content.read())
                except Unusable as error:
                    self._problems.append(replace(error.problem, pointer=include.pointer))
        content_ = archive.getvalue()
        digest = hashlib.sha256(content_).hexdigest()
        yield include.name, SnapshotFile(include.name, digest, len(content_), False), content_

    def _refuse_files_that_are_folders(self) -> None:
        for path in self._files:
            for depth in range(1, path.count("/") + 1):
                folder = "/".join(path.split("/")[:depth])
                if folder in self._files:
                    message = f"`{folder}` would be a file ({self._files[folder][2]}) and a folder ({self._files[path][2]})"
                    self._problems.append(Problem(self._local.pointer, message, hint="rename one of them"))
                    return
