"""Looking into a folder before it becomes an mltable asset: is its MLTable file valid, and is there what it names?"""

from collections.abc import Iterator

from penstock.errors import InvalidDocument, Problem
from penstock.provided.mltable.paths import is_address, pattern_of
from penstock.resources import references as refs
from penstock.resources.mltable_file import FILE_NAME, MLTableFile, PathItem, parse_mltable, placed
from penstock.resources.model_base import warnings_within
from penstock.resources.snapshots import Snapshot, SnapshotUri, parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs.lookup import WorkspaceLookup

_LARGEST = 1_000_000
"""Bytes of an MLTable file."""


def check(platform: Platform, lookup: WorkspaceLookup, path: str, *, skip_validation: bool) -> list[Problem]:
    """Warnings about the folder's MLTable file; InvalidDocument where the folder cannot be a table.

    With `skip_validation` it only must hold the file. A folder in a datastore is looked into where it is there; an address
    is taken as it is.
    """
    snapshot = parse_snapshot_uri(path)
    if snapshot is not None and snapshot.is_folder:
        return _check_uploaded(platform, snapshot, skip_validation=skip_validation)
    reference = refs.parse_reference(path, "data")
    if isinstance(reference, refs.DatastorePath) and not skip_validation:
        folder = lookup.place(reference).path
        if (folder / FILE_NAME).is_file():
            name = f"{folder.name}/{FILE_NAME}"
            table, source = parse_mltable((folder / FILE_NAME).read_bytes(), name)
            return placed([*warnings_within(table)], source, name)
        if folder.exists():
            raise _no_table(path)
    return []


def _check_uploaded(platform: Platform, uri: SnapshotUri, *, skip_validation: bool) -> list[Problem]:
    snapshot = platform.checkouts.load(uri.digest)
    found = next((file for file in snapshot.files if file.path == FILE_NAME), None)
    if found is None:
        raise _no_table(uri.name, [file.path for file in snapshot.files])
    if skip_validation:
        return []
    name = f"{uri.name}/{FILE_NAME}"
    if found.size > _LARGEST:
        raise InvalidDocument([Problem("/path", f"{name} is larger than {_LARGEST // 1_000_000} MB")])
    with platform.artifacts.open(found.digest) as stream:
        content = stream.read()
    table, source = parse_mltable(content, name)
    problems = list(_absent(table, snapshot))
    if problems:
        raise InvalidDocument(placed(problems, source, name))
    return placed([*warnings_within(table)], source, name)


def _no_table(folder: str, names: list[str] | None = None) -> InvalidDocument:
    near = next((name for name in names or () if name.rpartition("/")[2].lower().startswith("mltable")), None)
    hint = f"it holds `{near}`: " if near else ""
    hint += f"the file must be called exactly `{FILE_NAME}` and lie directly in the folder; --skip-validation does not help"
    problem = Problem("/path", f"`{folder}` holds no file named `{FILE_NAME}`", hint=hint, code="missing")
    return InvalidDocument([problem])


def _absent(table: MLTableFile, snapshot: Snapshot) -> Iterator[Problem]:
    """Local paths that lead out of the folder, or to nothing that was uploaded."""
    names = [file.path for file in snapshot.files]
    for index, item in enumerate(table.paths):
        kind, text = _given(item)
        pointer = f"/paths/{index}/{kind}"
        if is_address(text):
            continue
        if text.startswith(("/", "~", "file:")):
            hint = "give a path relative to the MLTable file, or a place in a datastore"
            yield Problem(pointer, f"`{text}` is a place on one machine", hint=hint)
            continue
        parts = _inside(text)
        if parts is None:
            hint = "move the data into the folder, or register the folder around both"
            yield Problem(pointer, f"`{text}` leads out of the folder, and is not uploaded", hint=hint)
        elif not _is_there(kind, "/".join(parts), names):
            hint = "an .amlignore or .gitignore file in the folder may leave it out"
            yield Problem(pointer, f"`{kind}: {text}` names nothing in the folder", hint=hint, code="missing")


def _given(item: PathItem) -> tuple[str, str]:
    ((kind, text),) = item.to_document().items()
    return kind, str(text)


def _inside(text: str) -> list[str] | None:
    """The parts of a relative path; None where it leads out."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def _is_there(kind: str, path: str, names: list[str]) -> bool:
    if kind == "file":
        return path in names
    if kind == "folder":
        return not path or any(name.startswith(path + "/") for name in names)
    pattern = pattern_of(path)
    return any(pattern.match(name) for name in names)
