"""Data assets: a local path was uploaded and has a place in the datastore; a remote one is recorded as it is."""

from typing import Any

from penstock.errors import InvalidDocument, Problem
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.places import BLOB_STORE, UPLOADS
from penstock.resources import documents
from penstock.resources.data import Data
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs import asset, upload
from penstock.server.verbs.answer import Created

_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new version of a data asset."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("data", document)
    data = parsed.resource
    assert isinstance(data, Data)
    upload.demand(platform, document)
    path = _place(platform, workspace, str(data.path), data.type)
    spec = {**data.to_document(), "path": path}
    new = asset.NewVersion(
        kind="data",
        name=str(data.name),
        version=data.version,
        spec={key: value for key, value in spec.items() if key not in _OWN_COLUMNS},
        content={"type": data.type, "path": path},
        description=data.description,
        tags=dict(data.tags or {}),
        properties=dict(data.properties or {}),
    )
    with platform.database.transaction() as tx:
        record = asset.save(platform, tx, workspace, new)
        return asset.answer(tx, record, parsed)


def _place(platform: Platform, workspace: str, path: str, kind: str) -> str:
    """The address under which the asset's bytes are found."""
    snapshot = parse_snapshot_uri(path)
    if snapshot is None:
        return path
    if snapshot.is_folder and kind == "uri_file":
        raise _misfit("is a folder", "uri_folder")
    if not snapshot.is_folder and kind == "uri_folder":
        raise _misfit("is a file", "uri_file")
    upload.lay_out(platform, workspace, snapshot)
    slash = "/" if snapshot.is_folder else ""
    return f"azureml://datastores/{BLOB_STORE}/paths/{UPLOADS}/{snapshot.digest}/{snapshot.name}{slash}"


def _misfit(what: str, fitting: str) -> InvalidDocument:
    problem = Problem(
        "/path", f"`path` {what}, which does not fit the asset's `type`", hint=f"use `type: {fitting}`"
    )
    return InvalidDocument([problem])
