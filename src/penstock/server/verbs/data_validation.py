"""Checking a version of a data asset, or files of this machine, against expectations; the last result stays with the version."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.errors import NotFound, PenstockError, PermissionDenied
from penstock.events import DataValidated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.profiling.checking import EXAMPLES, check
from penstock.profiling.results import Checked
from penstock.profiling.tables import TableKind, over_table
from penstock.resources import documents
from penstock.resources.expectations import Expectations
from penstock.resources.mltable_file import FILE_NAME
from penstock.resources.scope import flag_of, reference_to, registry_of
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.server.verbs.lookup import source_of
from penstock.store.records.asset import AssetRecord, content_digest
from penstock.store.transaction import Transaction

# Any in this module: a JSON value.


@dataclass(frozen=True)
class Asked:
    """What to check against: a document, else what is kept with the asset. `keep`: keep the document with the version.

    `source` is what the report calls the document; `examples` rows at most are shown of what fails.
    """

    document: dict[str, Any] | None = None
    source: str | None = None
    examples: int = EXAMPLES
    keep: bool = False


def validate(
    platform: Platform,
    caller: Caller,
    scope: str,
    name: str,
    asked: Asked,
    *,
    version: str | None = None,
    label: str | None = None,
) -> dict[str, Any]:
    """Check one version, the latest where none is named, and keep the result with it."""
    require(caller, Action.ASSET_WRITE, scope)
    expected = None if asked.document is None else _parsed(asked.document)
    with platform.database.reading() as tx:
        if label is not None:
            asset.label_is_latest("data", name, label)
        record = asset.find(tx, scope, "data", name, version=version)
        document, source = asked.document, asked.source or "the expectations that were sent"
        if document is None:
            document, source = _kept(tx, record)
    expected = expected or _parsed(document)
    path = platform.runner.locator(scope).path_of(source_of(str(record.spec["path"]), registry_of(scope)))
    kind: TableKind = record.spec.get("type") or "uri_folder"
    created = datetime.fromtimestamp(record.created_at, UTC).replace(tzinfo=None)
    found = _checked(platform, path, kind, expected, asked.examples, created)
    digest, now = content_digest(document), platform.clock()
    told = {
        "validated_at": _moment(now),
        "expectations": digest,
        "passed": found.passed,
        "counts": _counts(found),
    }
    with platform.database.transaction() as tx:
        record = asset.find(tx, scope, "data", name, version=record.version)
        spec = {**record.spec, "last_validation": {**told, "rows": found.rows}}
        if asked.keep:
            spec["expectations"] = document
        tx.assets.update_mutable(
            scope,
            "data",
            name,
            record.version,
            modified_at=now if asked.keep else record.modified_at,
            spec=spec,
        )
        event = DataValidated(f"data/{name}:{record.version}", record.version, digest, found.passed)
        tx.events.append(scope, now, event.type, event.subject, event.body())
    about = {
        "name": name,
        "version": record.version,
        "reference": reference_to(scope, "data", name, record.version),
    }
    return _report(found, about, source, digest, now)


def validate_path(
    platform: Platform, caller: Caller, path: str, asked: Asked, *, kind: str | None = None
) -> dict[str, Any]:
    """Check files of this machine that are no asset. Nothing is kept. They are the owner's: nobody else names them."""
    if caller.kind != "owner":
        raise PermissionDenied(
            "files are checked by their path on the server's own machine only, by its owner",
            hint="register them: `penstock data create`, then `penstock data validate -n <name>`",
        )
    if asked.document is None:
        raise PenstockError(
            "files that are no asset have no expectations kept", hint="give them with --expectations <file>"
        )
    expected, place = _parsed(asked.document), Path(path)
    if kind is None:
        is_table = (place / FILE_NAME).is_file()
        kind = "mltable" if is_table else "uri_folder" if place.is_dir() else "uri_file"
    found = _checked(platform, place, kind, expected, asked.examples, None)  # type: ignore[arg-type] # one of the three
    about = {"path": str(place), "type": kind}
    source = asked.source or "the expectations that were sent"
    return _report(found, about, source, content_digest(asked.document), platform.clock())


def _parsed(document: dict[str, Any]) -> Expectations:
    """Raises InvalidDocument, with pointers into the document."""
    found = documents.parse("expectations", document).resource
    assert isinstance(found, Expectations)
    return found


def _kept(tx: Transaction, record: AssetRecord) -> tuple[dict[str, Any], str]:
    """The expectations of the version, else those of the newest version of its name that has some; and what to call them."""
    versions = [record, *tx.assets.list(record.workspace, "data", record.name, include_archived=True)]
    for each in versions:
        if each.spec.get("expectations"):
            return each.spec["expectations"], f"the expectations of {each.name}:{each.version}"
    flag = flag_of(record.workspace)
    raise NotFound(
        f"no expectations are kept with data `{record.name}`",
        details=("looked in: all its versions",),
        hint=f"give a file: `penstock data validate -n {record.name} -f <expectations.yml>{flag}`, with --keep to keep it",
    )


def _checked(
    platform: Platform,
    path: Path,
    kind: TableKind,
    expected: Expectations,
    examples: int,
    created: datetime | None,
) -> Checked:
    now = datetime.fromtimestamp(platform.clock(), UTC).replace(tzinfo=None)
    return over_table(
        path, kind, lambda frame: check(frame, expected, now=now, created=created, examples=examples)
    )


def _report(found: Checked, about: dict[str, Any], source: str, digest: str, now: float) -> dict[str, Any]:
    return {
        "data": about,
        "expectations": {"source": source, "digest": digest},
        "validated_at": _moment(now),
        **found.as_record(),
    }


def _counts(found: Checked) -> dict[str, int]:
    counts: dict[str, int] = found.as_record()["counts"]
    return counts


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
