"""Which tables are there, and how do our words become columns?

The two schemas as SQLAlchemy sees them; the migrations make them and a test compares the two. A record is kept whole as
a document, JSON or for activations msgpack, in bytes because PostgreSQL's text cannot hold a NUL; beside it stand only
the columns that are looked up or sorted by. What is large has a table of its own, an action's code and an activation's
result and logs, so that a listing never reads it.
"""

from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Dialect, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

Schema = Literal["catalog", "index"]
KEY_BYTES_MAX = 800
INTEGER_MAX = 2**63 - 1


class Key(TypeDecorator[str]):
    """Text that is looked up: any text may come, from anyone, and must neither fail nor overflow an index's row.

    NUL and lone surrogates become U+FFFD and "?", the rest is cut after 800 bytes. Every name that the domain allows is
    shorter and comes back as it was.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # bytes are compared, not a language's alphabet: the same order everywhere, and names are ASCII
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        cleaned = value.replace("\0", "\ufffd").encode("utf-8", "replace")
        return cleaned[:KEY_BYTES_MAX].decode("utf-8", "ignore")


def clamped(number: int) -> int:
    """`number`, or the nearest that a 64-bit column can be compared with."""
    return max(-INTEGER_MAX, min(number, INTEGER_MAX))


def _key(name: str, **options: Any) -> Column[str]:
    return Column(name, Key(), **options)


catalog = MetaData()

entities = Table(
    "entities",
    catalog,
    _key("namespace", primary_key=True),
    _key("package", primary_key=True),
    _key("name", primary_key=True),
    Column("revision", BigInteger, nullable=False),
    _key("collection", nullable=True, doc="NULL: deleted; the row stays so that the revision goes on counting"),
    Column("updated_ms", BigInteger, nullable=False),
    _key("trigger", nullable=True, doc="for a rule, the full name of its trigger"),
    Column("document", LargeBinary, nullable=False),
    Index("entities_listed", "namespace", "collection", "updated_ms"),
    Index("entities_trigger", "trigger"),
)
codes = Table(
    "codes",
    catalog,
    _key("namespace", primary_key=True),
    _key("package", primary_key=True),
    _key("name", primary_key=True),
    Column("code", LargeBinary, nullable=False),
)
namespaces = Table(
    "namespaces",
    catalog,
    _key("name", primary_key=True),
    _key("uuid", nullable=True, unique=True, doc="NULL: deleted; the row stays so that nobody else gets the name"),
    _key("owner", nullable=True),
    Column("document", LargeBinary, nullable=False),
    Index("namespaces_owned", "owner", unique=True),
)
alarms = Table(
    "alarms",
    catalog,
    _key("namespace", primary_key=True),
    _key("name", primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("wake_ms", BigInteger, nullable=True, doc="NULL: off"),
    Column("document", LargeBinary, nullable=False),
    Index("alarms_wake", "wake_ms"),
)
apis = Table(
    "apis",
    catalog,
    _key("namespace", primary_key=True),
    _key("base_path", primary_key=True),
    _key("gateway_id", nullable=False),
    _key("name", nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("apis_visited", "gateway_id", "base_path"),
    Index("apis_named", "namespace", "name"),
)
bundles = Table(
    "bundles",
    catalog,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("summary", LargeBinary, nullable=False),
    Column("files", LargeBinary, nullable=False),
)
accounts = Table(
    "accounts",
    catalog,
    _key("account", primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True, doc="one more than all before"),
    Column("document", LargeBinary, nullable=False),
)
tokens = Table(
    "tokens",
    catalog,
    _key("id", primary_key=True),
    _key("account", nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("tokens_listed", "account", "created_ms"),
    Index("tokens_expire", "expires_ms"),
)
fleet = Table(
    "fleet",
    catalog,
    _key("host", primary_key=True),
    _key("reported_by", nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
users = Table(
    "users",
    catalog,
    _key("source", primary_key=True),
    _key("user", primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
locks = Table(
    "locks",
    catalog,
    _key("source", primary_key=True),
    _key("user", primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
    Index("locks_end", "until_ms"),
)

index = MetaData()

activations = Table(
    "activations",
    index,
    _key("id", primary_key=True),
    _key("namespace", nullable=False),
    _key("path", nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("summary", LargeBinary, nullable=False),
    Index("activations_by_start", "namespace", "start_ms", "id"),
    Index("activations_by_path", "namespace", "path", "start_ms", "id"),
)
outputs = Table(
    "outputs",
    index,
    _key("id", primary_key=True),
    Column("bytes", BigInteger, nullable=False, doc="Activation.output_bytes"),
    Column("document", LargeBinary, nullable=False),
)
audits = Table(
    "audits",
    index,
    _key("intent_id", primary_key=True),
    _key("namespace", nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    _key("status", nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("audits_by_time", "namespace", "at_ms", "intent_id"),
)
usage = Table(
    "usage",
    index,
    _key("namespace", primary_key=True),
    _key("action", primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("activations", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("mb_ms", BigInteger, nullable=False),
)
progress = Table(
    "progress",
    index,
    Column("id", Integer, primary_key=True, autoincrement=False, doc="always 1"),
    Column("cursor", BigInteger, nullable=False),
)

SCHEMAS: dict[Schema, MetaData] = {"catalog": catalog, "index": index}
