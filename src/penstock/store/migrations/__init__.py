"""The way of a database file to the present schema, one named step at a time (Alembic)."""
