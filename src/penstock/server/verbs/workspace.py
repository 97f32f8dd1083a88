"""Workspaces: the unit of isolation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.datastores.url_map import read_url_map
from penstock.environments.curated_map import read_environment_map
from penstock.errors import AlreadyExists, Conflict, InvalidDocument, Problem
from penstock.events import WorkspaceChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import DEFAULT_RESOURCE_GROUP, creation_context
from penstock.resources import documents
from penstock.resources.changes import Changes, applied, refuse_fixed
from penstock.resources.workspace import Workspace
from penstock.resources.workspace_settings import WorkspaceSettings
from penstock.server.platform import Platform
from penstock.server.verbs.answer import Created, warnings_of
from penstock.settings import WORKSPACE_SETTINGS, merged_settings
from penstock.store.records.workspace import WorkspaceRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of

DEFAULT_WORKSPACE = "default"


def ensure_default(platform: Platform) -> None:
    """A fresh home has the workspace `default`."""
    with platform.database.transaction() as tx:
        if tx.workspaces.find(DEFAULT_WORKSPACE) is None:
            _insert(platform, tx, Workspace(name=DEFAULT_WORKSPACE, description="Made with this home."), {})


def create(platform: Platform, caller: Caller, document: dict[str, Any]) -> Created:
    """A new workspace. One that exists in the same resource group gets what this one says, as in Azure ML."""
    require(caller, Action.WORKSPACE_WRITE)
    parsed = documents.parse("workspace", document)
    workspace = parsed.resource
    assert isinstance(workspace, Workspace)
    _check_settings(workspace.settings)
    with platform.database.transaction() as tx:
        existing = tx.workspaces.find(workspace.name)
        if existing is not None:
            if existing.resource_group != (workspace.resource_group or existing.resource_group):
                raise AlreadyExists(
                    f"workspace `{workspace.name}` exists in resource group `{existing.resource_group}`",
                    hint="choose another name: names of workspaces are unique on a server",
                )
            record = _described_again(tx, platform, existing, workspace)
        else:
            record = _insert(platform, tx, workspace, document)
    return Created(record_of(platform, record), warnings_of(parsed))


def _described_again(
    tx: Transaction, platform: Platform, existing: WorkspaceRecord, workspace: Workspace
) -> WorkspaceRecord:
    """The workspace with what is said of it now; what is not said stays."""
    said = Workspace(
        name=existing.name,
        display_name=workspace.display_name or existing.display_name,
        description=existing.description if workspace.description is None else workspace.description,
        tags={**existing.tags, **workspace.tags},
        settings=WorkspaceSettings.model_validate(
            merged_settings(existing.settings, workspace.settings.to_document())
        ),
    )
    return _changed(platform, tx, existing, said)


def _changed(
    platform: Platform, tx: Transaction, existing: WorkspaceRecord, workspace: Workspace
) -> WorkspaceRecord:
    columns: Any = {
        "display_name": workspace.display_name or existing.name,
        "description": workspace.description,
        "tags": dict(workspace.tags),
        "properties": {**existing.properties, "settings": workspace.settings.to_document()},
    }
    if all(getattr(existing, name) == value for name, value in columns.items()):
        return existing
    record: WorkspaceRecord = tx.workspaces.update(existing.name, **columns)
    event = WorkspaceChanged(f"workspace/{existing.name}", "updated")
    tx.events.append(existing.name, platform.clock(), event.type, event.subject, event.body())
    return record


def _insert(
    platform: Platform, tx: Transaction, workspace: Workspace, document: dict[str, Any]
) -> WorkspaceRecord:
    record = WorkspaceRecord(
        name=workspace.name,
        display_name=workspace.display_name or workspace.name,
        description=workspace.description,
        location=workspace.location or "local",
        resource_group=workspace.resource_group or DEFAULT_RESOURCE_GROUP,
        tags=dict(workspace.tags or {}),
        properties={
            **{key: value for key, value in document.items() if key in _RECORDED},
            "settings": workspace.settings.to_document(),
        },
        created_at=platform.clock(),
        created_by=platform.user,
    )
    tx.workspaces.create(record)
    event = WorkspaceChanged(f"workspace/{record.name}", "created")
    tx.events.append(record.name, platform.clock(), event.type, event.subject, event.body())
    return record


# Keys that mean something in the cloud only: kept, shown again, not acted on.
_RECORDED = ("storage_account", "key_vault", "application_insights", "container_registry", "hbi_workspace",
             "public_network_access", "image_build_compute", "identity", "managed_network")  # fmt: skip


# What may be changed after a workspace was made. Its mappings are reached into: `tags.team`, `settings.url_map`.
_MUTABLE = ("display_name", "description", "tags", "settings")


def update(platform: Platform, caller: Caller, name: str, changes: Changes) -> dict[str, Any]:
    """Change what may change, such as `settings.url_map`; removing forgets an entry."""
    require(caller, Action.WORKSPACE_WRITE)
    refuse_fixed({}, changes, what="a workspace", may_change=_MUTABLE)
    with platform.database.transaction() as tx:
        existing = tx.workspaces.get(name)
        document: dict[str, Any] = {
            "display_name": existing.display_name,
            "description": existing.description,
            "tags": dict(existing.tags),
            "settings": dict(existing.settings),
        }
        document = applied(document, changes)
        workspace = documents.parse("workspace", {**document, "name": name}).resource
        assert isinstance(workspace, Workspace)
        _check_settings(workspace.settings)
        record = _changed(platform, tx, existing, workspace)
    return record_of(platform, record)


def _check_settings(settings: WorkspaceSettings) -> None:
    """Every file that a setting names is there and can be read, so that a slip shows now and not in a job."""
    problems = [
        Problem(
            f"/settings/{name}", f"there is no file {path}", hint="give the path of a file", code="missing"
        )
        for name, path in settings.to_document().items()
        if name in WORKSPACE_SETTINGS and not Path(path).is_file()
    ]
    if problems:
        raise InvalidDocument(problems)
    read_url_map(settings.url_map)
    read_environment_map(settings.environment_map)


def settings_of(tx: Transaction, workspace: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The workspace's settings; what came with a request (flags, the caller's environment) counts before them.

    A registry has none of its own."""
    found = tx.workspaces.find(workspace)
    return merged_settings(found.settings if found else {}, given)


