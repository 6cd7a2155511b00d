"""Is it written down before it happens?

The one door to the journal. An intent is on disk when `intend` returns, and only then may its effect begin; an outcome
follows. If the journal cannot write, callers are refused: nothing happens here that leaves no trace.
"""

from rambla.audit.pending import Pending
from rambla.domain.errors import StorageFailed
from rambla.domain.records import Intent, Outcome, Record, Started, encode_record
from rambla.kit.journal import Journal, JournalFailed


class Ledger:
    """`pending` knows at any time which intents have no outcome yet."""

    def __init__(self, journal: Journal, pending: Pending) -> None:
        self.pending = pending
        self._journal = journal

    async def write(self, *records: Record) -> None:
        """Write records that belong together; on return all are on disk.

        Raises StorageFailed if they could not be written; then none of them may be acted on.
        """
        try:
            for record in records[:-1]:
                self._append(record)
            seq = await self._journal.commit(encode_record(records[-1]))
        except (JournalFailed, ValueError) as error:
            for record in records:
                self.pending.withdraw(record)
            raise StorageFailed(detail=str(error)) from error
        self.pending.track(seq, records[-1])

    def note(self, record: Started | Outcome | Intent) -> None:
        """Write without waiting: a start mark, or a refusal that nobody acts on.

        Raises StorageFailed only if the journal is known to have failed.
        """
        try:
            self._append(record)
        except (JournalFailed, ValueError) as error:
            raise StorageFailed(detail=str(error)) from error

    def low_water(self) -> int:
        """Every record before this sequence number is settled."""
        return self.pending.low_water(self._journal.durable_seq)

    def _append(self, record: Record) -> None:
        self.pending.track(self._journal.append(encode_record(record)), record)
