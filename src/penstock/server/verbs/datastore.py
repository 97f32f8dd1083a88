"""Datastores: named places where data lies. The built-in ones exist in every workspace and stay."""

from pathlib import Path
from typing import Any

from penstock.datastores import folders
from penstock.datastores.url_map import UrlMap, read_url_map
from penstock.errors import Conflict, InvalidDocument, Problem
from penstock.events import DatastoreChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import creation_context, group_of, resource_id
from penstock.resources import documents
from penstock.resources.changes import Changes, applied, refuse_fixed
from penstock.resources.datastore import Datastore
from penstock.server.platform import Platform
from penstock.server.verbs.answer import Created, warnings_of
from penstock.server.verbs.workspace import settings_of
from penstock.store.records.datastore import DatastoreRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of

_MUTABLE = ("description", "tags")


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new datastore; one that exists gets these settings, as in Azure ML."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("datastore", document)
    datastore = parsed.resource
    assert isinstance(datastore, Datastore)
    name = str(datastore.name)
    if name in folders.BUILT_IN:
        raise Conflict(f"datastore `{name}` is built in and always exists", hint="choose another name")
    with platform.database.transaction() as tx:
        existing = tx.datastores.find(workspace, name)
        if existing is not None and existing.type != datastore.type:
            raise Conflict(
                f"datastore `{name}` exists with type {existing.type}", hint="delete it first, or rename"
            )
        record = _put(platform, caller, tx, workspace, datastore, existing)
        urls = read_url_map(settings_of(tx, workspace, {}).get("url_map"))
        return Created(
            _described(platform, record, group_of(tx, workspace), urls),
            warnings_of(parsed, _where_it_is(platform, record, urls)),
        )


def _put(
    platform: Platform,
    caller: Caller,
    tx: Transaction,
    workspace: str,
    datastore: Datastore,
    existing: DatastoreRecord | None,
) -> DatastoreRecord:
    tx.workspaces.get(workspace)
    spec = {key: value for key, value in datastore.to_document().items() if key not in ("name", "type")}
    if datastore.type == folders.LOCAL:
        # It opens a folder of the server's machine: not for whoever may merely use a workspace.
        require(caller, Action.WORKSPACE_WRITE)
        _check_folder(platform, Path(spec["path"]))
    now = platform.clock()
    record = DatastoreRecord(workspace, str(datastore.name), datastore.type, spec, now, platform.user, now)
    record = tx.datastores.put(record)
    event = DatastoreChanged(f"datastore/{record.name}", "updated" if existing else "created")
    tx.events.append(workspace, now, event.type, event.subject, event.body())
    return record


def _check_folder(platform: Platform, path: Path) -> None:
    home = platform.home.path.resolve()
    resolved = path.resolve()
    if not resolved.is_dir():
        what = "is a file" if resolved.is_file() else "does not exist"
        raise InvalidDocument(
            [Problem("/path", f"the folder {path} {what}", hint="make the folder first", code="missing")]
        )
    if resolved == home or home in resolved.parents:
        hint = "choose a folder outside of it"
        raise InvalidDocument([Problem("/path", f"{path} is in Penstock's own folder {home}", hint=hint)])


def _where_it_is(platform: Platform, record: DatastoreRecord, urls: UrlMap) -> list[Problem]:
    """What the author of a cloud's datastore must know: where its data is looked for here."""
    address = folders.cloud_address(record.type, record.spec)
    if address is None:
        return []
    mapped = urls.find(address)
    if mapped is not None:
        message = f"`{record.name}` is {mapped.root} here, as the map of addresses says ({mapped.where})"
        return [Problem("/type", message, code="unsupported")]
    place = platform.home.datastore(record.workspace, record.name)
    message = (
        f"`{record.name}` is a folder of this workspace here: nothing is read from or written to {address}"
    )
    hint = f"put its data into {place}, or map {address} to a folder (`url_map`)"
    return [Problem("/type", message, hint=hint, code="unsupported")]


