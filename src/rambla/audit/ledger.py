"""Is it written down before it happens?

The one door to the journal. An intent is on disk when `intend` returns, and only then may its effect begin; an outcome
follows. If the journal cannot write, callers are refused: nothing happens here that leaves no trace.
"""

import logging
from collections.abc import Iterator

import anyio

from rambla.audit.pending import Pending
from rambla.domain.errors import StorageFailed
from rambla.domain.records import Intent, Outcome, Record, decode_record, encode_record
from rambla.kit.journal import Journal, JournalFailed
from rambla.kit.tasks import pauses_s

_READ_RECORDS_MAX = 10_000
_READ_BYTES_MAX = 32 * 2**20
_ORDER_MS = 60_000
_log = logging.getLogger(__name__)


class Ledger:
    """`pending` knows at any time which intents have no outcome yet.

    Whoever takes events holds `intake` from looking whether they are known until they are written: who delivers one
    again must not hear "known" while the first delivery may still fail.
    """

    def __init__(self, journal: Journal, pending: Pending) -> None:
        self.pending = pending
        self.intake = anyio.Lock()
        self._journal = journal

    async def write(self, *records: Record) -> None:
        """Write records that belong together; on return all are on disk.

        Raises StorageFailed if they could not be written; then none of them may be acted on. Who is cancelled meanwhile
        hears of it afterwards: a record in the air is not taken back, so its writer must live to end what it says.
        """
        try:
            first_seq, durable = self._journal.submit([encode_record(record) for record in records])
            numbered = list(enumerate(records, first_seq))
            # A promise counts as open before it is durable and an end only afterwards: whenever the low-water mark is
            # taken, a restart that reads from there finds every promise without an end.
            for seq, record in numbered:
                if not isinstance(record, Outcome):
                    self.pending.track(seq, record)
            with anyio.CancelScope(shield=True):
                await durable
        except (JournalFailed, ValueError) as error:
            for record in records:
                self.pending.withdraw(record)
            raise StorageFailed(detail=str(error)) from error
        for seq, record in numbered:
            if isinstance(record, Outcome):
                self.pending.track(seq, record)

    async def write_at_last(self, outcome: Outcome) -> None:
        """Write the end of what has happened already, however long the storage takes to work again.

        Cancelling ends the waiting, never a writing; the promise then stays open for the next start to settle.
        """
        for pause_s in pauses_s():
            try:
                await self.write(outcome)
                return
            except StorageFailed as error:
                _log.warning("the outcome of %s is not on disk yet: %s", outcome.intent_id, error)
            await anyio.sleep(pause_s)

    def note(self, record: Intent) -> None:
        """Write a refusal without waiting, as nobody acts on it.

        Raises StorageFailed only if the journal is known to have failed.
        """
        try:
            self.pending.track(self._journal.append(encode_record(record)), record)
        except (JournalFailed, ValueError) as error:
            raise StorageFailed(detail=str(error)) from error

    def since(self, at_ms: int, *, records_max: int) -> Iterator[Record]:
        """Durable records from that time on, and some from before; so many of the newest at most. Blocking."""
        seq = max(self._first_since(at_ms), self._journal.durable_seq - records_max)
        while records := self._journal.read(seq, records_max=_READ_RECORDS_MAX, bytes_max=_READ_BYTES_MAX):
            yield from (decode_record(payload) for _, payload in records)
            seq = records[-1][0] + 1

    def _first_since(self, at_ms: int) -> int:
        """By halving, as records are in the order of their time but for moments."""
        low, high = 0, self._journal.durable_seq
        while low < high:
            middle = (low + high) // 2
            found = self._journal.read(middle, records_max=1, bytes_max=_READ_BYTES_MAX)
            if found and decode_record(found[0][1]).at_ms < at_ms - _ORDER_MS:
                low = max(middle, found[0][0]) + 1
            else:
                high = middle
        return low

    def low_water(self) -> int:
        """Every record before this sequence number is settled."""
        return self.pending.low_water(self._journal.durable_seq)
