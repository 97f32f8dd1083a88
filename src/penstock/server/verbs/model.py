"""Models: MLflow's registry is ours, so what a script registers is listed here and the other way round."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.events import AssetCreated, AssetUpdated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.description import creation_context
from penstock.jobs.places import uploaded_path
from penstock.jobs.plans import InDatastore, RegisteredModel, RunArtifact, Source
from penstock.jobs.step_runner import run_named
from penstock.resources import documents
from penstock.resources import references as refs
from penstock.resources.changes import Changes, changed_fields
from penstock.resources.model import Model
from penstock.resources.scope import registry_scope
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs import upload
from penstock.server.verbs.answer import Created, warnings_of
from penstock.server.verbs.asset import LATEST
from penstock.server.verbs.curated import environments_only, is_built_in
from penstock.server.verbs.data import only_uploads
from penstock.server.verbs.lifecycle import Shown, hidden, not_alone, one_or_all
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.scope import Identity, identity_of
from penstock.tracking.model_records import ModelVersion

# What may change of a version; `properties` may only grow.
MAY_CHANGE = ("description", "tags", "properties", "stage")


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """Register a version from uploaded files, a job's output, a datastore, or a run's artifacts."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("model", document)
    model = parsed.resource
    assert isinstance(model, Model)
    upload.demand(platform, document)
    identity = _identity(platform, workspace)
    found = _bytes_of(platform, caller, workspace, str(model.path))
    path = found.path
    if model.type == "mlflow_model" and not (path / "MLmodel").is_file():
        raise InvalidDocument(
            [
                Problem(
                    "/path",
                    "a model of type mlflow_model is a folder with an `MLmodel` file, and there is none",
                    hint="give the folder that `mlflow.<flavour>.save_model` wrote, or use `type: custom_model`",
                )
            ]
        )
    version = platform.models.create(
        workspace,
        str(model.name),
        model.version,
        path,
        type=model.type,
        file_name=found.called or path.name,
        is_folder=found.is_folder,
        description=model.description,
        tags={key: str(value) for key, value in (model.tags or {}).items()},
        properties={key: str(value) for key, value in (model.properties or {}).items()},
        stage=model.stage,
        job_name=found.job,
        run_id=found.run,
    )
    with platform.database.transaction() as tx:
        event = AssetCreated(f"model/{version.name}:{version.version}", "model", version.version)
        tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    more = (
        [hidden(workspace, "model", version.name, version.version, version.archived_whole)]
        if version.archived
        else []
    )
    described = _described(version, identity, platform.user)
    return Created(described, warnings_of(parsed, more))


@dataclass(frozen=True)
class _Bytes:
    """Where the model's files lie, the job or run that they came from, and what a model that they are of says of them.

    `called` and `is_folder` are None where the path itself tells.
    """

    path: Path
    job: str | None = None
    run: str | None = None
    called: str | None = None
    is_folder: bool | None = None


def _bytes_of(platform: Platform, caller: Caller, workspace: str, text: str) -> _Bytes:
    snapshot = parse_snapshot_uri(text)
    if snapshot is not None:
        upload.lay_out(platform, workspace, snapshot)
        return _Bytes(uploaded_path(platform.home, workspace, snapshot))
    only_uploads(workspace, "model", text)
    reference = refs.parse_reference(text, "model")
    locator = platform.runner.locator(workspace)
    source: Source
    job = run = called = None
    is_folder: bool | None = None
    with platform.database.reading() as tx:
        if isinstance(reference, refs.JobOutput):
            source = WorkspaceLookup(platform, tx, workspace).job_output(reference)
            job = reference.job
            run = tx.jobs.get(workspace, getattr(source, "job", job)).mlflow_run
        elif isinstance(reference, refs.DatastorePath):
            WorkspaceLookup(platform, tx, workspace, caller.settings).place(reference)
            source = InDatastore(reference.datastore, reference.path)
        elif isinstance(reference, refs.RunArtifact):
            run = run_named(tx, workspace, reference.run)
            job = reference.run if run != reference.run else None
            source = RunArtifact(run, reference.path)
        elif isinstance(reference, refs.AssetReference):
            _, source = WorkspaceLookup(platform, tx, workspace).model(reference)
            assert isinstance(source, RegisteredModel)
            scope = workspace if source.registry is None else registry_scope(source.registry)
            folder = platform.models.folder_name(scope, source.name, source.version)
            called = folder or platform.models.get(scope, source.name, source.version).file_name
            is_folder = folder is not None
        else:
            raise PenstockError(
                f"a model cannot be made from `{text}` yet",
                hint="give a local path, azureml://jobs/<job>/outputs/<output>/paths/<path>, or runs:/<run>/<path>",
            )
    return _Bytes(locator.path_of(source), job, run, called, is_folder)


def show(platform: Platform, caller: Caller, workspace: str, name: str, version: str) -> dict[str, Any]:
    """One version."""
    require(caller, Action.ASSET_READ, workspace)
    _not_built_in(workspace, name)
    identity = _identity(platform, workspace)
    return _described(platform.models.get(workspace, name, version), identity, platform.user)


def show_label(platform: Platform, caller: Caller, workspace: str, name: str, label: str) -> dict[str, Any]:
    """The version that a label, or an MLflow alias, names."""
    require(caller, Action.ASSET_READ, workspace)
    _not_built_in(workspace, name)
    identity = _identity(platform, workspace)
    return _described(platform.models.labelled(workspace, name, label), identity, platform.user)


