"""What is recorded of a version of data beside what its author wrote: digest, size, schema, number of rows.

What the list of uploaded files tells is there with the version. What takes reading is marked `facts: pending` and worked out after the
version was made: at once where the data is small, so that whoever creates it sees it; else in the background. A server that is killed
meanwhile leaves the mark, and the next one goes on.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError, Problem
from penstock.identity.tokens import Caller
from penstock.jobs.plans import InDatastore, OutputOf
from penstock.profiling.facts import byte_facts
from penstock.profiling.formats import files_in, format_of
from penstock.resources.scope import reference_to, registry_of
from penstock.server.platform import Platform
from penstock.server.verbs import asset, data_profile, upload
from penstock.server.verbs.lookup import source_of
from penstock.store.records.asset import AssetRecord
from penstock.store.transaction import Transaction

# Any in this module: what is kept of a version, as JSON.

_log = logging.getLogger(__name__)

PENDING = "pending"
READ_AT_ONCE = 64 * 1024 * 1024
"""Bytes of data up to which `create` waits for what takes reading."""
_LONGEST_WAIT = 30.0
"""Seconds that `create` waits at most: the data may be small and the machine busy."""
TOLD = frozenset({"content_digest", "size_bytes", "files", "schema", "row_count", "facts"})
"""The fields that a version gets here."""


def at_creation(platform: Platform, scope: str, spec: dict[str, Any]) -> dict[str, Any]:
    """What is known of a version before anything of it is read, with the mark where more is to come. Empty for an address."""
    source = source_of(str(spec["path"]), registry_of(scope))
    if not isinstance(source, InDatastore | OutputOf):
        return {}
    snapshot = upload.uploaded_as(source)
    known = {} if snapshot is None else byte_facts(platform.checkouts.load(snapshot.digest))
    try:
        path = platform.runner.locator(scope).path_of(source)
    except PenstockError:
        return known  # nothing is there yet: a place in a datastore may be filled later
    if known and not _may_be_table(path, str(spec.get("type"))):
        return known
    return {**known, "facts": PENDING}


def _may_be_table(path: Path, kind: str) -> bool:
    """By names and first bytes; what is looked at closely may turn out to be none."""
    if kind == "mltable":
        return True
    try:
        if path.is_dir():
            files_in(path)
        else:
            format_of(path)
    except (PenstockError, OSError):
        return False
    return True


def same_content(tx: Transaction, record: AssetRecord) -> Problem | None:
    """A word about the newest other version of the name with the same bytes, None where there is none."""
    digest = record.spec.get("content_digest")
    for each in tx.assets.list(record.workspace, "data", record.name, include_archived=True):
        if digest and each.version != record.version and each.spec.get("content_digest") == digest:
            return Problem("", f"same content as version {each.version}", code="note")
    return None


def known_already(tx: Transaction, scope: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The facts of a new version without its mark, where a version of the name has the same bytes: they need no second reading."""
    digest = spec.get("content_digest")
    for each in tx.assets.list(scope, "data", name, include_archived=True) if digest else ():
        found = each.spec
        if (found.get("content_digest"), found.get("type")) != (digest, spec.get("type")):
            continue
        if "schema" in found and "facts" not in found:
            told = {key: found[key] for key in ("schema", "row_count")}
            return {**{key: value for key, value in spec.items() if key != "facts"}, **told}
    return spec


def see_to(platform: Platform, record: AssetRecord, *, wait: bool = False) -> Problem | None:
    """Have a version's facts worked out where they are pending; with `wait` they are there on return where the data is small.

    A word for whoever created it where they are not.
    """
    if record.spec.get("facts") != PENDING:
        return None
    scope, name, version = record.workspace, record.name, record.version

    def work(is_wanted: Callable[[], bool]) -> None:
        _learn(platform, scope, name, version, is_wanted)

    done = platform.background.add(f"facts of {reference_to(scope, 'data', name, version)}", work)
    if wait and (_is_told_by_its_end(record) or _size_of(platform, record) <= READ_AT_ONCE):
        done.wait(_LONGEST_WAIT)
        with platform.database.reading() as tx:
            now = tx.assets.find(scope, "data", name, version)
        if now is None or now.spec.get("facts") != PENDING:
            return None
    hint = f"`penstock data show -n {name} -v {version}` has them when they are counted"
    return Problem("", "columns and rows are counted in the background", hint=hint, code="note")


