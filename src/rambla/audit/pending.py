"""Which intents have no outcome yet, and which events were taken already?

Kept while running so that the journal's low-water mark is known, and read back from the journal after a crash, so that
every promise ends and no event counts twice. `flow/recover.py` acts on what is found here.
"""

from collections import OrderedDict, deque

from rambla.domain.records import Intent, Outcome, Record, Started

EVENTS_REMEMBERED_MAX = 100_000
EVENTS_READ_BACK = 1_000
"""So many a restart still knows: several of the largest batches that a source delivers again after a crash."""


class Pending:
    def __init__(self) -> None:
        self._open: dict[str, tuple[int, Intent]] = {}
        self._started: set[str] = set()
        self._events: OrderedDict[str, None] = OrderedDict()
        self._event_seqs: deque[int] = deque(maxlen=EVENTS_READ_BACK)
        self._held: dict[str, int | None] = {}

    def track(self, seq: int, record: Record) -> None:
        """Take in one record of the journal, as it is written or as it is read back."""
        if isinstance(record, Outcome):
            self._open.pop(record.intent_id, None)
            if record.activation is not None:
                self._started.discard(record.activation.id)
        elif isinstance(record, Started):
            self._started.add(record.activation_id)
        else:
            if record.event_id is not None:
                self.saw_event(record.event_id)
                self._event_seqs.append(seq)
                if record.event_id in self._held:
                    self._held[record.event_id] = seq
            if record.allowed:
                self._open[record.id] = (seq, record)

    def withdraw(self, record: Record) -> None:
        """It could not be written: it never was."""
        if isinstance(record, Intent):
            self._open.pop(record.id, None)
            if record.event_id is not None:
                self.forget_event(record.event_id)

    def left_open(self) -> list[tuple[Intent, bool]]:
        """Intents without outcome, oldest first, and whether their work had been handed to a sandbox."""
        ordered = sorted(self._open.values(), key=lambda entry: entry[0])
        return [(intent, bool(intent.work and intent.work.activation_id in self._started)) for _, intent in ordered]

    def low_water(self, next_seq: int) -> int:
        """From where a restart must read: the oldest open intent, or the oldest event that must still be known."""
        oldest_event = self._event_seqs[0] if self._event_seqs else next_seq
        held = (seq for seq in self._held.values() if seq is not None)
        return min(next_seq, oldest_event, *(seq for seq, _ in self._open.values()), *held)

    def __len__(self) -> int:
        return len(self._open)

    def saw_event(self, event_id: str) -> bool:
        """Remember it; False if it was known already."""
        if event_id in self._events:
            return False
        self._events[event_id] = None
        if len(self._events) > EVENTS_REMEMBERED_MAX:
            self._events.popitem(last=False)
        return True

    def hold_event(self, event_id: str) -> None:
        """A restart shall know it, however many come after it, until `let_go`: say so before it is written."""
        self._held[event_id] = None

    def let_go(self, event_id: str) -> None:
        """Something else remembers it now."""
        self._held.pop(event_id, None)

    def forget_event(self, event_id: str) -> None:
        """It was not accepted after all: it may come again."""
        self._events.pop(event_id, None)
