"""Bundles of policies."""

import sqlalchemy as sa
from alembic import op

revision = "c0004"
down_revision = "c0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("summary", sa.LargeBinary, nullable=False),
        sa.Column("files", sa.LargeBinary, nullable=False),
    )
