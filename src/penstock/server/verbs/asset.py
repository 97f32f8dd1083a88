"""What all versioned assets share: versions, labels, listing. Environments and data assets are kept in our database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import AlreadyExists, NotFound
from penstock.events import AssetCreated, AssetUpdated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.description import creation_context
from penstock.resources.changes import Changes, changed_fields
from penstock.resources.documents import Parsed
from penstock.resources.nearest import nearest
from penstock.resources.relaxed import marked
from penstock.resources.scope import flag_of, reference_to, told
from penstock.server.platform import Platform
from penstock.server.verbs.answer import Created, warnings_of
from penstock.server.verbs.curated import built_in_asset, built_in_assets, curated_reference, is_built_in
from penstock.server.verbs.lifecycle import Shown, hidden, not_alone, one_or_all
from penstock.server.verbs.scope import Identity, identity_of, must_exist
from penstock.store.records.asset import AssetRecord, content_digest
from penstock.store.transaction import Transaction

LATEST = "latest"
# What may change of a version; `properties` may only grow.
MAY_CHANGE = ("description", "tags", "properties")
_MORE_MAY_CHANGE: Mapping[str, tuple[str, ...]] = {"component": ("display_name",)}


@dataclass(frozen=True)
class NewVersion:
    """What a noun's own verb found out about a version that is to be created.

    `content` decides whether two versions are the same. `keeps_version` says that content equal to the latest
    version's makes no new one where no version was asked for. `display_name` and `expectations` are parts of `spec` that may
    change.
    """

    kind: str
    name: str
    version: str | None
    spec: dict[str, Any]
    content: Mapping[str, Any]
    description: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    keeps_version: bool = False
    display_name: str | None = None
    expectations: dict[str, Any] | None = None


def save(platform: Platform, tx: Transaction, workspace: str, new: NewVersion) -> AssetRecord:
    """Write a version: a new one, or the same one again with other tags; refused where the content differs."""
    digest = content_digest(new.content)
    must_exist(tx, workspace)
    existing = _same_version(tx, workspace, new, digest)
    if existing is not None:
        if existing.digest != digest:
            raise AlreadyExists(
                f"{new.kind} `{new.name}:{existing.version}` exists in {told(workspace)} with other content",
                hint="a version never changes: leave the version out to get the next one, or name a new one",
            )
        return _update(platform, tx, existing, new)
    record = AssetRecord(
        workspace=workspace,
        kind=new.kind,
        name=new.name,
        version=new.version or tx.assets.next_version(workspace, new.kind, new.name),
        spec=new.spec,
        digest=digest,
        description=new.description,
        tags=new.tags,
        properties=new.properties,
        archived=False,
        anonymous=False,
        created_at=platform.clock(),
        created_by=platform.user,
        modified_at=platform.clock(),
        sequence=0,
    )
    record = tx.assets.create(record)
    event = AssetCreated(f"{new.kind}/{record.name}:{record.version}", new.kind, record.version)
    tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    return record


def _same_version(tx: Transaction, workspace: str, new: NewVersion, digest: str) -> AssetRecord | None:
    if new.version is not None:
        found: AssetRecord | None = tx.assets.find(workspace, new.kind, new.name, new.version)
        return found
    latest: AssetRecord | None = tx.assets.find_latest(workspace, new.kind, new.name)
    return latest if new.keeps_version and latest is not None and latest.digest == digest else None


def _update(platform: Platform, tx: Transaction, existing: AssetRecord, new: NewVersion) -> AssetRecord:
    described = new.description if new.description is not None else existing.description
    tags, properties = {**existing.tags, **new.tags}, {**existing.properties, **new.properties}
    may_change = {"display_name": new.display_name, "expectations": new.expectations}
    spec = {**existing.spec, **{key: value for key, value in may_change.items() if value is not None}}
    unchanged = (existing.description, existing.tags, existing.properties, existing.spec)
    if (described, tags, properties, spec) == unchanged:
        return existing
    return _changed(
        platform,
        tx,
        existing,
        {"description": described, "tags": tags, "properties": properties, "spec": spec},
    )


def _changed(
    platform: Platform, tx: Transaction, existing: AssetRecord, columns: dict[str, Any]
) -> AssetRecord:
    record: AssetRecord = tx.assets.update_mutable(
        existing.workspace,
        existing.kind,
        existing.name,
        existing.version,
        modified_at=platform.clock(),
        **columns,
    )
    event = AssetUpdated(f"{record.kind}/{record.name}:{record.version}", record.kind, record.version)
    tx.events.append(record.workspace, platform.clock(), event.type, event.subject, event.body())
    return record


def find(tx: Transaction, workspace: str, kind: str, name: str, *, version: str | None = None) -> AssetRecord:
    """One version (the latest created where none is named), or NotFound with what there is.

    A version that is named is found although it is archived; the latest is one that is not.
    """
    if is_built_in(workspace):
        return built_in_asset(tx, kind, name, version)
    found = (
        tx.assets.find_latest(workspace, kind, name)
        if version is None
        else tx.assets.find(workspace, kind, name, version)
    )
    if found is not None:
        record: AssetRecord = found
        return record
    records = tx.assets.list(workspace, kind, name, include_archived=True)
    shown = [record.version for record in records if not record.archived]
    wanted = f"`{name}:{version}`" if version is not None else f"`{name}`"
    if shown:
        looked = f"looked in: {told(workspace)} (versions {', '.join(shown[:10])})"
        hint = f"use `{reference_to(workspace, kind, name, shown[0])}`"
    elif records:
        looked = f"looked in: {told(workspace)} (all its versions are archived)"
        hint = (
            f"`penstock {kind} restore -n {name}{flag_of(workspace)}`, or name a version: "
            f"`{reference_to(workspace, kind, name, records[0].version)}`"
        )
    else:
        names = [record.name for record in tx.assets.list(workspace, kind)]
        looked = f"looked in: {told(workspace)} (no such name{_known(names)})"
        near = curated_reference(kind, name) or nearest(name, names)
        create = f"penstock {kind} create -f <file>{flag_of(workspace)}"
        hint = f"did you mean `{near}`?" if near else f"create it with `{create}`"
    raise NotFound(f"{kind} {wanted} was not found in {told(workspace)}", details=(looked,), hint=hint)


def _known(names: list[str]) -> str:
    return f"; it has {', '.join(f'`{name}`' for name in names[:10])}" if names else ""


def label_is_latest(kind: str, name: str, label: str) -> None:
    """The only label that there is for these assets is `latest`; components also call it `default`."""
    if label != LATEST and (kind, label) != ("component", "default"):
        raise NotFound(f"{kind} `{name}` has no label `{label}`", hint=f"the label `{LATEST}` always exists")


def show(
    platform: Platform, caller: Caller, workspace: str, kind: str, name: str, version: str
) -> dict[str, Any]:
    """One version."""
    require(caller, Action.ASSET_READ, workspace)
    with platform.database.reading() as tx:
        return record_of(platform, tx, find(tx, workspace, kind, name, version=version))


def show_label(
    platform: Platform, caller: Caller, workspace: str, kind: str, name: str, label: str
) -> dict[str, Any]:
    """The version that a label names."""
    require(caller, Action.ASSET_READ, workspace)
    label_is_latest(kind, name, label)
    with platform.database.reading() as tx:
        return record_of(platform, tx, find(tx, workspace, kind, name))


def listing(
    platform: Platform,
    caller: Caller,
    workspace: str,
    kind: str,
    *,
    name: str | None = None,
    shown: Shown = Shown.ACTIVE,
    tag: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """One row per name with its latest version; with a name, that name's versions, newest first."""
    require(caller, Action.ASSET_READ, workspace)
    with platform.database.reading() as tx:
        identity = identity_of(platform, tx, workspace, kind)
        if is_built_in(workspace):
            known = built_in_assets(tx, kind, name, tag) if shown is not Shown.ARCHIVED else ()
            return [_described(each, identity) if name else _row(each) for each in known[:limit]]
        records = tx.assets.list(
            workspace,
            kind,
            name,
            include_archived=shown is Shown.ALL,
            archived_only=shown is Shown.ARCHIVED,
            tag=tag,
            limit=limit,
        )
        if name is not None:
            return [_described(record, identity) for record in records]
        return [_row(record) for record in records]


