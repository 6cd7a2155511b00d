"""The databases that the port suites run against."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.to_thread
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from rambla.drivers.sql.database import Database, open_database
from rambla.drivers.sql.tables import Schema

Opener = Callable[[str, Schema], Awaitable[Database]]


@pytest.fixture
async def open_fresh(request: pytest.FixtureRequest, tmp_path: Path):
    """`await open_fresh("sqlite" or "postgresql", schema)`: an empty database, closed after the test."""
    opened: list[Database] = []

    async def open_it(kind: str, schema: Schema) -> Database:
        url = f"sqlite:///{tmp_path}/{schema}.sqlite3"
        if kind == "postgresql":
            url = _new_postgresql_database(request.getfixturevalue("postgresql_url"))
        database = await anyio.to_thread.run_sync(open_database, url, schema)
        opened.append(database)
        return database

    yield open_it
    for database in opened:
        await database.close()


_numbers = iter(range(1_000_000))


def _new_postgresql_database(server_url: str) -> str:
    name = f"test{next(_numbers)}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
