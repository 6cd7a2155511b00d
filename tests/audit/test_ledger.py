"""What is promised is known before it is on disk, what has ended only afterwards."""

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from rambla.audit.ledger import Ledger
from rambla.audit.pending import Pending
from rambla.domain.errors import StorageFailed
from rambla.domain.records import Intent, Outcome, decode_record
from rambla.kit.journal import Journal

pytestmark = pytest.mark.anyio


def intent(identifier: str, *, rule: str = "r") -> Intent:
    return Intent(
        id=identifier,
        at_ms=1,
        subject="guest",
        source="key",
        permission="action:invoke",
        namespace="guest",
        target="guest/a",
        allowed=True,
        rule=rule,
    )


def outcome(identifier: str) -> Outcome:
    return Outcome(intent_id=identifier, at_ms=2, status="ok")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal.open(tmp_path / "journal")
    yield opened
    await opened.close()


@pytest.fixture
def ledger(journal: Journal) -> Ledger:
    return Ledger(journal, Pending())


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """The journal's file may not grow, as on a disk that is full."""
    size = sum(path.stat().st_size for path in folder.glob("*.journal"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_the_low_water_mark_never_passes_an_intent_whose_outcome_is_not_on_disk(ledger: Ledger) -> None:
    marks: list[int] = []
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(ledger.write, intent(str(number)))
        while len(ledger.pending) < 50:
            marks.append(ledger.low_water())
            await anyio.lowlevel.checkpoint()
    assert set(marks) == {0}
    assert ledger.low_water() == 0


async def test_an_end_counts_only_once_it_is_on_disk(ledger: Ledger) -> None:
    await ledger.write(intent("one"))
    async with anyio.create_task_group() as group:
        group.start_soon(ledger.write, outcome("one"))
        await anyio.lowlevel.checkpoint()
        assert (len(ledger.pending), ledger.low_water()) == (1, 0)
    assert (len(ledger.pending), ledger.low_water()) == (0, 2)


async def test_records_that_belong_together_are_all_there_or_none(
    ledger: Ledger, journal: Journal, tmp_path: Path
) -> None:
    await ledger.write(intent("before"))
    with full(tmp_path / "journal"), pytest.raises(StorageFailed):
        await ledger.write(intent("one", rule="x" * 2**20), intent("two"), outcome("two"))
    assert [each.id for each, _ in ledger.pending.left_open()] == ["before"]
    await ledger.write(intent("after"))
    written = [decode_record(payload) for _, payload in journal.read(0, records_max=10, bytes_max=2**24)]
    assert written == [intent("before"), intent("after")]


async def test_an_outcome_is_written_as_soon_as_there_is_room_again(ledger: Ledger, tmp_path: Path) -> None:
    await ledger.write(intent("one"))
    async with anyio.create_task_group() as group:
        with full(tmp_path / "journal"):
            group.start_soon(ledger.write_at_last, outcome("one"))
            await anyio.sleep(0.05)
            assert len(ledger.pending) == 1
    assert len(ledger.pending) == 0
