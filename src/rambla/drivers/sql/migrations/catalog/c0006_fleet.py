"""What hosts report of the policy of their daemons."""

import sqlalchemy as sa
from alembic import op

revision = "c0006"
down_revision = "c0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "fleet",
        sa.Column("host", KEY, primary_key=True),
        sa.Column("reported_by", KEY, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
