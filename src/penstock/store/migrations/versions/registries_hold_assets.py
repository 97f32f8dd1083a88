"""Remembers registries; assets belong to a scope, which is a workspace's or a registry's."""

import sqlalchemy as sa
from alembic import op

revision = "registries_hold_assets"
down_revision = "archived_jobs_and_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "penstock_scopes",
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="penstock_scopes_pk"),
    )
    op.execute("INSERT INTO penstock_scopes (name) SELECT name FROM penstock_workspaces")
    op.create_table(
        "penstock_registries",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("location", sa.String()),
        sa.Column("resource_group", sa.String()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="penstock_registries_pk"),
    )
    with op.batch_alter_table("penstock_assets") as batch:
        batch.drop_constraint("penstock_assets_workspace_fk", type_="foreignkey")
        batch.create_foreign_key(
            "penstock_assets_workspace_fk", "penstock_scopes", ["workspace"], ["name"], ondelete="CASCADE"
        )
