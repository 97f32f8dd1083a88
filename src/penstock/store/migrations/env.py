"""What Alembic runs. The caller (`store/schema.py`) hands over a connection with an open transaction."""

from alembic import context

from penstock.store.records.tables import metadata
from penstock.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,  # MLflow's tables may live in the same database; its `alembic_version` is its own
    transactional_ddl=True,  # SQLite's is: a migration that breaks leaves the file as it was
    transaction_per_migration=False,
    render_as_batch=True,  # SQLite alters little in place; a batch copies the table
)
context.run_migrations()