def resume(platform: Platform) -> None:
    """Go on with what an earlier server has left pending."""
    with platform.database.reading() as tx:
        scopes = [each.name for each in tx.workspaces.list()]
        scopes += [f"registry:{each.name}" for each in tx.registries.list()]
        left = [
            record
            for scope in scopes
            for record in tx.assets.every(scope, "data")
            if record.spec.get("facts") == PENDING
        ]
    for record in left:
        see_to(platform, record)


def look_closer(platform: Platform, scope: str, name: str, version: str) -> None:
    """Mark a version of which nothing was recorded, such as one that a job has made, and have it looked at."""
    with platform.database.reading() as tx:
        record = tx.assets.find(scope, "data", name, version)
    if record is None or TOLD & record.spec.keys():
        return
    known = at_creation(platform, scope, record.spec)
    if known:
        marked = _keep(platform, record, known)
        if marked is not None:
            see_to(platform, marked)


def _learn(platform: Platform, scope: str, name: str, version: str, is_wanted: Callable[[], bool]) -> None:
    """Read the data, and record what it tells. Not wanted any more, it stays pending."""
    with platform.database.reading() as tx:
        record = tx.assets.find(scope, "data", name, version)
    if record is None or record.spec.get("facts") != PENDING:
        return
    options = {} if "content_digest" in record.spec else {"bytes": True}
    try:
        subject = data_profile.version(platform, Caller("owner"), scope, name, version=version)
        found = data_profile.asked(platform, subject, "facts", options, is_wanted=is_wanted)
    except PenstockError as error:
        if not is_wanted():
            return
        _log.warning("the facts of %s:%s: %s", name, version, error.message)
        found = {"facts": error.message}
    _keep(platform, record, found)


def _keep(platform: Platform, record: AssetRecord, found: dict[str, Any]) -> AssetRecord | None:
    """The version with what was found; None where it is gone. It counts as no change of the version."""
    with platform.database.transaction() as tx:
        now = tx.assets.find(record.workspace, "data", record.name, record.version)
        if now is None:
            return None
        spec = {**{key: value for key, value in now.spec.items() if key != "facts"}, **found}
        kept: AssetRecord = tx.assets.update_mutable(
            now.workspace, "data", now.name, now.version, modified_at=now.modified_at, spec=spec
        )
        return kept


def _is_told_by_its_end(record: AssetRecord) -> bool:
    """Whether the facts stand in the last bytes of a file, however large it is."""
    return str(record.spec["path"]).lower().endswith((".parquet", ".pq")) and "content_digest" in record.spec


def _size_of(platform: Platform, record: AssetRecord) -> int:
    size = record.spec.get("size_bytes")
    if isinstance(size, int):
        return size
    try:
        subject = data_profile.version(
            platform, Caller("owner"), record.workspace, record.name, version=record.version
        )
    except PenstockError:
        return 0
    files = subject.path.rglob("*") if subject.path.is_dir() else [subject.path]
    return sum(file.stat().st_size for file in files if file.is_file())


def shown(
    platform: Platform, caller: Caller, scope: str, name: str, *, version: str | None = None
) -> dict[str, Any]:
    """The record of a version (the latest where none is named). Of one that nothing was recorded of, facts are looked for from now on."""
    record = (
        asset.show(platform, caller, scope, "data", name, version)
        if version is not None
        else asset.show_label(platform, caller, scope, "data", name, asset.LATEST)
    )
    if not TOLD & record.keys():
        look_closer(platform, scope, name, str(record["version"]))
    return record
