"""A database is opened, migrated, and its failures become ours."""

import sqlite3
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Text, text

from rambla.activations.ports import Batch
from rambla.domain.errors import StorageFailed
from rambla.drivers.sql.database import Database, open_database
from rambla.drivers.sql.entities import SqlEntityStore
from rambla.drivers.sql.index import SqlIndex
from rambla.drivers.sql.tables import SCHEMAS, Key, Schema
from rambla.testing.entity_store import RESIZE, action
from rambla.testing.index import activation

KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def other_type(
    _context: object, _found: object, _wanted: object, found_type: object, wanted_type: object
) -> bool | None:
    """Alembic cannot look into our `Key`; None: it may compare."""
    return not isinstance(found_type, Text) if isinstance(wanted_type, Key) else None


@KINDS
@pytest.mark.parametrize("schema", ["catalog", "index"])
async def test_the_migrations_make_the_tables_that_the_code_uses(kind: str, schema: Schema, open_fresh) -> None:
    database: Database = await open_fresh(kind, schema)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": f"{schema}_version", "compare_type": other_type}
        )
        assert compare_metadata(context, SCHEMAS[schema]) == []


@KINDS
async def test_a_database_opened_again_keeps_what_it_had(kind: str, open_fresh) -> None:
    database: Database = await open_fresh(kind, "catalog")
    written = await SqlEntityStore(database).put(action(), expected_revision=None)
    url = database.engine.url.render_as_string(hide_password=False)
    again = await anyio.to_thread.run_sync(open_database, url, "catalog")
    assert await SqlEntityStore(again).get(RESIZE) == written
    await again.close()


@KINDS
async def test_several_may_open_and_migrate_one_database_at_once(
    kind: str, tmp_path: Path, request, open_fresh
) -> None:
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    if kind == "postgresql":
        url = (await open_fresh(kind, "catalog")).engine.url.render_as_string(hide_password=False)
    opened: list[Database] = []

    async def open_it() -> None:
        opened.append(await anyio.to_thread.run_sync(open_database, url, "index"))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(open_it)
    for database in opened:
        await database.close()
    assert len(opened) == 8


async def test_a_new_sqlite_file_is_for_its_owner_only(open_fresh, tmp_path: Path) -> None:
    await SqlEntityStore(await open_fresh("sqlite", "catalog")).put(action(), expected_revision=None)
    files = list(tmp_path.glob("catalog.sqlite3*"))
    assert len(files) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_the_catalogue_syncs_every_commit(open_fresh) -> None:
    for schema, synchronous in (("catalog", 2), ("index", 1)):
        database: Database = await open_fresh("sqlite", schema)
        found = await database.read(
            lambda connection: [
                connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
            ]
        )
        assert found == ["wal", synchronous]


async def test_a_damaged_file_is_a_failed_storage(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite3").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StorageFailed, match="not a database"):
        open_database(f"sqlite:///{tmp_path}/bad.sqlite3", "catalog")


async def test_a_folder_that_cannot_be_made_is_a_failed_storage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed):
        open_database(f"sqlite:///{tmp_path}/file/catalog.sqlite3", "catalog")


async def test_a_server_that_does_not_answer_is_a_failed_storage(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'rambla[postgres]'")
    with pytest.raises(StorageFailed):
        open_database(f"postgresql+psycopg://rambla@/x?host={tmp_path}", "catalog")


async def test_a_failed_batch_changes_nothing(open_fresh, tmp_path: Path) -> None:
    index = SqlIndex(await open_fresh("sqlite", "index"))
    await index.apply(Batch(cursor=1, activations=[activation(1)]))
    with sqlite3.connect(tmp_path / "index.sqlite3") as vandal:
        vandal.execute("ALTER TABLE progress RENAME TO elsewhere")
    vandal.close()
    with pytest.raises(StorageFailed, match="progress"):
        await index.apply(Batch(cursor=2, activations=[activation(2)]))
    with sqlite3.connect(tmp_path / "index.sqlite3") as vandal:
        vandal.execute("ALTER TABLE elsewhere RENAME TO progress")
    vandal.close()
    assert await index.cursor() == 1
    assert await index.get(activation(2).id) is None
    assert [each.activations for each in await index.usage("guest", since_ms=0)] == [1]
