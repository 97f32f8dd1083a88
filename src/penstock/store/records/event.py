"""The log of what happened: append-only, one gapless count per workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, func, insert, select

from penstock.store.records.tables import events as table


@dataclass(frozen=True)
class EventRecord:
    """One fact. `sequence` counts 1, 2, 3 … within the workspace; `at` is in seconds since 1970 (UTC)."""

    workspace: str
    sequence: int
    at: float
    type: str
    subject: str
    body: dict[str, Any]


_COLUMNS = [table.c[field.name] for field in fields(EventRecord)]


class EventRepository:
    """Appends and reads events inside one transaction. Nothing here changes or removes one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        workspace: str,
        at: float,
        type: str,  # noqa: A002 - the record's own word
        subject: str,
        body: dict[str, Any],
    ) -> EventRecord:
        """The next event of the workspace. The transaction is the only writer, so the count has no gap and no double."""
        record = EventRecord(workspace, self.last_sequence(workspace) + 1, at, type, subject, body)
        self._connection.execute(insert(table).values(vars(record)))
        return record

    def last_sequence(self, workspace: str) -> int:
        """The number of the workspace's latest event, 0 before the first."""
        query = select(func.max(table.c.sequence)).where(table.c.workspace == workspace)
        return self._connection.execute(query).scalar() or 0

    def after(
        self, workspace: str, sequence: int, limit: int, subject_prefix: str | None = None
    ) -> tuple[EventRecord, ...]:
        """Up to `limit` events with a higher number than `sequence`, in order; of subjects that begin so, where asked."""
        query = select(*_COLUMNS).where(table.c.workspace == workspace, table.c.sequence > sequence)
        if (
            subject_prefix is not None
        ):  # not LIKE: SQLite's ignores case, and `_` in a name would match anything
            query = query.where(func.substr(table.c.subject, 1, len(subject_prefix)) == subject_prefix)
        rows = self._connection.execute(query.order_by(table.c.sequence).limit(limit)).mappings()
        return tuple(_record(row) for row in rows)


def _record(row: Mapping[Any, Any]) -> EventRecord:
    return EventRecord(**row)
