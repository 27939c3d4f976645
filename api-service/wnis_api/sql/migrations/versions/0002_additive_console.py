"""what the audit trail says in detail; queries that run, and those that people keep"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_additive_console"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("detail_json", sa.Text))
    op.create_table(
        "running_queries",
        sa.Column("user_id", sa.String(200), primary_key=True),
        sa.Column("query_id", sa.String(100), nullable=False, unique=True),
        sa.Column("utility", sa.String(500), nullable=False),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("cypher", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("cancelled_at", sa.Double),
        sa.Column("ended_at", sa.Double),
    )
    op.create_table(
        "saved_queries",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("utility", sa.String(500), nullable=False),
        sa.Column("user_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("cypher", sa.Text, nullable=False),
        sa.Column("parameters_json", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.UniqueConstraint("utility", "user_id", "name", name="saved_query_name"),
    )
