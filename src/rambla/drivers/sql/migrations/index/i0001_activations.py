"""Activations, what they gave out, audit entries, usage, and how far the journal was read."""

import sqlalchemy as sa
from alembic import op

revision = "i0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "activations",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("namespace", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("summary", sa.LargeBinary, nullable=False),
    )
    op.create_index("activations_by_start", "activations", ["namespace", "start_ms", "id"])
    op.create_index("activations_by_path", "activations", ["namespace", "path", "start_ms", "id"])
    op.create_table(
        "outputs",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audits",
        sa.Column("intent_id", KEY, primary_key=True),
        sa.Column("namespace", KEY, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("audits_by_time", "audits", ["namespace", "at_ms", "intent_id"])
    op.create_table(
        "usage",
        sa.Column("namespace", KEY, primary_key=True),
        sa.Column("action", KEY, primary_key=True),
        sa.Column("hour_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("activations", "duration_ms", "mb_ms")),
    )
    op.create_table(
        "progress",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
    )
