"""Checking data against expectations, asked of the server."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.client.assets import Record
from penstock.client.connection import Connection, escaped
from penstock.client.data_profile import Progress, answer_of, readable
from penstock.errors import InvalidDocument, UsageError

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any in this module: a JSON value.


def validate(
    connection: Connection,
    base: str,
    name: str | None,
    *,
    version: str | None = None,
    label: str | None = None,
    expectations: "Document | Mapping[str, Any] | str | PathLike[str] | None" = None,
    path: str | PathLike[str] | None = None,
    kind: str | None = None,
    examples: int | None = None,
    keep: bool = False,
    reading: Mapping[str, object] | None = None,
    progress: Progress = lambda rows: None,
) -> Record:
    """The report on a version, or on the files at `path`; `base` is the address of the place's data.

    What the expectations got wrong is InvalidDocument, with its lines.
    """
    document = _document(expectations)
    body: Record = {} if examples is None else {"examples": examples}
    body |= {key: value for key, value in (reading or {}).items() if value is not None}
    if document is not None:
        if document.problems:
            raise InvalidDocument(document.problems)
        body |= {"expectations": document.data}
        if document.file.is_file():
            body["source"] = str(document.file)
    if path is not None:
        if "/registries/" in base:
            raise UsageError("a path is in no registry", hint="leave the registry out")
        where = f"{base}:validate"
        body |= {"path": readable(connection, fspath(path)), **({} if kind is None else {"type": kind})}
    else:
        name, version, label = _which(name, version, label, document)
        where = f"{base}/{escaped(name, 'validate')}"
        body |= {key: value for key, value in (("version", version), ("label", label)) if value is not None}
        body |= {"keep": True} if keep else {}
    try:
        found: Record = answer_of(connection, where, {}, "validation", progress, body=body)
    except InvalidDocument as error:
        if document is None:
            raise
        raise InvalidDocument(document.locate(error.problems), error.message) from error
    return found if document is None else _placed(found, document)


def _document(given: "Document | Mapping[str, Any] | str | PathLike[str] | None") -> "Document | None":
    from penstock.resources.reading import document_from_data, read_document

    if isinstance(given, str | PathLike):
        return read_document(Path(given), "expectations")
    if isinstance(given, Mapping):
        return document_from_data("expectations", given, base=Path.cwd())
    return given


def _which(
    name: str | None, version: str | None, label: str | None, document: "Document | None"
) -> tuple[str, str | None, str | None]:
    """The version that is named, else the one that the expectations themselves are about."""
    about = document.data.get("data") if document is not None else None
    if name is None and isinstance(about, str):
        from penstock.resources.references import AssetReference, parse_reference

        text = about if ":" in about or "@" in about else f"azureml:{about}@latest"
        reference = parse_reference(text, "data")
        if isinstance(reference, AssetReference) and reference.registry is None:
            return (
                reference.name,
                version or (None if label else reference.version),
                label or (None if version else reference.label),
            )
    if name is None:
        raise UsageError(
            "which data?", hint="give its name, or write `data: azureml:<name>@latest` into the expectations"
        )
    return name, version, label


def _placed(found: Record, document: "Document") -> Record:
    """The results with file and line of what they are about."""
    for result in found["results"]:
        position = document.position_of(str(result["pointer"])) if document.positions else None
        if position is not None:
            result["file"], result["line"] = position.file, position.line
    return found
