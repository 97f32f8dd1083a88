"""Computes: named pools of this machine's processes. How many instances a pool has is how many steps it runs at once."""

import os
from typing import Any

from penstock.errors import Conflict, InvalidDocument, NotFound, Problem
from penstock.events import ComputeChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import creation_context, group_of, resource_id
from penstock.jobs.lookup import LOCAL_COMPUTE
from penstock.resources import documents
from penstock.resources.changes import Changes, applied, refuse_fixed
from penstock.resources.compute import Compute
from penstock.resources.nearest import nearest
from penstock.server.platform import Platform
from penstock.server.verbs.answer import Created, warnings_of
from penstock.store.database import Database
from penstock.store.records.compute import ComputeRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of

DEFAULT_MAX_INSTANCES = 4
_MUTABLE = (
    "min_instances",
    "max_instances",
    "idle_time_before_scale_down",
    "identity",
    "tags",
    "description",
)


def instances_of(database: Database, workspace: str, name: str) -> int:
    """How many processes may run on a compute at once."""
    with database.reading() as tx:
        record = tx.computes.find(workspace, name)
    if record is None or record.type == LOCAL_COMPUTE:
        return os.cpu_count() or 1
    return places_of(record)


def places_of(record: ComputeRecord) -> int:
    """How many instances a compute may have that was created with a limit, or without a word about it."""
    return int(record.spec.get("max_instances") or DEFAULT_MAX_INSTANCES)


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new compute; one that exists gets the given settings, as in Azure ML."""
    require(caller, Action.COMPUTE_WRITE, workspace)
    parsed = documents.parse("compute", document)
    compute = parsed.resource
    assert isinstance(compute, Compute)
    name = str(compute.name)
    if name == LOCAL_COMPUTE:
        raise Conflict("compute `local` is this machine and always exists", hint="choose another name")
    given = compute.to_document()
    now = platform.clock()
    with platform.database.transaction() as tx:
        tx.workspaces.get(workspace)
        existing = tx.computes.find(workspace, name)
        if existing is not None and existing.type != compute.type:
            raise Conflict(
                f"compute `{name}` exists with type {existing.type}", hint="delete it first, or rename"
            )
        spec = {
            **(existing.spec if existing else {}),
            **{key: value for key, value in given.items() if value is not None},
        }
        created_at = existing.created_at if existing else now
        record = ComputeRecord(workspace, name, compute.type, spec, created_at, now)
        _check_limits(spec)
        _put(platform, tx, record, "updated" if existing else "created")
        answer = Created(_described(platform, record, group_of(tx, workspace)), warnings_of(parsed))
    platform.engine.computes_changed()
    return answer


def update(platform: Platform, caller: Caller, workspace: str, name: str, changes: Changes) -> dict[str, Any]:
    """Change what may change of a compute: its limits, identity, tags and description."""
    require(caller, Action.COMPUTE_WRITE, workspace)
    with platform.database.transaction() as tx:
        existing = find(tx, workspace, name)
        if existing.name == LOCAL_COMPUTE:
            raise Conflict("compute `local` is this machine; it has no settings")
        refuse_fixed(existing.spec, changes, what=f"compute `{name}`", may_change=_MUTABLE)
        merged = applied({**dict.fromkeys(_MUTABLE), **existing.spec}, changes)
        resource = documents.parse("compute", {**merged, "name": name, "type": existing.type}).resource
        _check_limits(merged)
        spec = {key: value for key, value in resource.to_document().items() if value is not None}
        record = ComputeRecord(workspace, name, existing.type, spec, existing.created_at, platform.clock())
        _put(platform, tx, record, "updated")
        answer = _described(platform, record, group_of(tx, workspace))
    platform.engine.computes_changed()
    return answer


def _put(platform: Platform, tx: Transaction, record: ComputeRecord, change: str) -> None:
    tx.computes.put(record)
    event = ComputeChanged(f"compute/{record.name}", change)
    tx.events.append(record.workspace, platform.clock(), event.type, event.subject, event.body())


def _check_limits(spec: dict[str, Any]) -> None:
    least, most = int(spec.get("min_instances") or 0), int(spec.get("max_instances") or DEFAULT_MAX_INSTANCES)
    if least > most:
        raise InvalidDocument(
            [Problem("/min_instances", f"min_instances ({least}) is greater than max_instances ({most})")]
        )


def find(tx: Transaction, workspace: str, name: str) -> ComputeRecord:
    """A compute by name; `local` is there without having been created."""
    record: ComputeRecord | None = tx.computes.find(workspace, name)
    if record is not None:
        return record
    if name == LOCAL_COMPUTE:
        created = tx.workspaces.get(workspace).created_at
        return ComputeRecord(
            workspace, LOCAL_COMPUTE, LOCAL_COMPUTE, {"name": LOCAL_COMPUTE}, created, created
        )
    names = [each.name for each in tx.computes.list(workspace)]
    close = nearest(name, [*names, LOCAL_COMPUTE])
    command = f"`penstock compute create -n {name} --type amlcompute --max-instances 2`"
    raise NotFound(
        f"Not found compute with name {name}",
        details=(f"looked in: workspace `{workspace}` ({', '.join([*names, LOCAL_COMPUTE])})",),
        hint=f"did you mean `{close}`? If not, create it: {command}"
        if close
        else f"create it with {command}",
    )


def show(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """One compute."""
    require(caller, Action.COMPUTE_READ, workspace)
    with platform.database.reading() as tx:
        return _described(platform, find(tx, workspace, name), group_of(tx, workspace))


def listing(
    platform: Platform, caller: Caller, workspace: str, kind: str | None = None
) -> list[dict[str, Any]]:
    """Every compute of a workspace, `local` last; `kind` filters by type, in any case."""
    require(caller, Action.COMPUTE_READ, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
        records = [*tx.computes.list(workspace), find(tx, workspace, LOCAL_COMPUTE)]
    return [
        _described(platform, record, group)
        for record in records
        if kind is None or record.type == kind.lower()
    ]


def delete(platform: Platform, caller: Caller, workspace: str, name: str) -> None:
    """Remove a compute. Refused while jobs that are not finished use it."""
    require(caller, Action.COMPUTE_WRITE, workspace)
    with platform.database.transaction() as tx:
        record = find(tx, workspace, name)
        if record.name == LOCAL_COMPUTE:
            raise Conflict("compute `local` is this machine and stays")
        users = [job.name for job in tx.jobs.using_compute(workspace, name, tuple(st.OPEN))]
        if users:
            raise Conflict(
                f"compute `{name}` is in use by {', '.join(users[:5])}",
                hint="cancel these jobs first, or wait for their end",
            )
        tx.computes.delete(workspace, name)
        event = ComputeChanged(f"compute/{name}", "deleted")
        tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())


def _described(platform: Platform, record: ComputeRecord, group: str) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.type,
        **{key: value for key, value in record.spec.items() if key not in ("name", "type")},
        "provisioning_state": "Succeeded",
        "location": record.spec.get("location") or "local",
        "created_on": creation_context(record.created_at, "")["created_at"],
        "id": resource_id(
            subscription_of(platform.home), group, record.workspace, "computes", record.name
        ).removeprefix("azureml:"),
        "resourceGroup": group,
    }
