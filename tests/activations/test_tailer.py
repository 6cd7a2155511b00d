"""The index comes to know exactly what the journal says, whatever crashes when."""

import asyncio
import logging
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.activations import tailer
from rambla.activations.index import Activations
from rambla.activations.ports import Batch, Index, Query
from rambla.activations.tailer import batch_of, follow, rebuild
from rambla.domain.errors import Conflict
from rambla.domain.records import Intent, Outcome, Record, Started, encode_record
from rambla.drivers.memory.index import MemoryIndex
from rambla.drivers.sql.database import open_database
from rambla.drivers.sql.index import SqlIndex
from rambla.kit.journal import Journal
from rambla.testing.index import NOON_MS, activation, audit, row

GUEST = Query(namespace="guest")


def intent(number: int, *, allowed: bool = True) -> Intent:
    return Intent(
        id=f"{number:032x}",
        at_ms=NOON_MS + number,
        subject="guest",
        source="key",
        permission="action:invoke",
        namespace="guest",
        target="guest/resize",
        allowed=allowed,
        rule="owner",
    )


def outcome(number: int, status: str = "ok", *, ran: bool = True) -> Outcome:
    return Outcome(
        intent_id=f"{number:032x}",
        at_ms=NOON_MS + number,
        status=status,
        activation=activation(number) if ran else None,
    )


def story(runs: int) -> list[Record]:
    """`runs` runs, each told by three records that lie apart from each other."""
    records: list[Record] = [intent(number) for number in range(runs)]
    records += [Started(activation_id=activation(number).id, at_ms=NOON_MS) for number in range(runs)]
    return [*records, *(outcome(number) for number in range(runs))]


@pytest.fixture(params=["memory", "sqlite"])
async def index(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        yield MemoryIndex()
        return
    database = open_database(f"sqlite:///{tmp_path}/index.sqlite3", "index")
    yield SqlIndex(database)
    await database.close()


@pytest.fixture
async def journal(tmp_path: Path):
    journal = Journal.open(tmp_path / "journal", segment_bytes_max=100_000)
    yield journal
    await journal.close()


async def write(journal: Journal, records: list[Record]) -> None:
    for record in records:
        journal.append(encode_record(record))
    await journal.sync()


async def follow_to_the_end(journal: Journal, index: Index, activations: Activations | None = None) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(follow, journal, index, activations or Activations(index))
        with anyio.fail_after(60):
            while await index.cursor() != journal.durable_seq:
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()


async def assert_exact(index: Index, runs: int) -> None:
    assert await index.count(GUEST) == runs
    assert await index.usage("guest", since_ms=0) == [row(runs)]
    entries = await index.audits("guest", since_ms=0, limit=runs + 1)
    assert [entry.status for entry in entries] == ["ok"] * runs


def test_a_batch_holds_what_its_records_say() -> None:
    records = [intent(1), intent(2, allowed=False), Started(activation_id="a", at_ms=1), outcome(1)]
    assert batch_of(9, [*records, outcome(7, "throttled", ran=False)]) == Batch(
        cursor=9,
        activations=[activation(1)],
        audits=[audit(1), audit(2, status="refused")],
        outcomes=[(f"{1:032x}", "ok"), (f"{7:032x}", "throttled")],
    )


@given(st.lists(st.integers(0, 30), max_size=6))
def test_where_batches_are_cut_does_not_matter(cuts: list[int]) -> None:
    records = story(10)

    async def check() -> None:
        index = MemoryIndex()
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(records)], strict=True):
            await index.apply(batch_of(end, records[begin:end]))
        await assert_exact(index, 10)

    anyio.run(check)


async def test_following_applies_what_is_there_and_what_comes(journal: Journal, index: Index) -> None:
    activations = Activations(index)
    await write(journal, story(1500)[:3000])
    async with anyio.create_task_group() as group:
        group.start_soon(follow, journal, index, activations)
        for number in range(1500):
            journal.append(encode_record(outcome(number)))
            activations.remember(activation(number))
            if number % 100 == 0:
                await anyio.sleep(0.001)
                assert await activations.count(GUEST) == number + 1
        await journal.sync()
        with anyio.fail_after(60):
            while await index.cursor() < 4500:
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()
    await assert_exact(index, 1500)
    assert await activations.count(GUEST) == 1500


async def test_following_again_from_any_earlier_cursor_counts_once(journal: Journal, index: Index) -> None:
    await write(journal, story(50))
    await follow_to_the_end(journal, index)
    for cursor in (0, 75, 149):
        await index.apply(Batch(cursor=cursor))
        await follow_to_the_end(journal, index)
        await assert_exact(index, 50)