def listing(platform: Platform, caller: Caller) -> list[dict[str, Any]]:
    """Every workspace that the caller may enter."""
    require(caller, Action.WORKSPACE_READ, caller.workspace)
    with platform.database.reading() as tx:
        return [
            record_of(platform, record) for record in tx.workspaces.list() if caller.may_enter(record.name)
        ]


def show(platform: Platform, caller: Caller, name: str) -> dict[str, Any]:
    """One workspace, with the address of its MLflow."""
    require(caller, Action.WORKSPACE_READ, name)
    with platform.database.reading() as tx:
        return record_of(platform, tx.workspaces.get(name))


def delete(platform: Platform, caller: Caller, name: str) -> None:
    """Remove a workspace with its assets, jobs, files, runs and models. Refused while a job is open, and for `default`."""
    require(caller, Action.WORKSPACE_WRITE)
    if name == DEFAULT_WORKSPACE:
        raise Conflict(
            "workspace `default` stays", hint="make another one the default with `penstock configure`"
        )
    with platform.database.reading() as tx:
        _check_unused(tx, name)
    # Before the rows: where MLflow cannot be told, the workspace stays, and no later one of its name shows its runs.
    platform.runs.delete_workspace(name)
    with platform.database.transaction() as tx:
        _check_unused(tx, name)
        tx.workspaces.delete(name)
    platform.remove_tree(platform.home.workspace(name))


def _check_unused(tx: Transaction, name: str) -> None:
    tx.workspaces.get(name)
    open_jobs = [job.name for job in tx.jobs.list(name, statuses=tuple(st.OPEN), limit=5)]
    if open_jobs:
        raise Conflict(
            f"workspace `{name}` has open jobs: {', '.join(open_jobs)}",
            hint="cancel them first (`penstock job cancel -n <name>`)",
        )


def record_of(platform: Platform, record: WorkspaceRecord) -> dict[str, Any]:
    """The record that REST returns."""
    return {
        "name": record.name,
        "display_name": record.display_name,
        "description": record.description,
        "location": record.location,
        "resource_group": record.resource_group,
        "tags": record.tags,
        "mlflow_tracking_uri": platform.tracking_uri(record.name),
        "datastores_folder": str(platform.home.workspace(record.name) / "datastores"),
        "provisioning_state": "Succeeded",
        "creation_context": creation_context(record.created_at, record.created_by),
        "id": (
            f"/subscriptions/{subscription_of(platform.home)}/resourceGroups/{record.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{record.name}"
        ),
        "resourceGroup": record.resource_group,
        "settings": {},
        **record.properties,
    }
