"""Whether a file of any kind may be used, told from the file alone: no server, no workspace.

What only a workspace knows (is there such a compute, such an environment?) is not asked here: `penstock check` asks it.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from penstock.errors import InvalidDocument, Problem
from penstock.resources.kinds import advice, kind_of
from penstock.resources.overrides import apply_overrides, parse_override, put_at
from penstock.resources.reading import Document, read_document
from penstock.resources.snapshots import SnapshotUri
from penstock.resources.yaml_source import read_yaml
from penstock.settings import WORKSPACE_SETTINGS, absolute

# Any in this module: a JSON value.

_NO_DIGEST: Final = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """What was found out. `kind` is None where the file could be several things, or nothing that is known."""

    kind: str | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file may be used as it stands."""
        return not self.problems


def validate_file(
    file: Path,
    *,
    kind: str | None = None,
    overrides: Sequence[str] = (),
    fields: Mapping[str, object] | None = None,
) -> Verdict:
    """Every problem of a file, with file and line; of what it includes too.

    Without `kind` it is told from the content. `overrides` are texts of `--set`; `fields` come from flags that stand
    for fields of the file, such as `--name`.
    """
    try:
        kind = kind or _kind_in(file, overrides, fields or {})
    except InvalidDocument as error:
        return Verdict(None, error.problems)
    if kind is None:
        return Verdict(None, (_unknown_kind(file),))
    try:
        document = read_document(file, kind, overrides=overrides, fields=fields)
    except InvalidDocument as error:
        return Verdict(kind, error.problems)
    return _judged(document)


def _kind_in(file: Path, overrides: Sequence[str], fields: Mapping[str, object]) -> str | None:
    """What the file is, with what the command line adds to it."""
    if not file.is_file():
        return "job"  # reading it as anything says that it is not there
    data = read_yaml(file, name=str(file)).data
    if isinstance(data, dict):
        apply_overrides(data, [parse_override(text) for text in overrides], {})
        data |= {name: value for name, value in fields.items() if value is not None}
    return kind_of(data)


def _unknown_kind(file: Path) -> Problem:
    return Problem(
        "",
        f"{file} could be several kinds of file, or is none that is known",
        expected="the fields of one kind: a job, a component, an environment, data …",
        hint="say which it is with --kind, or give it a `type` or a `$schema`",
    ).at(str(file), 1)


def _judged(document: Document) -> Verdict:
    from penstock.resources.documents import parse

    if document.kind == "conda":
        hint = advice("conda", document.file.name)
        problem = Problem("", f"{document.file} is a conda file", hint=hint, code="unsupported")
        return Verdict("conda", document.locate([problem]))
    said = [Problem("", text) for text in document.warnings]
    try:
        parsed = parse(document.kind, _as_if_uploaded(document))
    except InvalidDocument as error:
        return Verdict(document.kind, document.together(error.problems), document.locate(said))
    warnings = document.locate_warnings([*said, *parsed.warnings])
    return Verdict(document.kind, document.problems, warnings)


def _as_if_uploaded(document: Document) -> dict[str, Any]:
    """The data as a server would get it: local paths are snapshots there. Nothing is read for that."""
    data = copy.deepcopy(dict(document.data))
    for local in document.local:
        snapshot = SnapshotUri(_NO_DIGEST, local.path.name or "root", local.path.is_dir())
        put_at(data, local.pointer, str(snapshot))
    _places_made_absolute(document, data)
    return data


def _places_made_absolute(document: Document, data: dict[str, Any]) -> None:
    """Places that are named and not uploaded start from the file's folder: the client sends them so."""
    folder = Path.cwd() / (document.file if document.file.is_dir() else document.file.parent)
    settings = data.get("settings")
    if document.kind == "datastore":
        _make_absolute(data, ("path",), folder)
    elif document.kind == "workspace" and isinstance(settings, dict):
        _make_absolute(settings, WORKSPACE_SETTINGS, folder)


def _make_absolute(values: dict[str, Any], names: Iterable[str], folder: Path) -> None:
    for name in names:
        text = values.get(name)
        if isinstance(text, str) and text and "://" not in text:
            values[name] = absolute(text, folder)