def listing(
    platform: Platform,
    caller: Caller,
    workspace: str,
    *,
    name: str | None = None,
    shown: Shown = Shown.ACTIVE,
    tag: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """One row per name with its latest version; with a name, that name's versions, newest first."""
    require(caller, Action.ASSET_READ, workspace)
    if is_built_in(workspace):
        return []
    identity = _identity(platform, workspace)
    models = platform.models
    found = models.catalogue(workspace) if name is None else models.versions(workspace, name)
    wanted = [each for each in found if shown.has(each.archived) and _is_tagged(each, tag)][:limit]
    if name is not None:
        return [_described(version, identity, platform.user) for version in wanted]
    return [
        {
            "name": version.name,
            "latest_version": version.version,
            "description": version.description,
            "tags": dict(version.tags),
            "archived": version.archived,
            "creation_context": creation_context(version.created_at, platform.user, version.modified_at),
        }
        for version in wanted
    ]


def _not_built_in(scope: str, name: str) -> None:
    """Return, or say what the built-in registry holds instead: MLflow is not asked."""
    if is_built_in(scope):
        raise environments_only("model", name)


def _is_tagged(version: ModelVersion, tag: str | None) -> bool:
    """Whether it has the tag, given as a key or as `key=value`."""
    if tag is None:
        return True
    key, has_value, value = tag.partition("=")
    return key in version.tags and (not has_value or version.tags[key] == value)


def update(
    platform: Platform, caller: Caller, workspace: str, name: str, version: str, changes: Changes
) -> dict[str, Any]:
    """Change what describes a version; its files stay."""
    require(caller, Action.ASSET_WRITE, workspace)
    identity = _identity(platform, workspace)
    existing = platform.models.get(workspace, name, version)
    record = _described(existing, identity, platform.user)
    found = changed_fields(record, changes, what=f"model `{name}:{version}`", may_change=MAY_CHANGE)
    if not found:
        return record
    # MLflow keeps texts only: nothing is the empty one.
    values: dict[str, Any] = {key: "" if value is None else value for key, value in found.items()}
    for key in ("tags", "properties"):
        if key in values:
            values[key] = {name: "" if each is None else str(each) for name, each in values[key].items()}
    updated = platform.models.update(workspace, name, existing.version, **values)
    _tell(platform, workspace, name, existing.version)
    return _described(updated, identity, platform.user)


def archive(
    platform: Platform,
    caller: Caller,
    workspace: str,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
) -> None:
    """Hide a version (or, where none is named, the model with all of them) from lists and from `@latest`."""
    require(caller, Action.ASSET_WRITE, workspace)
    one_or_all(version, label)
    _identity(platform, workspace)
    models = platform.models
    if version is None and label is None:
        models.archive_whole(workspace, name, True)
        _tell(platform, workspace, name, None)
        return
    record = (
        models.labelled(workspace, name, label)
        if label is not None
        else models.get(workspace, name, str(version))
    )
    if not record.archived:
        models.update(workspace, name, record.version, archived=True)
        _tell(platform, workspace, name, record.version)


def restore(
    platform: Platform,
    caller: Caller,
    workspace: str,
    name: str,
    *,
    version: str | None = None,
    label: str | None = None,
) -> None:
    """Show a version again (or, where none is named, the model with all of them).

    The label `latest` names the version that was created last, archived or not: here it is the archived ones that matter.
    """
    require(caller, Action.ASSET_WRITE, workspace)
    one_or_all(version, label)
    _identity(platform, workspace)
    models = platform.models
    if version is None and label is None:
        models.archive_whole(workspace, name, False)
        _tell(platform, workspace, name, None)
        return
    versions = models.versions(workspace, name)
    if label == LATEST and versions:
        record = versions[0]
    elif label is not None:
        record = models.labelled(workspace, name, label)
    else:
        record = models.get(workspace, name, str(version))
    if record.archived_whole:
        raise not_alone(workspace, "model", name, record.version)
    if record.archived:
        models.update(workspace, name, record.version, archived=False)
        _tell(platform, workspace, name, record.version)


def _tell(platform: Platform, workspace: str, name: str, version: str | None) -> None:
    """Write down that a version was changed, or all of them."""
    subject = f"model/{name}" if version is None else f"model/{name}:{version}"
    event = AssetUpdated(subject, "model", version)
    with platform.database.transaction() as tx:
        tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())


def described(platform: Platform, scope: str, version: ModelVersion) -> dict[str, Any]:
    """The record that REST returns of a version."""
    return _described(version, _identity(platform, scope), platform.user)


def _identity(platform: Platform, scope: str) -> Identity:
    """Also sees to it that the scope exists: MLflow makes a workspace of any name that it is asked for."""
    with platform.database.reading() as tx:
        return identity_of(platform, tx, scope, "model")


def _described(version: ModelVersion, identity: Identity, user: str) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "type": version.type,
        "path": version.path,
        "description": version.description,
        "tags": dict(version.tags),
        "properties": dict(version.properties),
        "stage": version.stage,
        "flavors": dict(version.flavors or {}),
        "labels": list(version.aliases),
        "archived": version.archived,
        "job_name": version.job_name,
        "mlflow_run_id": version.run_id,
        "mlflow_version": version.mlflow_version,
        "mlflow_uri": version.uri,
        "creation_context": creation_context(version.created_at, user, version.modified_at),
        **identity.of(version.name, version.version),
    }
