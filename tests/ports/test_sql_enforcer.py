"""A database as an enforcer: SQLite, and a real PostgreSQL that is stopped in the middle."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import pytest

from outside_sql import PostgresqlStage, SqliteStage, open_postgresql
from rambla.app.registry import opener
from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer
from rambla.testing.enforcer import EnforcerSuite, says_yes

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"


@pytest.fixture
async def postgresql() -> AsyncIterator[PostgresqlStage]:
    async with open_postgresql() as stage:
        yield stage


class TestSqliteEnforcer(EnforcerSuite):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> SqliteStage:
        return SqliteStage(tmp_path)


class TestPostgresqlEnforcer(EnforcerSuite):
    @pytest.fixture
    def stage(self, postgresql: PostgresqlStage) -> PostgresqlStage:
        return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return SqliteStage(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")


async def none_is_asking() -> None:
    """No thread waits for a database any more."""
    with anyio.fail_after(30):
        while any("first_value" in functions(frame) for frame in sys._current_frames().values()):
            await anyio.sleep(0.02)


def functions(frame: FrameType | None) -> set[str]:
    names = set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    return names


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT 1 FROM members WHERE login = :subject", True),
        ("SELECT 1 = 1", True),
        ("SELECT 1 = 2", False),
        ("SELECT 0", False),
        ("SELECT NULL", False),
        ("SELECT 1 WHERE 1 = 2", False),
        ("SELECT '100%' = '100%'", True),
        ("SELECT 'True'", None),
        ("SELECT 2", None),
        ("SELECT login FROM members", None),
        ("SELECT nothing FROM members", None),
    ],
)
async def test_the_first_value_is_the_answer(database: Any, query: str, answer: bool | None) -> None:
    database.open(query)
    if answer is not None:
        assert await says_yes(database, "alice") is answer
        return
    with pytest.raises(NoAnswer):
        await says_yes(database, "alice")


async def test_nothing_is_ever_written(database: Any) -> None:
    with pytest.raises(BadSettings, match="one SELECT"):
        database.open("DELETE FROM members")
    with pytest.raises(BadSettings, match="one SELECT"):
        database.open("SELECT 1; DELETE FROM members")
    for writing in ("WITH gone AS (DELETE FROM members RETURNING 1) SELECT 1", "SELECT login FROM members FOR UPDATE"):
        database.open(writing)
        with pytest.raises(NoAnswer):
            await says_yes(database, "alice")
    database.open()
    assert await says_yes(database, "alice")


async def test_a_query_without_end_is_broken_off_and_its_thread_ends(database: Any) -> None:
    database.open(ENDLESS)
    for _ in range(3):
        with anyio.move_on_after(0.3) as scope:
            await says_yes(database, "alice")
        assert scope.cancelled_caught
    await none_is_asking()
    database.open()
    assert await says_yes(database, "alice")


async def test_a_server_that_hangs_keeps_no_thread(postgresql: PostgresqlStage) -> None:
    assert await says_yes(postgresql, "alice")
    postgresql.open("SELECT pg_sleep(60) IS NULL")
    for _ in range(3):
        async with anyio.create_task_group() as group:
            group.start_soon(says_yes, postgresql, "alice")
            await anyio.sleep(0.3)
            await postgresql.stop()
            group.cancel_scope.cancel()
        await none_is_asking()
        await postgresql.go_on()


async def test_a_wrong_password_is_no_answer_and_told_to_nobody(postgresql: PostgresqlStage, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("falsches-wort")
    postgresql.open(secret_file=str(wrong))
    with pytest.raises(EnforcerAway) as raised:
        await says_yes(postgresql, "alice")
    assert "wort" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "sqlite:///x"}, "query"),
        ({"url": "sqlite:///x", "query": "SELECT :colour"}, ":colour"),
        ({"url": "postgresql://h:port/d", "query": "SELECT 1"}, "url"),
        ({"url": "postgresql://h/d", "query": "SELECT 1", "secret_file": "/absent"}, "secret_file"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        opener("enforcer", given["url"].partition(":")[0])("named", given, timeout_ms=10_000)
