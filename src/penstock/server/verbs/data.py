"""Data assets: a local path was uploaded and has a place in the datastore; a remote one is recorded as it is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from penstock.datastores import folders
from penstock.datastores.folders import Place
from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.places import UPLOADS
from penstock.resources import documents
from penstock.resources import references as refs
from penstock.resources.data import Data
from penstock.resources.scope import registry_of
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs import asset, data_facts, mltable, upload
from penstock.server.verbs.answer import Created
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.scope import must_exist

_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")


def create(
    platform: Platform,
    caller: Caller,
    workspace: str,
    document: dict[str, Any],
    *,
    skip_validation: bool = False,
) -> Created:
    """A new version of a data asset. `skip_validation` takes an MLTable file as it is."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("data", document)
    data = parsed.resource
    assert isinstance(data, Data)
    upload.demand(platform, document)
    if parse_snapshot_uri(str(data.path)) is None:
        only_uploads(workspace, "data", str(data.path))
    with platform.database.reading() as tx:
        must_exist(tx, workspace)
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        place = _place_of_uploads(lookup, data)
        if data.type == "mltable":
            said = mltable.check(platform, lookup, str(data.path), skip_validation=skip_validation)
            parsed = replace(parsed, warnings=(*parsed.warnings, *said))
        else:
            parsed = replace(parsed, warnings=(*parsed.warnings, *_notes(lookup, data)))
    path = _address(platform, place, str(data.path), data.type)
    # As it was written: a model's own document has every default.
    expectations = document.get("expectations") if data.expectations is not None else None
    spec = {**data.to_document(), "path": path, "expectations": expectations}
    new = asset.NewVersion(
        kind="data",
        name=str(data.name),
        version=data.version,
        spec={key: value for key, value in spec.items() if key not in _OWN_COLUMNS and value is not None},
        content={"type": data.type, "path": path},
        description=data.description,
        tags=dict(data.tags or {}),
        properties=dict(data.properties or {}),
        expectations=expectations,
    )
    new.spec.update(data_facts.at_creation(platform, workspace, new.spec))
    with platform.database.transaction() as tx:
        new = replace(new, spec=data_facts.known_already(tx, workspace, new.name, new.spec))
        record = asset.save(platform, tx, workspace, new)
        same = data_facts.same_content(tx, record)
    pending = data_facts.see_to(platform, record, wait=True)
    notes = tuple(note for note in (same, pending) if note is not None)
    with platform.database.reading() as tx:
        now = asset.find(tx, workspace, "data", record.name, version=record.version)
        return asset.answer(platform, tx, now, replace(parsed, warnings=(*parsed.warnings, *notes)))


def _place_of_uploads(lookup: WorkspaceLookup, data: Data) -> Place:
    """Where a local path is put. Every datastore that the file names exists."""
    problems = []
    named = folders.BLOB_STORE if data.datastore is None else data.datastore.removeprefix("azureml:")
    reference = refs.parse_reference(str(data.path), "data")
    place = None
    try:
        place = lookup.place(refs.DatastorePath(named, UPLOADS))
    except PenstockError as error:
        problems.append(_problem("/datastore", error))
    if isinstance(reference, refs.DatastorePath):
        try:
            lookup.place(reference)
        except PenstockError as error:
            problems.append(_problem("/path", error))
    if problems or place is None:
        raise InvalidDocument(problems)
    return place


def _notes(lookup: WorkspaceLookup, data: Data) -> Iterator[Problem]:
    """What the author of data at an address should know: it is recorded, and when its bytes are looked for."""
    if not isinstance(refs.parse_reference(str(data.path), "data"), refs.WebAddress):
        return
    url = str(data.path)
    try:
        mapped = lookup.urls.find(url)
        if mapped is None:
            lookup.address(url, data.type)
    except PenstockError as error:
        message = f"the address is recorded, but no job can read it as it is: {error.message}"
        yield Problem("/path", message, hint=error.hint, code="unsupported")
        return
    then = (
        "downloaded by the first job that uses it"
        if mapped is None
        else f"{mapped.root} stands for it ({mapped.where})"
    )
    yield Problem("/path", f"the address is recorded, not its content: {then}", code="unsupported")


def _problem(pointer: str, error: PenstockError) -> Problem:
    details = f" ({'; '.join(error.details)})" if error.details else ""
    return Problem(pointer, error.message + details, hint=error.hint, code="not_found")


def _address(platform: Platform, place: Place, path: str, kind: str) -> str:
    """The address under which the asset's bytes are found."""
    snapshot = parse_snapshot_uri(path)
    if snapshot is None:
        return path
    if snapshot.is_folder and kind == "uri_file":
        raise _misfit("is a folder", "uri_folder")
    if not snapshot.is_folder and kind in ("uri_folder", "mltable"):
        raise _misfit("is a file", "uri_file")
    folder = place.path / snapshot.digest
    platform.checkouts.checkout(snapshot.digest, folder / snapshot.name, writable=False)
    slash = "/" if snapshot.is_folder else ""
    return f"azureml://datastores/{place.datastore}/paths/{UPLOADS}/{snapshot.digest}/{snapshot.name}{slash}"


def only_uploads(scope: str, kind: str, path: str) -> None:
    """Return, unless the scope is a registry and the path a place in a workspace: from there one shares."""
    registry = registry_of(scope)
    if registry is None or isinstance(refs.parse_reference(path, kind), refs.WebAddress):
        return
    problem = Problem(
        "/path",
        f"`{path}` is in a workspace, and registry `{registry}` keeps bytes of its own",
        expected="a local path",
        hint=f"create the {kind} in the workspace, then `penstock {kind} share … --registry-name {registry}`",
    )
    raise InvalidDocument([problem])


def _misfit(what: str, fitting: str) -> InvalidDocument:
    problem = Problem(
        "/path", f"`path` {what}, which does not fit the asset's `type`", hint=f"use `type: {fitting}`"
    )
    return InvalidDocument([problem])
