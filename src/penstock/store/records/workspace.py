"""Workspaces: the unit of isolation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, delete, insert, select, update

from penstock.errors import AlreadyExists
from penstock.store.records.absence import absent
from penstock.store.records.scope import close_scope, open_scope
from penstock.store.records.tables import workspaces as table


@dataclass(frozen=True)
class WorkspaceRecord:
    """One workspace. `created_at` is in seconds since 1970 (UTC)."""

    name: str
    display_name: str | None
    description: str | None
    location: str | None
    resource_group: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    created_at: float
    created_by: str

    @property
    def settings(self) -> Mapping[str, str]:
        """What is set for the whole workspace: names with the paths of files."""
        return self.properties.get("settings") or {}


class WorkspaceChanges(TypedDict, total=False):
    """What may change after a workspace was made."""

    display_name: str | None
    description: str | None
    location: str | None
    resource_group: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]


_COLUMNS = [table.c[field.name] for field in fields(WorkspaceRecord)]


class WorkspaceRepository:
    """Reads and writes workspaces inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, record: WorkspaceRecord) -> WorkspaceRecord:
        """A new workspace. AlreadyExists where the name is taken."""
        if self.find(record.name) is not None:
            raise AlreadyExists(f"workspace `{record.name}` exists already")
        open_scope(self._connection, record.name)
        self._connection.execute(insert(table).values(vars(record)))
        return record

    def find(self, name: str) -> WorkspaceRecord | None:
        row = self._connection.execute(select(*_COLUMNS).where(table.c.name == name)).mappings().first()
        return None if row is None else _record(row)

    def get(self, name: str) -> WorkspaceRecord:
        """The workspace, or NotFound with the names that exist."""
        record = self.find(name)
        if record is None:
            names = self._connection.execute(select(table.c.name).order_by(table.c.name)).scalars()
            missing = absent("workspace", name, "", names, called="workspaces")
            missing.hint = missing.hint or f"create it with `penstock workspace create -n {name}`"
            raise missing
        return record

    def list(self) -> tuple[WorkspaceRecord, ...]:
        """All workspaces by name."""
        rows = self._connection.execute(select(*_COLUMNS).order_by(table.c.name)).mappings()
        return tuple(_record(row) for row in rows)

    def update(self, name: str, **changes: Unpack[WorkspaceChanges]) -> WorkspaceRecord:
        """The workspace with the given columns changed."""
        if changes:
            self._connection.execute(update(table).where(table.c.name == name).values(dict(changes)))
        return self.get(name)

    def delete(self, name: str) -> None:
        """The workspace goes with its assets, computes and jobs; its events stay. NotFound where there is none."""
        if self._connection.execute(delete(table).where(table.c.name == name)).rowcount == 0:
            self.get(name)
        close_scope(self._connection, name)


def _record(row: Mapping[Any, Any]) -> WorkspaceRecord:
    return WorkspaceRecord(**row)
