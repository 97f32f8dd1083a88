"""Registries: what all workspaces share. The one of the curated environments is always there, and nobody writes to it."""

from collections.abc import Mapping
from typing import Any

from penstock.errors import AlreadyExists, Conflict
from penstock.events import RegistryChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.description import DEFAULT_RESOURCE_GROUP, creation_context
from penstock.resources import documents
from penstock.resources.changes import Changes, applied, refuse_fixed
from penstock.resources.registry import Registry
from penstock.resources.scope import BUILT_IN_REGISTRY, registry_scope
from penstock.server.platform import Platform
from penstock.server.verbs.answer import Created, warnings_of
from penstock.store.records.registry import RegistryRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of

# Keys that mean something in the cloud only: kept, shown again, not acted on.
_RECORDED = (
    "primary_location", "replication_locations", "public_network_access", "container_registry", "storage_account",
    "identity", "managed_resource_group_tags", "managed_resource_group_settings", "intellectual_property",
)  # fmt: skip
_MUTABLE = ("description", "tags")


def ensure_built_in(platform: Platform) -> None:
    """Every home has the registry of the curated environments."""
    with platform.database.transaction() as tx:
        if tx.registries.find(BUILT_IN_REGISTRY) is None:
            _insert(platform, tx, Registry(name=BUILT_IN_REGISTRY, description="Curated environments."), {})


def create(platform: Platform, caller: Caller, document: dict[str, Any]) -> Created:
    """A new registry. One that exists in the same resource group gets this description and these tags as well."""
    require(caller, Action.REGISTRY_WRITE, registry_scope(str(document.get("name"))))
    parsed = documents.parse("registry", document)
    registry = parsed.resource
    assert isinstance(registry, Registry)
    with platform.database.transaction() as tx:
        existing = tx.registries.find(registry.name)
        if existing is None:
            record = _insert(platform, tx, registry, document)
        elif existing.resource_group != (registry.resource_group or existing.resource_group):
            raise AlreadyExists(
                f"registry `{registry.name}` exists in resource group `{existing.resource_group}`",
                hint="choose another name: names of registries are unique on a server",
            )
        else:
            described = existing.description if registry.description is None else registry.description
            record = _changed(platform, tx, existing, described, {**existing.tags, **registry.tags})
    return Created(record_of(platform, record), warnings_of(parsed))


def _insert(
    platform: Platform, tx: Transaction, registry: Registry, document: Mapping[str, Any]
) -> RegistryRecord:
    record = RegistryRecord(
        name=registry.name,
        description=registry.description,
        location=registry.location or registry.primary_location or "local",
        resource_group=registry.resource_group or DEFAULT_RESOURCE_GROUP,
        tags=dict(registry.tags),
        properties={key: value for key, value in document.items() if key in _RECORDED},
        created_at=platform.clock(),
        created_by=platform.user,
    )
    tx.registries.create(record)
    _tell(platform, tx, registry.name, "created")
    return record


def _tell(platform: Platform, tx: Transaction, name: str, change: str) -> None:
    event = RegistryChanged(f"registry/{name}", change)
    tx.events.append(registry_scope(name), platform.clock(), event.type, event.subject, event.body())


def listing(platform: Platform, caller: Caller) -> list[dict[str, Any]]:
    """Every registry: they are there for all."""
    require(caller, Action.REGISTRY_READ, registry_scope(BUILT_IN_REGISTRY))
    with platform.database.reading() as tx:
        return [record_of(platform, record) for record in tx.registries.list()]


def show(platform: Platform, caller: Caller, name: str) -> dict[str, Any]:
    """One registry."""
    require(caller, Action.REGISTRY_READ, registry_scope(name))
    with platform.database.reading() as tx:
        return record_of(platform, tx.registries.get(name))


def update(platform: Platform, caller: Caller, name: str, changes: Changes) -> dict[str, Any]:
    """Change the description and tags."""
    require(caller, Action.REGISTRY_WRITE, registry_scope(name))
    with platform.database.transaction() as tx:
        existing = tx.registries.get(name)
        refuse_fixed(record_of(platform, existing), changes, what=f"registry `{name}`", may_change=_MUTABLE)
        document = applied({"description": existing.description, "tags": existing.tags}, changes)
        registry = documents.parse("registry", {**document, "name": name}).resource
        assert isinstance(registry, Registry)
        return record_of(platform, _changed(platform, tx, existing, registry.description, registry.tags))


def _changed(
    platform: Platform,
    tx: Transaction,
    existing: RegistryRecord,
    description: str | None,
    tags: Mapping[str, Any],
) -> RegistryRecord:
    if (description, tags) == (existing.description, existing.tags):
        return existing
    record = tx.registries.update(existing.name, description=description, tags=dict(tags))
    _tell(platform, tx, existing.name, "updated")
    return record


def delete(platform: Platform, caller: Caller, name: str) -> None:
    """Remove a registry with all that is in it. Refused while open jobs read from it; ended ones keep what they wrote."""
    scope = registry_scope(name)
    require(caller, Action.REGISTRY_WRITE, scope)
    with platform.database.reading() as tx:
        _check_unused(tx, name)
    # Before the rows: where MLflow cannot be told, the registry stays, and no later one of its name shows its models.
    platform.runs.delete_workspace(scope)
    with platform.database.transaction() as tx:
        _check_unused(tx, name)
        tx.registries.delete(name)
    platform.remove_tree(platform.home.registry(name))


def _check_unused(tx: Transaction, name: str) -> None:
    tx.registries.get(name)
    users = [
        root.name
        for root in tx.jobs.open_roots()
        if any(_reads(job.spec, name) for job in (root, *tx.jobs.below(root.workspace, root.name)))
    ]
    if users:
        raise Conflict(
            f"registry `{name}` is in use by {', '.join(users[:5])}",
            hint="cancel these jobs first, or wait for their end",
        )


def _reads(plan: Any, registry: str) -> bool:
    """Whether something of a plan lies in the registry. Any: JSON."""
    if isinstance(plan, dict):
        return plan.get("registry") == registry or any(_reads(each, registry) for each in plan.values())
    return isinstance(plan, list) and any(_reads(each, registry) for each in plan)


def record_of(platform: Platform, record: RegistryRecord) -> dict[str, Any]:
    """The record that REST returns."""
    return {
        "name": record.name,
        "description": record.description,
        "location": record.location,
        "replication_locations": [{"location": record.location}],
        "resource_group": record.resource_group,
        "tags": record.tags,
        "read_only": record.name == BUILT_IN_REGISTRY,
        "provisioning_state": "Succeeded",
        "creation_context": creation_context(record.created_at, record.created_by),
        "id": (
            f"/subscriptions/{subscription_of(platform.home)}/resourceGroups/{record.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/registries/{record.name}"
        ),
        "resourceGroup": record.resource_group,
        "assets_folder": str(platform.home.registry(record.name)),
        **record.properties,
    }
