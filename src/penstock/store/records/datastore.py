"""Datastores: named places where data lies."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from penstock.store.records.absence import absent
from penstock.store.records.tables import datastores as table


@dataclass(frozen=True)
class DatastoreRecord:
    """One datastore of a workspace; the built-in ones have no record. Times are seconds since 1970 (UTC)."""

    workspace: str
    name: str
    type: str
    spec: dict[str, Any]
    created_at: float
    created_by: str
    modified_at: float


_COLUMNS = [table.c[field.name] for field in fields(DatastoreRecord)]


class DatastoreRepository:
    """Reads and writes datastores inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, record: DatastoreRecord) -> DatastoreRecord:
        """Create it, or replace type and spec of the one of that name, which keeps who created it and when."""
        existing = self.find(record.workspace, record.name)
        if existing is None:
            self._connection.execute(insert(table).values(vars(record)))
            return record
        record = replace(record, created_at=existing.created_at, created_by=existing.created_by)
        self._connection.execute(update(table).where(_is(record.workspace, record.name)).values(vars(record)))
        return record

    def find(self, workspace: str, name: str) -> DatastoreRecord | None:
        row = self._connection.execute(select(*_COLUMNS).where(_is(workspace, name))).mappings().first()
        return None if row is None else _record(row)

    def list(self, workspace: str) -> tuple[DatastoreRecord, ...]:
        """The workspace's datastores by name."""
        query = select(*_COLUMNS).where(table.c.workspace == workspace).order_by(table.c.name)
        return tuple(_record(row) for row in self._connection.execute(query).mappings())

    def delete(self, workspace: str, name: str) -> None:
        """The datastore goes; what lies in it stays. NotFound where there is none."""
        if self._connection.execute(delete(table).where(_is(workspace, name))).rowcount == 0:
            names = [each.name for each in self.list(workspace)]
            raise absent("datastore", name, f" in workspace `{workspace}`", names, called="datastores there")


def _is(workspace: str, name: str) -> ColumnElement[bool]:
    return and_(table.c.workspace == workspace, table.c.name == name)


def _record(row: Mapping[Any, Any]) -> DatastoreRecord:
    return DatastoreRecord(**row)