def update(platform: Platform, caller: Caller, workspace: str, name: str, changes: Changes) -> dict[str, Any]:
    """Change a description, tags, or the folder of a local datastore."""
    require(caller, Action.ASSET_WRITE, workspace)
    with platform.database.transaction() as tx:
        existing = folders.demand(tx, workspace, name)
        if existing is None:
            raise Conflict(f"datastore `{name}` is built in; it has no settings")
        may_change = (*_MUTABLE, "path") if existing.type == folders.LOCAL else _MUTABLE
        refuse_fixed(existing.spec, changes, what=f"datastore `{name}`", may_change=may_change)
        merged = applied({**dict.fromkeys(may_change), **existing.spec}, changes)
        datastore = documents.parse("datastore", {**merged, "name": name, "type": existing.type}).resource
        assert isinstance(datastore, Datastore)
        record = _put(platform, caller, tx, workspace, datastore, existing)
        urls = read_url_map(settings_of(tx, workspace, {}).get("url_map"))
        return _described(platform, record, group_of(tx, workspace), urls)


def show(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """One datastore, with the folder that is behind it."""
    require(caller, Action.ASSET_READ, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
        record = folders.demand(tx, workspace, name)
        if record is None:
            return _built_in(platform, tx, workspace, name, group)
        return _described(
            platform, record, group, read_url_map(settings_of(tx, workspace, {}).get("url_map"))
        )


def show_default(platform: Platform, caller: Caller, workspace: str) -> dict[str, Any]:
    """The datastore where things go that name none."""
    return show(platform, caller, workspace, folders.BLOB_STORE)


def listing(platform: Platform, caller: Caller, workspace: str) -> list[dict[str, Any]]:
    """Every datastore of a workspace, the built-in ones first."""
    require(caller, Action.ASSET_READ, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
        urls = read_url_map(settings_of(tx, workspace, {}).get("url_map"))
        return [
            *(_built_in(platform, tx, workspace, name, group) for name in folders.BUILT_IN),
            *(_described(platform, record, group, urls) for record in tx.datastores.list(workspace)),
        ]


def delete(platform: Platform, caller: Caller, workspace: str, name: str) -> None:
    """Forget a datastore; what lies in it stays where it is. Refused while jobs that are not finished use it."""
    require(caller, Action.ASSET_WRITE, workspace)
    with platform.database.transaction() as tx:
        record = folders.demand(tx, workspace, name)
        if record is None:
            raise Conflict(f"datastore `{name}` is built in and stays")
        mark, store = f"datastores/{name}/paths", f'"datastore": "{name}"'
        users = [
            job.name
            for job in tx.jobs.list(workspace, statuses=tuple(st.OPEN), every=True)
            if mark in str(job.spec) or store.replace('"', "'") in str(job.spec)
        ]
        if users:
            raise Conflict(
                f"datastore `{name}` is in use by {', '.join(users[:5])}",
                hint="cancel these jobs first, or wait for their end",
            )
        tx.datastores.delete(workspace, name)
        event = DatastoreChanged(f"datastore/{name}", "deleted")
        tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())


def _built_in(platform: Platform, tx: Transaction, workspace: str, name: str, group: str) -> dict[str, Any]:
    made = tx.workspaces.get(workspace)
    folder = platform.home.datastore(workspace, name)
    record = DatastoreRecord(
        workspace,
        name,
        folders.LOCAL,
        {"path": str(folder)},
        made.created_at,
        made.created_by,
        made.created_at,
    )
    return _described(platform, record, group, UrlMap())


def _described(platform: Platform, record: DatastoreRecord, group: str, urls: UrlMap) -> dict[str, Any]:
    spec = record.spec
    address = folders.cloud_address(record.type, spec)
    mapped = urls.find(address) if address else None
    own = platform.home.datastore(record.workspace, record.name)
    return {
        "name": record.name,
        "type": record.type,
        "description": None,
        **spec,
        "folder": spec.get("path") or str(mapped.root if mapped else own),
        "is_default": record.name == folders.BLOB_STORE,
        "creation_context": creation_context(record.created_at, record.created_by, record.modified_at),
        "id": resource_id(
            subscription_of(platform.home), group, record.workspace, "datastores", record.name
        ).removeprefix("azureml:"),
        "resourceGroup": group,
    }
