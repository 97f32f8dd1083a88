"""Sharing: a version of a workspace, its content kept, becomes a version of a registry under the same or another name."""

from dataclasses import dataclass
from typing import Any

from penstock.datastores.folders import BLOB_STORE
from penstock.errors import Conflict, InvalidDocument, NotFound, PenstockError
from penstock.events import AssetCreated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.places import UPLOADS
from penstock.resources import documents
from penstock.resources import references as refs
from penstock.resources.scope import registry_scope
from penstock.resources.snapshots import SnapshotUri, take_snapshot
from penstock.server.platform import Platform
from penstock.server.verbs import asset, component, data_facts, environment, model, upload
from penstock.server.verbs.answer import Created
from penstock.server.verbs.lookup import source_of
from penstock.server.verbs.relaxing import Relaxed
from penstock.server.verbs.scope import must_exist
from penstock.store.records.asset import AssetRecord


@dataclass(frozen=True)
class Target:
    """Where a version goes; name and version are its own where none are given."""

    registry: str
    name: str | None = None
    version: str | None = None


def share(
    platform: Platform, caller: Caller, workspace: str, kind: str, name: str, version: str, target: Target
) -> Created:
    """Put a version into a registry. Said again, it is the same version; with other content there, it is refused.

    The bytes arrive before the version does, so that a server that is killed meanwhile leaves no half one.
    """
    scope = registry_scope(target.registry)
    require(caller, Action.ASSET_READ, workspace)
    require(caller, Action.ASSET_WRITE, scope)
    _check_name(kind, target)
    with platform.database.reading() as tx:
        must_exist(tx, scope)
        record = None if kind == "model" else asset.find(tx, workspace, kind, name, version=version)
    if record is None:
        return _share_model(platform, workspace, name, version, scope, target)
    if kind == "data":
        return _share_data(platform, record, scope, target)
    document = {
        **record.spec,
        "name": target.name or name,
        "version": target.version or version,
        "description": record.description,
        "tags": record.tags,
        "properties": record.properties,
    }
    document = {key: each for key, each in document.items() if each is not None}
    if kind == "environment":  # a relaxed one stays what it is, whatever the index says today
        made = environment.create(platform, caller, scope, document, shared=Relaxed.of_spec(record.spec))
    else:
        made = component.create(platform, caller, scope, document)
    return Created(made.record)


def _check_name(kind: str, target: Target) -> None:
    """Refuse a name or version that no reference could be made of; the rules are those of a file."""
    document = {
        "name": target.name or "any",
        "version": target.version,
        "path": "azureml://datastores/any/paths/any",
    }
    try:
        documents.parse("data", {key: value for key, value in document.items() if value is not None})
    except InvalidDocument as error:
        problem = error.problems[0]
        flag = "--share-with-name" if problem.pointer == "/name" else "--share-with-version"
        expected = (f"expected: {problem.expected}",) if problem.expected else ()
        raise PenstockError(
            f"{kind} cannot be shared: {problem.message}", details=expected, hint=f"give another {flag}"
        ) from error


def _share_model(
    platform: Platform, workspace: str, name: str, version: str, scope: str, target: Target
) -> Created:
    models = platform.models
    found = models.get(workspace, name, version)
    wanted, number = target.name or name, target.version or found.version
    is_new = models.find(scope, wanted, number) is None
    folder = models.folder_name(workspace, name, found.version)
    shared = models.create(
        scope,
        wanted,
        number,
        models.local_folder(workspace, name, found.version),
        type=found.type,
        file_name=folder or found.file_name,
        is_folder=folder is not None,
        description=found.description,
        tags=found.tags,
        properties=found.properties,
        stage=found.stage,
    )
    if is_new:
        with platform.database.transaction() as tx:
            event = AssetCreated(f"model/{shared.name}:{shared.version}", "model", shared.version)
            tx.events.append(scope, platform.clock(), event.type, event.subject, event.body())
    return Created(model.described(platform, scope, shared))


def _share_data(platform: Platform, record: AssetRecord, scope: str, target: Target) -> Created:
    path = _brought_over(platform, record, scope)
    new = asset.NewVersion(
        kind="data",
        name=target.name or record.name,
        version=target.version or record.version,
        # What was found out about a version stays with it; what is expected of it comes along.
        spec={**{key: value for key, value in record.spec.items() if key != "last_validation"}, "path": path},
        content={"type": record.spec.get("type"), "path": path},
        expectations=record.spec.get("expectations"),
        description=record.description,
        tags=record.tags,
        properties=record.properties,
    )
    new.spec.update(
        data_facts.at_creation(platform, scope, new.spec) if "content_digest" not in new.spec else {}
    )
    with platform.database.transaction() as tx:
        shared = asset.save(platform, tx, scope, new)
        answer = Created(asset.record_of(platform, tx, shared))
    data_facts.see_to(platform, shared)
    return answer


def _brought_over(platform: Platform, record: AssetRecord, scope: str) -> str:
    """The address of the data in the registry, where its bytes lie afterwards; a public address stays what it is."""
    path = str(record.spec["path"])
    if isinstance(refs.parse_reference(path, "data"), refs.WebAddress):
        return path
    source = source_of(path, None)
    snapshot = upload.uploaded_as(source) or _taken(platform, record, source)
    upload.lay_out(platform, scope, snapshot)
    slash = "/" if snapshot.is_folder else ""
    return f"azureml://datastores/{BLOB_STORE}/paths/{UPLOADS}/{snapshot.digest}/{snapshot.name}{slash}"


def _taken(platform: Platform, record: AssetRecord, source: Any) -> SnapshotUri:
    """A snapshot of data that lies elsewhere: in a datastore, among a job's outputs."""
    place = platform.runner.locator(record.workspace).path_of(source)
    snapshot, files = take_snapshot(
        place, apply_ignore=False, project_root=place if place.is_dir() else place.parent
    )
    if not snapshot.files:
        raise NotFound(
            f"data `{record.name}:{record.version}` has no files", details=(f"looked in: {place}",)
        )
    for digest in platform.artifacts.missing(set(files)):
        with files[digest].open("rb") as stream:
            platform.artifacts.put(digest, iter(lambda: stream.read(1024 * 1024), b""))
    platform.artifacts.put(snapshot.digest, [snapshot.manifest()])
    if platform.artifacts.missing({snapshot.digest, *files}):
        raise Conflict("the data was removed while it was shared", hint="repeat the command")
    return SnapshotUri(snapshot.digest, snapshot.name, snapshot.is_folder)
