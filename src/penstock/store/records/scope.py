"""Scopes: what assets live in. Each workspace is one, and each registry; its assets go with it."""

from sqlalchemy import Connection, delete, insert

from penstock.store.records.tables import scopes as table


def open_scope(connection: Connection, name: str) -> None:
    """A place for assets, empty."""
    connection.execute(insert(table).values(name=name))


def close_scope(connection: Connection, name: str) -> None:
    """The place goes with all assets in it."""
    connection.execute(delete(table).where(table.c.name == name))
