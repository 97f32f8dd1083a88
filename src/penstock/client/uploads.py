"""Sending a document whose local files the server may not have yet.

Every local path becomes a snapshot, and `snapshot://<digest>/<name>` in the document. The server says which of its blobs it
misses; only those are sent.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from penstock.client.connection import Connection, escaped
from penstock.errors import Conflict, InvalidDocument, PenstockError, Problem
from penstock.resources.merged_code import Content, Taken, take
from penstock.resources.overrides import put_at
from penstock.resources.reading import Document
from penstock.resources.snapshots import Snapshot

# Any in this module: a JSON value.

_UPLOADS_MISSING = 428
# One round says which texts are paths, one sends what is missing; further ones only where another command's garbage
# collection came between.
_MOST_ROUNDS = 5

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Created:
    """What the server made of a document, and what it warns of (with file and line)."""

    record: dict[str, Any]
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A document as it travels: its data with snapshots in place of local paths, and the local file behind each blob.

    The document's problems include what was found while its files were read.
    """

    document: Document
    data: dict[str, Any]
    snapshots: tuple[Snapshot, ...]
    files: Mapping[str, Content]
    manifests: Mapping[str, bytes]
    warnings: tuple[Problem, ...] = ()


class HasDocument(Protocol):
    """Something that ends in a document, such as a command or pipeline that was written in Python."""

    def document(self) -> Document: ...


def prepare(given: Document | HasDocument) -> Prepared:
    """Take a snapshot of every local path. What cannot be read becomes a problem beside those of the document."""
    document = given if isinstance(given, Document) else given.document()
    data = copy.deepcopy(dict(document.data))
    snapshots: list[Snapshot] = []
    files: dict[str, Content] = {}
    manifests: dict[str, bytes] = {}
    problems = list(document.problems)
    warnings: list[Problem] = []
    already: dict[object, Taken] = {}  # a pipeline whose four steps share a folder reads it once
    for local in document.local:
        try:
            taken = already[local.content] = already.get(local.content) or take(local)
        except InvalidDocument as error:
            problems += [
                replace(problem, pointer=problem.pointer or local.pointer) for problem in error.problems
            ]
            continue
        except OSError as error:
            problems.append(
                Problem(
                    local.pointer,
                    f"cannot read {error.filename or local.path}: {error.strerror}",
                    code="missing",
                )
            )
            continue
        snapshot = taken.snapshot
        snapshots.append(snapshot)
        files.update(taken.contents)
        warnings += [warning for warning in taken.warnings if warning not in warnings]
        manifests[snapshot.digest] = snapshot.manifest()
        put_at(data, local.pointer, snapshot.uri)
    told = replace(document, problems=document.locate(problems))
    return Prepared(told, data, tuple(snapshots), files, manifests, document.locate(warnings))


def send(
    connection: Connection,
    path: str,
    prepared: Prepared,
    *,
    more: Mapping[str, object] | None = None,
    say: Progress = lambda text: None,
    find_more: Callable[[], Iterable[Problem]] = tuple,
) -> Created:
    """POST the document, after what the server misses; InvalidDocument carries problems with file and line.

    Where this side has found problems nothing is sent; `find_more` asks the server for its own, so that all are told at once.
    A text that the server takes for a path of data is uploaded, and the document sent again.
    """
    for _ in range(_MOST_ROUNDS):
        if prepared.document.problems:
            raise invalid(prepared.document, prepared.document.together(find_more()))
        body = {"document": prepared.data, **(more or {})}
        answer = connection.exchange("POST", path, body=body)
        if answer.status == _UPLOADS_MISSING:
            upload(connection, answer.value.get("missing", ()), prepared, say)
            continue
        try:
            value = answer.checked()
        except InvalidDocument as error:
            settled = prepared.document.with_paths(error.problems)
            if settled is not None:
                prepared = prepare(settled)
                continue
            raise invalid(prepared.document, prepared.document.locate(error.problems), error) from error
        warnings = [problem_of(warning) for warning in value.get("warnings") or ()]
        return Created(value["record"], (*prepared.warnings, *prepared.document.locate_warnings(warnings)))
    raise Conflict(
        "the server goes on missing files that were sent", hint="is `penstock gc` running? repeat the command"
    )


def upload(connection: Connection, missing: Iterable[str], prepared: Prepared, say: Progress) -> None:
    """Send the missing blobs; for a missing manifest, also those of its files that the server does not have."""
    wanted = set(missing)
    unknown = wanted - prepared.manifests.keys() - prepared.files.keys()
    if unknown:
        raise PenstockError(
            "the server asks for files that this document does not have", details=sorted(unknown)
        )
    of_new_folders = {
        file.digest for snapshot in prepared.snapshots if snapshot.digest in wanted for file in snapshot.files
    }
    if of_new_folders - wanted:
        wanted.update(
            connection.post("/api/v1/blobs:missing", {"digests": sorted(of_new_folders - wanted)})["missing"]
        )
    sizes = {file.digest: file.size for snapshot in prepared.snapshots for file in snapshot.files}
    files = sorted(wanted & prepared.files.keys())
    if files:
        count = f"{len(files)} file{'s' if len(files) != 1 else ''}"
        say(f"uploading {_names(prepared, wanted)}: {count}, {_amount(sum(sizes[f] for f in files))}")
    for digest in files:
        _send_file(connection, digest, prepared.files[digest], sizes[digest])
    # Manifests last: what has a manifest is complete.
    for digest in sorted(wanted & prepared.manifests.keys()):
        manifest = prepared.manifests[digest]
        connection.upload(f"/api/v1/blobs/{escaped(digest)}", manifest, len(manifest))


def invalid(
    document: Document, problems: tuple[Problem, ...], error: InvalidDocument | None = None
) -> InvalidDocument:
    """All problems of a document in one error that names its file."""
    count = len(problems)
    source = document.file.name
    if document.file.is_dir():  # no file: flags, or a program's data, whose paths start from this folder
        source = "the command line" if "" in document.positions else f"the {document.kind}"
    message = f"{count} problem{'s' if count != 1 else ''} in {source}"
    return InvalidDocument(
        problems, message, details=error.details if error else (), hint=error.hint if error else None
    )


def _send_file(connection: Connection, digest: str, file: Content, size: int) -> None:
    place = f"/api/v1/blobs/{escaped(digest)}"
    if isinstance(file, bytes):
        connection.upload(place, file, size)
        return
    try:
        with open(file, "rb") as content:
            connection.upload(place, content, size)
    except OSError as error:
        raise PenstockError(f"cannot read {file}: {error.strerror or error}") from error


def _names(prepared: Prepared, wanted: set[str]) -> str:
    names = [
        snapshot.name
        for snapshot in prepared.snapshots
        if snapshot.digest in wanted or any(file.digest in wanted for file in snapshot.files)
    ]
    return ", ".join(dict.fromkeys(names))


def _amount(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def problem_of(warning: Any) -> Problem:
    """A finding of the server, which may say more about it than a Problem holds."""
    if isinstance(warning, str):
        return Problem("", warning)
    known = Problem.__dataclass_fields__
    return Problem(**{"pointer": "", **{name: value for name, value in warning.items() if name in known}})