async def test_a_record_no_one_understands_is_passed_over_loudly(
    journal: Journal, index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    await write(journal, [intent(0), outcome(0)])
    for strange in (b"", b"\xff" * 50, b"\x81\xa1t\xa6future", encode_record(intent(5))[:-3]):
        journal.append(strange)
    await write(journal, [intent(1), outcome(1)])
    await follow_to_the_end(journal, index)
    await assert_exact(index, 2)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        f"record {seq} is not understood and left out of the index" for seq in (2, 3, 4, 5)
    ]


async def test_an_index_ahead_of_a_shortened_journal_misses_nothing_new(
    journal: Journal, index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    await index.apply(Batch(cursor=1000))
    await write(journal, [intent(0)])
    async with anyio.create_task_group() as group:
        group.start_soon(follow, journal, index, Activations(index))
        with anyio.fail_after(60):
            while "lost some" not in caplog.text:
                await anyio.sleep(0.005)
        await write(journal, [intent(1), outcome(1)])
        with anyio.fail_after(60):
            while await index.cursor() != 3:
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()
    assert len(await index.audits("guest", since_ms=0, limit=9)) == 1


async def test_a_database_that_is_away_is_waited_for(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/index.sqlite3", "index")
    index = SqlIndex(database)
    await write(journal, story(20))
    vandal = sqlite3.connect(tmp_path / "index.sqlite3", isolation_level=None)
    vandal.execute("ALTER TABLE usage RENAME TO elsewhere")
    async with anyio.create_task_group() as group:
        group.start_soon(follow, journal, index, Activations(index))
        with anyio.fail_after(60):
            while "Again in" not in caplog.text:
                await anyio.sleep(0.005)
        assert await index.cursor() == 0
        vandal.execute("ALTER TABLE elsewhere RENAME TO usage")
        vandal.close()
        with anyio.fail_after(60):
            while await index.cursor() != 60:
                await anyio.sleep(0.005)
        group.cancel_scope.cancel()
    await assert_exact(index, 20)
    await database.close()


async def test_rebuilding_makes_the_same_index_and_tells_how_far_it_is(
    journal: Journal, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailer, "RECORDS_MAX", 50)
    await write(journal, story(40))
    await index.apply(Batch(cursor=77, activations=[activation(999)], audits=[audit(999)]))
    steps: list[tuple[int, int]] = []
    await rebuild(journal, index, lambda done, upto: steps.append((done, upto)))
    assert steps == [(50, 120), (100, 120), (120, 120)]
    await assert_exact(index, 40)


async def test_rebuilding_refuses_when_the_index_alone_knows_the_beginning(journal: Journal, index: Index) -> None:
    await write(journal, story(500))
    await write(journal, [intent(9999)])
    await follow_to_the_end(journal, index)
    journal.drop_before(journal.durable_seq)
    before = await index.cursor()
    if journal.read(0, records_max=1, bytes_max=1)[0][0] == 0:
        pytest.fail("the story must fill more than one segment")
    with pytest.raises(Conflict, match="cannot be made from it"):
        await rebuild(journal, index, lambda done, upto: None)
    assert await index.cursor() == before


FOLLOW = """
import sys, anyio
from pathlib import Path
from rambla.activations import tailer
from rambla.activations.index import Activations
from rambla.drivers.sql.database import open_database
from rambla.drivers.sql.index import SqlIndex
from rambla.kit.journal import Journal

async def main():
    folder = Path(sys.argv[1])
    tailer.RECORDS_MAX = 7
    index = SqlIndex(open_database(f"sqlite:///{folder}/index.sqlite3", "index"))
    journal = Journal.open(folder / "journal")
    print("started", flush=True)
    await tailer.follow(journal, index, Activations(index))

anyio.run(main)
"""


async def test_sums_are_exact_when_the_tailer_is_killed_in_the_middle(tmp_path: Path) -> None:
    runs = 1500
    journal = Journal.open(tmp_path / "journal")
    await write(journal, story(runs))
    await journal.close()
    cursor = 0
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", FOLLOW, tmp_path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        while cursor_of(tmp_path) < cursor + 100:
            assert child.poll() is None
            await asyncio.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        cursor = cursor_of(tmp_path)
    assert 500 <= cursor < 3 * runs
    database = open_database(f"sqlite:///{tmp_path}/index.sqlite3", "index")
    journal = Journal.open(tmp_path / "journal")
    await follow_to_the_end(journal, SqlIndex(database))
    await assert_exact(SqlIndex(database), runs)
    await journal.close()
    await database.close()


def cursor_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "index.sqlite3")) as connection:
        found: int = connection.execute("SELECT coalesce(max(cursor), 0) FROM progress").fetchone()[0]
    return found
