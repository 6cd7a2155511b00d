"""People whom a source keeps here, and names that are locked after too many wrong passwords."""

import sqlalchemy as sa
from alembic import op

revision = "c0007"
down_revision = "c0006"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("source", KEY, primary_key=True),
        sa.Column("user", KEY, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "locks",
        sa.Column("source", KEY, primary_key=True),
        sa.Column("user", KEY, primary_key=True),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("locks_end", "locks", ["until_ms"])
