"""The tables, as this version of Penstock reads and writes them. `migrations/` brings a database file to this shape.

Every name begins with `penstock_`: a team may keep MLflow's tables in the same database, and MLflow has `jobs` and
`workspaces` of its own. Times are seconds since 1970 (UTC). JSON columns hold plain dictionaries.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

_JSON_OR_NULL = JSON(none_as_null=True)

workspaces = Table(
    "penstock_workspaces",
    metadata,
    Column("name", String, primary_key=True),
    Column("display_name", Text),
    Column("description", Text),
    Column("location", String),
    Column("resource_group", String),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", String, nullable=False),
)

registries = Table(
    "penstock_registries",
    metadata,
    Column("name", String, primary_key=True),
    Column("description", Text),
    Column("location", String),
    Column("resource_group", String),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", String, nullable=False),
)

# What assets live in: a workspace (by its name) or a registry (`registry:<name>`).
scopes = Table("penstock_scopes", metadata, Column("name", String, primary_key=True))

assets = Table(
    "penstock_assets",
    metadata,
    Column("workspace", ForeignKey(scopes.c.name, ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("digest", String, nullable=False),
    Column("description", Text),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("archived", Boolean, nullable=False),
    # Archived with its whole name: it comes back with the name, never alone.
    Column("archived_whole", Boolean, nullable=False, server_default=false()),
    Column("anonymous", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", String, nullable=False),
    Column("modified_at", Double, nullable=False),
    Column("sequence", Integer, nullable=False),
    UniqueConstraint("workspace", "sequence"),
    Index(None, "workspace", "kind", "name", "sequence"),
)

# The built-in ones are in no row: they exist with their workspace.
datastores = Table(
    "penstock_datastores",
    metadata,
    Column("workspace", ForeignKey(workspaces.c.name, ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", String, nullable=False),
    Column("modified_at", Double, nullable=False),
)

computes = Table(
    "penstock_computes",
    metadata,
    Column("workspace", ForeignKey(workspaces.c.name, ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("modified_at", Double, nullable=False),
)

jobs = Table(
    "penstock_jobs",
    metadata,
    Column("workspace", ForeignKey(workspaces.c.name, ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("display_name", Text),
    Column("experiment_name", Text),
    Column("description", Text),
    Column("tags", JSON, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("parent", String),
    Column("root", String, nullable=False),
    Column("step", String),
    Column("spec", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("compute", String),
    Column("error", _JSON_OR_NULL),
    Column("created_at", Double, nullable=False),
    Column("created_by", String, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("cancel_requested_at", Double),
    Column("mlflow_run", String),
    Column("worker", _JSON_OR_NULL),
    Column("fence", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    # Whether the status may still change. Follows `status`; here so that finding open jobs reads only those.
    Column("open", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(
        ["workspace", "parent"], ["penstock_jobs.workspace", "penstock_jobs.name"], ondelete="CASCADE"
    ),
    Index(None, "workspace", "parent", "position"),
    Index(None, "workspace", "parent", "created_at", "name"),
    Index(None, "open", "parent"),
)

# No reference to a workspace: the log outlives what it tells of, and a workspace that is made again goes on counting.
events = Table(
    "penstock_events",
    metadata,
    Column("workspace", String, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("body", JSON, nullable=False),
)
