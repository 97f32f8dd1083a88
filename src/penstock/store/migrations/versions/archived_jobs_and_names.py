"""Remembers which jobs are archived, and which assets were archived with their whole name."""

import sqlalchemy as sa
from alembic import op

revision = "archived_jobs_and_names"
down_revision = "workspaces_assets_jobs_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("penstock_assets", "archived_whole"), ("penstock_jobs", "archived")):
        op.add_column(table, sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))
