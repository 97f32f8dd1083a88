"""Remembers the datastores that people create beside the built-in ones."""

import sqlalchemy as sa
from alembic import op

revision = "datastores_have_names"
down_revision = "registries_hold_assets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "penstock_datastores",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("modified_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"],
            ["penstock_workspaces.name"],
            name="penstock_datastores_workspace_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace", "name", name="penstock_datastores_pk"),
    )
