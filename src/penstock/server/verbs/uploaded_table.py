"""An uploaded folder as a table: is its MLTable file valid, and is there what it names?"""

from collections.abc import Callable, Iterator

from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.provided.mltable.paths import divided, is_address, pattern_of
from penstock.resources import references as refs
from penstock.resources.mltable_file import FILE_NAME, MLTableFile, PathItem, parse_mltable, placed
from penstock.resources.model_base import warnings_within
from penstock.resources.snapshots import Snapshot, SnapshotUri, parse_snapshot_uri
from penstock.server.platform import Platform

_LARGEST = 1_000_000
"""Bytes of an MLTable file."""

# Raises PenstockError where there is no way to the data at an address as a `uri_file` or `uri_folder`.
CheckAddress = Callable[[str, str], None]


def check_input(platform: Platform, path: str, check_address: CheckAddress) -> list[Problem]:
    """As `check_uploaded`, for a local folder that a job reads; also its public addresses must be within reach.

    A folder that is not uploaded yet passes: it is asked for before anything is made.
    """
    uri = parse_snapshot_uri(path)
    if uri is None or platform.artifacts.missing({uri.digest}):
        return []
    if not uri.is_folder:
        hint = f"give the folder that holds the file named `{FILE_NAME}`, or declare it `type: uri_file`"
        raise InvalidDocument([Problem("", f"`{uri.name}` is a file, and an mltable is a folder", hint=hint)])
    return check_uploaded(platform, uri, check_address=check_address)


def check_uploaded(
    platform: Platform,
    uri: SnapshotUri,
    *,
    skip_validation: bool = False,
    check_address: CheckAddress = lambda url, kind: None,
) -> list[Problem]:
    """Warnings about the folder's MLTable file; InvalidDocument, with its lines, where it cannot be a table.

    With `skip_validation` it only must hold the file.
    """
    snapshot = platform.checkouts.load(uri.digest)
    found = next((file for file in snapshot.files if file.path == FILE_NAME), None)
    if found is None:
        raise no_table(uri.name, [file.path for file in snapshot.files])
    if skip_validation or platform.artifacts.missing({found.digest}):
        return []
    name = f"{uri.name}/{FILE_NAME}"
    if found.size > _LARGEST:
        raise InvalidDocument([Problem("", f"{name} is larger than {_LARGEST // 1_000_000} MB")])
    with platform.artifacts.open(found.digest) as stream:
        content = stream.read()
    table, source = parse_mltable(content, name)
    problems = [*_absent(table, snapshot), *_out_of_reach(table, check_address)]
    if problems:
        raise InvalidDocument(placed(problems, source, name))
    return placed([*warnings_within(table)], source, name)


def no_table(folder: str, names: list[str] | None = None) -> InvalidDocument:
    near = next((name for name in names or () if name.rpartition("/")[2].lower().startswith("mltable")), None)
    hint = f"it holds `{near}`: " if near else ""
    hint += f"the file must be called exactly `{FILE_NAME}` and lie directly in the folder; --skip-validation does not help"
    problem = Problem("", f"`{folder}` holds no file named `{FILE_NAME}`", hint=hint, code="missing")
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


def _out_of_reach(table: MLTableFile, check_address: CheckAddress) -> Iterator[Problem]:
    """Public addresses from which nothing can be had: that none lists what is below it is said before the job runs."""
    for index, item in enumerate(table.paths):
        kind, text = _given(item)
        address = divided(text)[0] if kind == "pattern" else text
        if not is_address(address):
            continue
        try:
            if isinstance(refs.parse_reference(address, "data"), refs.WebAddress):
                check_address(address, "uri_file" if kind == "file" else "uri_folder")
        except refs.BadReference as error:
            yield Problem(f"/paths/{index}/{kind}", error.message)
        except PenstockError as error:
            details = f" ({'; '.join(error.details)})" if error.details else ""
            yield Problem(f"/paths/{index}/{kind}", error.message + details, hint=error.hint)


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
