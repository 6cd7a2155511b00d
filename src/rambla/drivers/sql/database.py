"""How is a database opened, and how does work get to it?

`open_database` connects, brings the schema up to date and returns a `Database`, which runs a function of a connection
in a thread, in one transaction. On SQLite one writes at a time and readers see the last commit (WAL). Everything that
SQLAlchemy raises becomes StorageFailed here, save a broken unique constraint, which the store must interpret.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from rambla.domain.errors import StorageFailed
from rambla.drivers.sql.tables import Schema

Result = TypeVar("Result")
Insert = sqlite.Insert | postgresql.Insert

TROUBLE = (SQLAlchemyError, sqlite3.Error)
"""What a database raises; SQLite's own where SQLAlchemy had no chance to wrap it: while a connection is set up."""
CONNECTIONS_MAX = 8
CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 60
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x72616D626C61  # any number that all nodes agree on: "rambla"


class Database:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._readers = anyio.CapacityLimiter(CONNECTIONS_MAX - 1)
        one_writer = engine.dialect.name == "sqlite"
        self._writers = anyio.CapacityLimiter(1) if one_writer else self._readers

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, given a connection that it only reads from."""
        return await anyio.to_thread.run_sync(self._run, work, False, limiter=self._readers)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction: durable on return, undone if anything is raised. Goes on to its end when the
        caller is cancelled. IntegrityError passes through; other trouble with the database is StorageFailed."""
        return await anyio.to_thread.run_sync(self._run, work, True, limiter=self._writers)

    def insert(self, table: Table) -> Any:
        """An INSERT that knows this database's ON CONFLICT."""
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    async def close(self) -> None:
        await anyio.to_thread.run_sync(self.engine.dispose)

    def _run(self, work: Callable[[Connection], Result], writing: bool) -> Result:
        try:
            with self.engine.connect().execution_options(writing=writing) as connection, connection.begin():
                return work(connection)
        except IntegrityError:
            raise
        except TROUBLE as error:
            raise storage_failed(error) from error


def open_database(url: str, schema: Schema) -> Database:
    """Connect to `sqlite:///PATH` or `postgresql+psycopg://...`, create or migrate the tables of `schema`. Blocking.

    A new SQLite file is readable by its owner only. Several nodes may open one PostgreSQL database at once. Raises
    StorageFailed.
    """
    where = ""
    try:
        parsed = make_url(url)
        where = parsed.render_as_string()
        engine = _open_sqlite(parsed, schema) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed)
        try:
            _migrate(engine, schema)
        except BaseException:
            engine.dispose()
            raise
        return Database(engine)
    except (*TROUBLE, CommandError, OSError) as error:
        raise storage_failed(error, where) from error


def storage_failed(error: Exception, where: str = "") -> StorageFailed:
    """The driver's own words in one line, without the statement and its parameters; `where` comes before them."""
    words = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return StorageFailed(detail=f"{where}: {words[0]}" if where else words[0])


def is_damaged(error: StorageFailed) -> bool:
    """Whether SQLite said that the file itself is none of its, or broken."""
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _open_sqlite(url: URL, schema: Schema) -> Engine:
    path = Path(url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # never open an existing one: closing it would drop this process's SQLite locks
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    engine = create_engine(
        url, pool_size=CONNECTIONS_MAX, connect_args={"timeout": LOCK_TIMEOUT_S, "check_same_thread": False}
    )
    synchronous = "FULL" if schema == "catalog" else "NORMAL"  # the index can be filled again, its cursor tells how far

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions of its own accord
        _use_wal(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # a writer takes the lock at once: one that has read first would fail instead of wait
        writing = connection.get_execution_options().get("writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Changing the mode of a new file fails at once where any other statement would wait for whoever is at it."""
    for _ in range(LOCK_TIMEOUT_S * 100):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
            return
        time.sleep(0.01)
    connection.execute("PRAGMA journal_mode = WAL")


def _open_postgresql(url: URL) -> Engine:
    limits = f"-c statement_timeout={STATEMENT_TIMEOUT_S * 1000} -c lock_timeout={LOCK_TIMEOUT_S * 1000}"
    return create_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": limits},
    )


def _migrate(engine: Engine, schema: Schema) -> None:
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(_MIGRATIONS / schema).replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config.attributes.update(connection=connection, schema=schema)
        command.upgrade(config, "head")
