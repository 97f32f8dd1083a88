"""Remembers workspaces, assets, computes, jobs, and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "workspaces_assets_jobs_events"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "penstock_events",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "sequence", name="penstock_events_pk"),
    )
    op.create_table(
        "penstock_workspaces",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("display_name", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("location", sa.String()),
        sa.Column("resource_group", sa.String()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="penstock_workspaces_pk"),
    )
    op.create_table(
        "penstock_assets",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("modified_at", sa.Double(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"],
            ["penstock_workspaces.name"],
            name="penstock_assets_workspace_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "kind", "name", "version", name="penstock_assets_pk"),
        sa.UniqueConstraint("workspace", "sequence", name="penstock_assets_workspace_sequence_key"),
    )
    op.create_index(
        "penstock_assets_workspace_kind_name_sequence_idx",
        "penstock_assets",
        ["workspace", "kind", "name", "sequence"],
    )
    op.create_table(
        "penstock_computes",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("modified_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"],
            ["penstock_workspaces.name"],
            name="penstock_computes_workspace_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "name", name="penstock_computes_pk"),
    )
    op.create_table(
        "penstock_jobs",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("display_name", sa.Text()),
        sa.Column("experiment_name", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("parent", sa.String()),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("step", sa.String()),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("compute", sa.String()),
        sa.Column("error", sa.JSON(none_as_null=True)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("cancel_requested_at", sa.Double()),
        sa.Column("mlflow_run", sa.String()),
        sa.Column("worker", sa.JSON(none_as_null=True)),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "parent"],
            ["penstock_jobs.workspace", "penstock_jobs.name"],
            name="penstock_jobs_workspace_parent_fk",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace"], ["penstock_workspaces.name"], name="penstock_jobs_workspace_fk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "name", name="penstock_jobs_pk"),
    )
    op.create_index("penstock_jobs_open_parent_idx", "penstock_jobs", ["open", "parent"])
    op.create_index(
        "penstock_jobs_workspace_parent_created_at_name_idx",
        "penstock_jobs",
        ["workspace", "parent", "created_at", "name"],
    )
    op.create_index(
        "penstock_jobs_workspace_parent_position_idx", "penstock_jobs", ["workspace", "parent", "position"]
    )
