"""Checking a version of a data asset, or files of this machine, against expectations; the last result stays with the version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from penstock.errors import NotFound, PenstockError
from penstock.events import DataValidated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.profiling.checking import EXAMPLES, parse_expectations
from penstock.resources.scope import flag_of
from penstock.server.platform import Platform
from penstock.server.verbs import asset, data_profile
from penstock.server.verbs.data_profile import Subject
from penstock.store.records.asset import AssetRecord, content_digest
from penstock.store.transaction import Transaction

# Any in this module: a JSON value.


@dataclass(frozen=True)
class Asked:
    """What to check against: a document, else what is kept with the asset. `keep`: keep the document with the version.

    `source` is what the report calls the document; `examples` rows at most are shown of what fails; `reading` says how text is read.
    """

    document: dict[str, Any] | None = None
    source: str | None = None
    examples: int = EXAMPLES
    keep: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def called(self) -> str:
        return self.source or "the expectations that were sent"


@dataclass(frozen=True)
class Ready:
    """A check whose data is there and whose expectations are understood. `about` is what the report says of the data; `record` is
    the version's, None for what is no version."""

    asked: Asked
    about: Mapping[str, Any]
    subject: Subject
    document: dict[str, Any]
    source: str
    record: AssetRecord | None = None


def of_version(
    platform: Platform,
    caller: Caller,
    scope: str,
    name: str,
    asked: Asked,
    *,
    version: str | None = None,
    label: str | None = None,
) -> Ready:
    """A check of one version, the latest where none is named; its result is kept with it."""
    require(caller, Action.ASSET_WRITE, scope)
    if asked.document is not None:
        parse_expectations(asked.document)  # before anything is fetched or read
    with platform.database.reading() as tx:
        if label is not None:
            asset.label_is_latest("data", name, label)
        record = asset.find(tx, scope, "data", name, version=version)
        document, source = asked.document, asked.called
        if document is None:
            document, source = _kept(tx, record)
    subject = data_profile.version(
        platform, caller, scope, name, version=record.version, options=asked.reading
    )
    about = {"name": name, "version": record.version, "reference": subject.told["data"]}
    return Ready(asked, about, subject, document, source, record)


def of_path(
    platform: Platform, caller: Caller, workspace: str, path: str, asked: Asked, *, kind: str | None = None
) -> Ready:
    """A check of data that is no version of this workspace: a reference, or files of this machine, for its owner. Nothing is kept."""
    require(caller, Action.ASSET_READ, workspace)
    if asked.document is None:
        raise PenstockError(
            "what is no asset has no expectations kept", hint="give them with --expectations <file>"
        )
    parse_expectations(asked.document)
    subject = data_profile.place(platform, caller, workspace, path, kind=kind, options=asked.reading)
    return Ready(asked, {"path": path, "type": subject.kind}, subject, asked.document, asked.called)


def validate(
    platform: Platform,
    ready: Ready,
    *,
    progress: Callable[[int], None] = lambda rows: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """The report. `progress` is told the rows that were read; once `is_wanted` says no the reading is ended, and nothing is kept."""
    options = {
        **ready.subject.options, "expectations": ready.document, "now": platform.clock(),
        "created": ready.record and ready.record.created_at, "examples": ready.asked.examples,
    }  # fmt: skip
    found: dict[str, Any] = data_profile.asked(
        platform, ready.subject, "check", options, progress=progress, is_wanted=is_wanted
    )
    digest, now = content_digest(ready.document), platform.clock()
    if ready.record is not None:
        _keep(platform, ready, ready.record, found, digest, now)
    return {
        "data": ready.about,
        "expectations": {"source": ready.source, "digest": digest},
        "validated_at": _moment(now),
        **found,
    }


def _keep(
    platform: Platform, ready: Ready, record: AssetRecord, found: Mapping[str, Any], digest: str, now: float
) -> None:
    """The result, and the expectations where that is asked for, stay with the version."""
    scope, name = record.workspace, record.name
    with platform.database.transaction() as tx:
        record = asset.find(tx, scope, "data", name, version=record.version)
        told = {key: found[key] for key in ("passed", "counts", "rows")}
        spec = {
            **record.spec,
            "last_validation": {"validated_at": _moment(now), "expectations": digest, **told},
        }
        if ready.asked.keep:
            spec["expectations"] = ready.document
        tx.assets.update_mutable(
            scope,
            "data",
            name,
            record.version,
            modified_at=now if ready.asked.keep else record.modified_at,
            spec=spec,
        )
        event = DataValidated(f"data/{name}:{record.version}", record.version, digest, found["passed"])
        tx.events.append(scope, now, event.type, event.subject, event.body())


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


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
