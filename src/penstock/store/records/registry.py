"""Registries: assets that all workspaces share."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, delete, insert, select, update

from penstock.errors import AlreadyExists
from penstock.resources.scope import registry_scope
from penstock.store.records.absence import absent
from penstock.store.records.scope import close_scope, open_scope
from penstock.store.records.tables import registries as table


@dataclass(frozen=True)
class RegistryRecord:
    """One registry. `created_at` is in seconds since 1970 (UTC)."""

    name: str
    description: str | None
    location: str | None
    resource_group: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    created_at: float
    created_by: str


class RegistryChanges(TypedDict, total=False):
    """What may change after a registry was made."""

    description: str | None
    tags: dict[str, Any]


_COLUMNS = [table.c[field.name] for field in fields(RegistryRecord)]


class RegistryRepository:
    """Reads and writes registries inside one transaction. The built-in one has a row too, made when the server starts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, record: RegistryRecord) -> RegistryRecord:
        """A new registry, empty. AlreadyExists where the name is taken."""
        if self.find(record.name) is not None:
            raise AlreadyExists(f"registry `{record.name}` exists already")
        open_scope(self._connection, registry_scope(record.name))
        self._connection.execute(insert(table).values(vars(record)))
        return record

    def find(self, name: str) -> RegistryRecord | None:
        row = self._connection.execute(select(*_COLUMNS).where(table.c.name == name)).mappings().first()
        return None if row is None else _record(row)

    def get(self, name: str) -> RegistryRecord:
        """The registry, or NotFound with the names that exist."""
        record = self.find(name)
        if record is None:
            names = self._connection.execute(select(table.c.name).order_by(table.c.name)).scalars()
            missing = absent("registry", name, "", names, called="registries")
            missing.hint = missing.hint or f"create it with `penstock registry create -n {name}`"
            raise missing
        return record

    def list(self) -> tuple[RegistryRecord, ...]:
        """All registries by name."""
        rows = self._connection.execute(select(*_COLUMNS).order_by(table.c.name)).mappings()
        return tuple(_record(row) for row in rows)

    def update(self, name: str, **changes: Unpack[RegistryChanges]) -> RegistryRecord:
        """The registry with the given columns changed."""
        if changes:
            self._connection.execute(update(table).where(table.c.name == name).values(dict(changes)))
        return self.get(name)

    def delete(self, name: str) -> None:
        """The registry goes with its assets; its events stay. NotFound where there is none."""
        if self._connection.execute(delete(table).where(table.c.name == name)).rowcount == 0:
            self.get(name)
        close_scope(self._connection, registry_scope(name))


def _record(row: Mapping[Any, Any]) -> RegistryRecord:
    return RegistryRecord(**row)
