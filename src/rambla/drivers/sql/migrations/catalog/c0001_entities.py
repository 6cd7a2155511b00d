"""Entities, their code, and namespaces."""

import sqlalchemy as sa
from alembic import op

revision = "c0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _name_columns() -> list[sa.Column[str]]:
    return [sa.Column(name, KEY, primary_key=True) for name in ("namespace", "package", "name")]


def upgrade() -> None:
    op.create_table(
        "entities",
        *_name_columns(),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("collection", KEY),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("trigger", KEY),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("entities_listed", "entities", ["namespace", "collection", "updated_ms"])
    op.create_index("entities_trigger", "entities", ["trigger"])
    op.create_table("codes", *_name_columns(), sa.Column("code", sa.LargeBinary, nullable=False))
    op.create_table(
        "namespaces",
        sa.Column("name", KEY, primary_key=True),
        sa.Column("uuid", KEY, unique=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