def _row(record: AssetRecord) -> dict[str, Any]:
    """A name in a list, with its latest version."""
    return {
        "name": record.name,
        "latest_version": record.version,
        "description": record.description,
        "tags": record.tags,
        "archived": record.archived,
        "creation_context": creation_context(record.created_at, record.created_by, record.modified_at),
        **marked(record.spec.get("relaxed") or ()),
    }


def update(
    platform: Platform, caller: Caller, workspace: str, kind: str, name: str, version: str, changes: Changes
) -> dict[str, Any]:
    """Change what describes a version; what it is made of stays."""
    require(caller, Action.ASSET_WRITE, workspace)
    with platform.database.transaction() as tx:
        existing = find(tx, workspace, kind, name, version=version)
        may_change = (*MAY_CHANGE, *_MORE_MAY_CHANGE.get(kind, ()))
        found = changed_fields(
            record_of(platform, tx, existing),
            changes,
            what=f"{kind} `{name}:{version}`",
            may_change=may_change,
        )
        if not found:
            return record_of(platform, tx, existing)
        columns: dict[str, Any] = {key: found.pop(key) for key in MAY_CHANGE if key in found}
        if found:
            columns["spec"] = {**existing.spec, **found}
        return record_of(platform, tx, _changed(platform, tx, existing, columns))


