"""How does the index come to know what the journal says?

`follow` reads durable records as they come, makes them a batch and applies it; the index's own cursor, moved in the
same transaction, says where to go on after any crash. A database that is away is waited for: the journal keeps all.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

import anyio
import anyio.to_thread
import msgspec

from rambla.activations.index import Activations
from rambla.activations.ports import AuditEntry, Batch, Index
from rambla.domain.errors import Conflict, StorageFailed
from rambla.domain.records import Intent, Outcome, Record, decode_record
from rambla.kit.journal import Journal
from rambla.kit.tasks import pauses_s

RECORDS_MAX = 1_000
BYTES_MAX = 8 * 1024 * 1024
GATHER_S = 0.05  # a transaction costs as much as hundreds of rows; what is newer than this is found in memory

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


async def follow(journal: Journal, index: Index, activations: Activations) -> None:
    """Apply every durable record from the index's cursor on, for ever. Ends only by JournalFailed or JournalCorrupt."""
    cursor = await _patiently(index.cursor)
    if cursor > journal.durable_seq:
        _log.error("the index knows record %d, the journal ends before %d: it lost some", cursor - 1, journal.next_seq)
        cursor = journal.durable_seq
    while True:
        await journal.wait_durable(cursor)
        if journal.durable_seq - cursor < RECORDS_MAX:
            await anyio.sleep(GATHER_S)
        batch = await _next_batch(journal, cursor)
        await _patiently(activations.apply, batch)
        cursor = batch.cursor


async def rebuild(journal: Journal, index: Index, progress: Callable[[int, int], None]) -> None:
    """Empty the index and fill it with all the journal has; `progress(records done, records in all)` after each step.

    Conflict if the journal's beginning was dropped: then the index alone knows it, and it is left as it is. May be
    broken off and begun again, or left to `follow`. Raises StorageFailed.
    """
    upto = journal.durable_seq
    oldest = await anyio.to_thread.run_sync(lambda: journal.read(0, records_max=1, bytes_max=1))
    if oldest and oldest[0][0] > 0:
        raise Conflict(detail=f"The journal begins with record {oldest[0][0]}: the index cannot be made from it.")
    await index.clear()
    cursor = 0
    while cursor < upto:
        batch = await _next_batch(journal, cursor)
        await index.apply(batch)
        cursor = batch.cursor
        progress(cursor, upto)


def batch_of(cursor: int, records: Iterable[Record]) -> Batch:
    """What `records` add to an index; `cursor` is the number of the first record after them."""
    batch = Batch(cursor=cursor)
    for record in records:
        match record:
            case Intent():
                batch.audits.append(_audit_entry(record))
            case Outcome():
                batch.outcomes.append((record.intent_id, record.status))
                if record.activation is not None:
                    batch.activations.append(record.activation)
    return batch


def _audit_entry(intent: Intent) -> AuditEntry:
    return AuditEntry(
        intent_id=intent.id,
        at_ms=intent.at_ms,
        subject=intent.subject,
        source=intent.source,
        permission=intent.permission,
        namespace=intent.namespace,
        target=intent.target,
        rule=intent.rule,
        status="" if intent.allowed else "refused",
        activation_id=intent.activation_id,
    )


async def _next_batch(journal: Journal, cursor: int) -> Batch:
    def work() -> Batch:
        found = journal.read(cursor, records_max=RECORDS_MAX, bytes_max=BYTES_MAX)
        return batch_of(found[-1][0] + 1, _decoded(found))

    return await anyio.to_thread.run_sync(work)


def _decoded(found: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
    for seq, payload in found:
        try:
            yield decode_record(payload)
        except msgspec.DecodeError:  # whole, but of a kind only a newer Rambla knows: it stays in the journal
            _log.exception("record %d is not understood and left out of the index", seq)


async def _patiently(work: Callable[..., Awaitable[Result]], *args: object) -> Result:
    """Try until the storage works again."""
    for pause_s in pauses_s():
        try:
            return await work(*args)
        except StorageFailed as error:
            _log.warning("%s Again in %.1f s.", error, pause_s)
            await anyio.sleep(pause_s)
    raise AssertionError("pauses are endless")
