"""What Alembic runs. The caller (`store/schema.py`) hands over a connection, and ends the transaction that is open on it:
SQLite undoes changes of tables too, so a step that breaks leaves the file as it was.
"""

from alembic import context

from penstock.store.records.tables import metadata
from penstock.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,  # MLflow's tables may live in the same database; its `alembic_version` is its own
    render_as_batch=True,  # SQLite alters little in place; a batch copies the table
)
context.run_migrations()
