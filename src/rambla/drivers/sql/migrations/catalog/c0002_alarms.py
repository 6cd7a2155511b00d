"""Alarms."""

import sqlalchemy as sa
from alembic import op

revision = "c0002"
down_revision = "c0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("namespace", KEY, primary_key=True),
        sa.Column("name", KEY, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("wake_ms", sa.BigInteger),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("alarms_wake", "alarms", ["wake_ms"])
