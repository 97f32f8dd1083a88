"""Computes: where jobs run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from penstock.store.records.absence import absent
from penstock.store.records.tables import computes as table


@dataclass(frozen=True)
class ComputeRecord:
    """One compute target of a workspace. Times are seconds since 1970 (UTC)."""

    workspace: str
    name: str
    type: str
    spec: dict[str, Any]
    created_at: float
    modified_at: float


_COLUMNS = [table.c[field.name] for field in fields(ComputeRecord)]


class ComputeRepository:
    """Reads and writes computes inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, record: ComputeRecord) -> ComputeRecord:
        """Create it, or replace type and spec of the one of that name, which keeps its time of creation."""
        existing = self.find(record.workspace, record.name)
        if existing is None:
            self._connection.execute(insert(table).values(vars(record)))
            return record
        record = replace(record, created_at=existing.created_at)
        self._connection.execute(update(table).where(_is(record.workspace, record.name)).values(vars(record)))
        return record

    def find(self, workspace: str, name: str) -> ComputeRecord | None:
        row = self._connection.execute(select(*_COLUMNS).where(_is(workspace, name))).mappings().first()
        return None if row is None else _record(row)

    def get(self, workspace: str, name: str) -> ComputeRecord:
        """The compute, or NotFound with the names that exist."""
        record = self.find(workspace, name)
        if record is None:
            names = [each.name for each in self.list(workspace)]
            raise absent("compute", name, f" in workspace `{workspace}`", names, called="computes there")
        return record

    def list(self, workspace: str) -> tuple[ComputeRecord, ...]:
        """The workspace's computes by name."""
        query = select(*_COLUMNS).where(table.c.workspace == workspace).order_by(table.c.name)
        return tuple(_record(row) for row in self._connection.execute(query).mappings())

    def delete(self, workspace: str, name: str) -> None:
        """The compute goes; jobs that ran on it keep its name. NotFound where there is none."""
        if self._connection.execute(delete(table).where(_is(workspace, name))).rowcount == 0:
            self.get(workspace, name)


def _is(workspace: str, name: str) -> ColumnElement[bool]:
    return and_(table.c.workspace == workspace, table.c.name == name)


def _record(row: Mapping[Any, Any]) -> ComputeRecord:
    return ComputeRecord(**row)
