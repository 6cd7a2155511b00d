"""APIs of the gateway."""

import sqlalchemy as sa
from alembic import op

revision = "c0003"
down_revision = "c0002"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "apis",
        sa.Column("namespace", KEY, primary_key=True),
        sa.Column("base_path", KEY, primary_key=True),
        sa.Column("gateway_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("apis_visited", "apis", ["gateway_id", "base_path"])
    op.create_index("apis_named", "apis", ["namespace", "name"])
