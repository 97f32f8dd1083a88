"""Components: checked as a whole when they are created, their environments and components named with their versions."""

from typing import Any

from penstock.errors import InvalidDocument, Problem
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.resources import documents
from penstock.resources.component import Component
from penstock.resources.documents import Parsed
from penstock.resources.relaxed import HOW_TO_RELAX
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.server.verbs import asset, upload
from penstock.server.verbs.answer import Created, failed, succeeded
from penstock.server.verbs.expansion import expanded, pinned
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.requirements import missing_for
from penstock.server.verbs.scope import must_exist
from penstock.store.transaction import Transaction

_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")
_MAY_CHANGE = (*_OWN_COLUMNS, "display_name")


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new version of a component; the same content under the same version is that version again."""
    require(caller, Action.ASSET_WRITE, workspace)
    with platform.database.reading() as tx:
        parsed = _checked(platform, caller, tx, workspace, document)
    upload.demand(platform, document)
    component = parsed.resource
    assert isinstance(component, Component)
    with platform.database.transaction() as tx:
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        kept = pinned(component.to_document(), lookup)
        new = asset.NewVersion(
            kind="component",
            name=str(component.name),
            version=component.version,
            spec={key: value for key, value in kept.items() if key not in _OWN_COLUMNS},
            content={"type": kept["type"], **_content(component, lookup)},
            description=component.description,
            tags=dict(component.tags),
            properties=dict(component.properties),
            display_name=component.display_name,
        )
        record = asset.save(platform, tx, workspace, new)
        return asset.answer(platform, tx, record, parsed)


def validate(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> dict[str, Any]:
    """Everything that is wrong with a component's document or absent from the workspace, without creating anything."""
    require(caller, Action.ASSET_READ, workspace)
    try:
        with platform.database.reading() as tx:
            parsed = _checked(platform, caller, tx, workspace, document)
    except InvalidDocument as error:
        return failed(error.problems, document)
    return succeeded(parsed.warnings, document)


def _checked(
    platform: Platform, caller: Caller, tx: Transaction, workspace: str, document: dict[str, Any]
) -> Parsed:
    """The document with its model, or every problem: what is mistaken and what is missing."""
    must_exist(tx, workspace)
    lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
    whole = expanded(document, lookup)
    problems: list[Problem] = []
    parsed = None
    try:
        parsed = documents.parse("component", whole.document)
    except InvalidDocument as error:
        problems += error.problems
    if document.get("name") is None:
        hint = "write `name:` into the file, or give --name"
        problems.insert(0, Problem("/name", "`name` is missing", hint=hint, code="missing"))
    told = {problem.pointer for problem in problems}
    missing = [*whole.missing, *missing_for(platform, tx, workspace, lookup, whole.document)]
    problems += [each.as_problem() for each in missing if each.need.pointer not in told]
    if problems or parsed is None:
        absent = any(each.is_absent_software for each in missing)
        way = HOW_TO_RELAX if absent and not lookup.relax else None
        raise InvalidDocument(whole.placed(problems), hint=way)
    return Parsed(parsed.resource, whole.placed(parsed.warnings))


def _content(component: Component, lookup: WorkspaceLookup) -> dict[str, Any]:
    """What decides whether two versions are the same. A default that is written out is no difference."""
    told = component.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    told = {key: value for key, value in pinned(told, lookup).items() if key not in _MAY_CHANGE}
    return {str(key): _nameless(value) for key, value in told.items()}


def _nameless(value: Any) -> Any:
    """The content without the names of uploaded folders: the same files are the same code, whatever their folder is called."""
    if isinstance(value, dict):
        return {key: _nameless(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_nameless(each) for each in value]
    snapshot = parse_snapshot_uri(value) if isinstance(value, str) else None
    return value if snapshot is None else f"snapshot {snapshot.digest}"