def archive(
    platform: Platform,
    caller: Caller,
    workspace: str,
    kind: str,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
) -> None:
    """Hide a version (or, where none is named, the name with all of them) from lists and from `@latest`."""
    require(caller, Action.ASSET_WRITE, workspace)
    one_or_all(version, label)
    with platform.database.transaction() as tx:
        if version is None and label is None:
            _archive_whole(platform, tx, workspace, kind, name, archived=True)
            return
        if label is not None:
            label_is_latest(kind, name, label)
        record = find(tx, workspace, kind, name, version=version)
        if not record.archived:
            _changed(platform, tx, record, {"archived": True})


def restore(
    platform: Platform,
    caller: Caller,
    workspace: str,
    kind: str,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
) -> None:
    """Show a version again (or, where none is named, the name with all of them).

    A label names the version that was created last, archived or not: here it is the archived ones that matter.
    """
    require(caller, Action.ASSET_WRITE, workspace)
    one_or_all(version, label)
    with platform.database.transaction() as tx:
        if version is None and label is None:
            _archive_whole(platform, tx, workspace, kind, name, archived=False)
            return
        if label is not None:
            label_is_latest(kind, name, label)
            newest = tx.assets.list(workspace, kind, name, include_archived=True, limit=1)
            version = newest[0].version if newest else None
        record = find(tx, workspace, kind, name, version=version)
        if record.archived_whole:
            raise not_alone(workspace, kind, name, record.version)
        if record.archived:
            _changed(platform, tx, record, {"archived": False})


def _archive_whole(
    platform: Platform, tx: Transaction, workspace: str, kind: str, name: str, *, archived: bool
) -> None:
    records = tx.assets.list(workspace, kind, name, include_archived=True)
    if not records:
        find(tx, workspace, kind, name)  # says what there is instead
    if all((record.archived, record.archived_whole) == (archived, archived) for record in records):
        return
    tx.assets.archive_whole(workspace, kind, name, archived, modified_at=platform.clock())
    event = AssetUpdated(f"{kind}/{name}", kind, None)
    tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())


def answer(platform: Platform, tx: Transaction, record: AssetRecord, parsed: Parsed) -> Created:
    """What creating verbs answer about a version."""
    more = (
        [hidden(record.workspace, record.kind, record.name, record.version, record.archived_whole)]
        if record.archived
        else []
    )
    return Created(record_of(platform, tx, record), warnings_of(parsed, more))


def record_of(platform: Platform, tx: Transaction, record: AssetRecord) -> dict[str, Any]:
    """The record that REST returns."""
    return _described(record, identity_of(platform, tx, record.workspace, record.kind))


def _described(record: AssetRecord, identity: Identity) -> dict[str, Any]:
    path = record.spec.get("path")
    return {
        **{key: value for key, value in record.spec.items() if value is not None},
        **({"path": identity.path(path)} if isinstance(path, str) else {}),
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "tags": record.tags,
        "properties": record.properties,
        "archived": record.archived,
        "creation_context": creation_context(record.created_at, record.created_by, record.modified_at),
        **identity.of(record.name, record.version),
        **marked(record.spec.get("relaxed") or ()),
    }
