"""Accounts of whom something is known, tokens, and projects that namespaces belong to."""

import sqlalchemy as sa
from alembic import op

revision = "c0005"
down_revision = "c0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", KEY, primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False, unique=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("tokens_listed", "tokens", ["account", "created_ms"])
    op.create_index("tokens_expire", "tokens", ["expires_ms"])
    op.add_column("namespaces", sa.Column("owner", KEY, nullable=True))
    op.create_index("namespaces_owned", "namespaces", ["owner"], unique=True)
