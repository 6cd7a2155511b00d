"""A journal keeps what it acknowledged: commit, group commit, limits, waiting, tailing and dropping."""

import asyncio
import os
import threading
from collections.abc import Awaitable
from pathlib import Path

import pytest

from rambla.kit.journal import Cursor, Journal, JournalCorrupt, JournalFailed

ALL = {"records_max": 1_000_000, "bytes_max": 1 << 40}


def payloads(journal: Journal, from_seq: int = 0) -> list[bytes]:
    return [payload for _, payload in journal.read(from_seq, **ALL)]


async def failure(waiting: Awaitable[object]) -> str:
    """Why `waiting` failed."""
    with pytest.raises(JournalFailed) as caught:
        await waiting
    return str(caught.value)


async def test_a_commit_returns_consecutive_numbers_and_is_there_after_reopening(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    assert [await journal.commit(b"%d" % n) for n in range(5)] == [0, 1, 2, 3, 4]
    assert journal.durable_seq == journal.next_seq == 5
    await journal.close()
    journal = Journal.open(tmp_path)
    assert journal.recovered is None
    assert journal.read(0, **ALL) == [(n, b"%d" % n) for n in range(5)]
    assert await journal.commit(b"") == 5
    await journal.close()


async def test_close_writes_what_was_appended_and_later_calls_fail(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    assert [journal.append(bytes([n])) for n in range(100)] == list(range(100))
    await journal.close()
    await journal.close()
    with pytest.raises(JournalFailed, match="closed"):
        journal.append(b"late")
    with pytest.raises(JournalFailed, match="closed"):
        await journal.wait_durable(100)
    journal = Journal.open(tmp_path)
    assert payloads(journal) == [bytes([n]) for n in range(100)]
    await journal.close()


async def test_sync_returns_when_everything_before_it_is_durable(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, batch_bytes_max=200)
    last = [journal.append(b"x" * 50) for _ in range(100)][-1]
    await journal.sync()
    assert journal.durable_seq == last + 1
    await journal.sync()
    await journal.close()


async def test_commits_that_wait_together_share_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, syncs, real = threading.Event(), [], os.fdatasync

    def slow_disk(descriptor: int) -> None:
        syncs.append(descriptor)
        held.wait()
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow_disk)
    journal = Journal.open(tmp_path)
    async with asyncio.TaskGroup() as group:
        for n in range(100):
            group.create_task(journal.commit(b"%d" % n))
        await asyncio.sleep(0.05)
        held.set()
    assert len(syncs) <= 3
    assert payloads(journal) == [b"%d" % n for n in range(100)]
    await journal.close()


async def test_a_cancelled_commit_neither_hurts_the_others_nor_is_taken_back(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(journal.commit(b"%d" % n)) for n in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
    assert [task.result() for task in tasks[1::2]] == list(range(1, 20, 2))
    assert payloads(journal) == [b"%d" % n for n in range(20)]
    await journal.close()


async def test_wait_durable_wakes_a_tailer_and_may_be_cancelled(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(journal.wait_durable(1))
        sleeper = group.create_task(journal.wait_durable(1))
        await asyncio.sleep(0)
        gone.cancel()
        await journal.commit(b"0")
        assert not sleeper.done()
        await journal.commit(b"1")
    await journal.wait_durable(0)
    await journal.close()


async def test_close_wakes_those_who_wait_for_more(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    async with asyncio.TaskGroup() as group:
        told = group.create_task(failure(journal.wait_durable(0)))
        await asyncio.sleep(0)
        await journal.close()
    assert "closed" in told.result()


async def test_a_record_over_the_limit_is_refused_and_one_at_the_limit_is_kept(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, record_bytes_max=1000, batch_bytes_max=100, segment_bytes_max=100)
    with pytest.raises(ValueError, match="1001 bytes"):
        journal.append(b"x" * 1001)
    assert await journal.commit(b"x" * 1000) == 0
    await journal.close()


async def test_a_queue_over_its_bound_refuses_and_accepts_again_when_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, real = threading.Event(), os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (held.wait(), real(descriptor))[1])
    journal = Journal.open(tmp_path, queue_bytes_max=10_000)
    accepted = [journal.append(b"x" * 932) for _ in range(10)]
    with pytest.raises(JournalFailed, match="10000 bytes wait to be written"):
        journal.append(b"")
    held.set()
    await journal.sync()
    assert await journal.commit(b"again") == len(accepted)
    await journal.close()


async def test_a_second_opener_of_the_folder_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    with pytest.raises(JournalFailed, match="another process"):
        Journal.open(tmp_path)
    await journal.close()
    await Journal.open(tmp_path).close()


async def test_reading_is_bounded_and_goes_on_anywhere_across_segments(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes_max=300, batch_bytes_max=250)
    for n in range(300):
        journal.append(b"%03d" % n)
    await journal.sync()
    assert len(list(tmp_path.glob("*.journal"))) > 10
    for step in (1, 7, 300):
        seq, seen = 0, []
        while found := journal.read(seq, records_max=step, bytes_max=1 << 20):
            assert len(found) <= step
            seen += found
            seq = found[-1][0] + 1
        assert seen == [(n, b"%03d" % n) for n in range(300)]
    assert [seq for seq, _ in journal.read(17, records_max=99, bytes_max=10)] == [17, 18, 19]
    assert [seq for seq, _ in journal.read(17, records_max=99, bytes_max=1)] == [17]
    assert journal.read(300, **ALL) == []
    await journal.close()


async def test_tailers_see_every_record_once_while_it_is_written(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes_max=2000)

    async def tail(seen: list[tuple[int, bytes]]) -> None:
        while len(seen) < 500:
            await journal.wait_durable(len(seen))
            seen += await asyncio.to_thread(journal.read, len(seen), records_max=33, bytes_max=1 << 20)

    one: list[tuple[int, bytes]] = []
    two: list[tuple[int, bytes]] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(tail(one))
        group.create_task(tail(two))
        for n in range(500):
            journal.append(b"%d" % n)
            if n % 13 == 0:
                await journal.sync()
    assert one == two == [(n, b"%d" % n) for n in range(500)]
    await journal.close()


async def test_dropping_keeps_what_is_asked_for_and_the_numbering(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, segment_bytes_max=200)
    for n in range(100):
        await journal.commit(b"%02d" % n)
    before = len(list(tmp_path.glob("*.journal")))
    journal.drop_before(50)
    assert len(list(tmp_path.glob("*.journal"))) < before
    assert payloads(journal, 50) == [b"%02d" % n for n in range(50, 100)]
    first = journal.read(0, records_max=1, bytes_max=1)[0][0]
    assert 0 < first <= 50
    journal.drop_before(10_000)
    assert len(list(tmp_path.glob("*.journal"))) == 1
    await journal.close()
    journal = Journal.open(tmp_path)
    assert await journal.commit(b"next") == 100
    await journal.close()


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "journal").iterdir())
    await journal.close()


def test_a_cursor_keeps_the_last_number_and_refuses_what_it_did_not_write(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "cursor")
    assert cursor.load() == 0
    cursor.store(7)
    cursor.store(1 << 60)
    assert Cursor(tmp_path / "cursor").load() == 1 << 60
    assert [path.name for path in tmp_path.iterdir()] == ["cursor"]
    for damage in (b"", b"12", b"-1\n", b"x\n"):
        (tmp_path / "cursor").write_bytes(damage)
        with pytest.raises(JournalCorrupt):
            cursor.load()
