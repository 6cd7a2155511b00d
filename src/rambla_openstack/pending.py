"""What has been read from the outboxes and is not settled yet?

`Queue` takes in records, pairs marks with intents, says which intents Swift must be asked about, and holds the events
that are to be delivered. With the reading positions it is the shipper's whole memory: it is saved before a segment is
deleted and loaded at the start, so a crash repeats deliveries but loses none. Pure but for the time that is passed in.
Before: `outbox` lines. After: `waiting` says what is delivered
next, `shipper` asks and delivers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from rambla_openstack.records import Intent, Mark, cloud_event, settle
from rambla_openstack.subscriptions import matches
from rambla_openstack.waiting import Delivery, Waiting

Key = tuple[str, int]
"""An intent's writer (the name of its folder) and number."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as Swift has it now; `timestamp` is seconds with five decimals."""

    timestamp: str
    size: int
    etag: str
    version: str


@dataclass(slots=True)
class Open:
    """An intent that is not settled: `mark` None means that nothing is known of its end yet."""

    intent: Intent
    mark: Mark | None
    read_at: float
    ask_at: float
    tries: int = 0

    @property
    def must_ask(self) -> bool:
        """Whether only Swift knows how it ended, or how large the object is."""
        if self.mark is None or self.mark.verdict == "ask":
            return True
        return self.mark.size is None and not settle(self.intent, self.mark).removes


@dataclass
class Queue:
    """`grace_s`: how long a living writer may take before Swift is asked; doubles with each try up to `grace_max_s`."""

    grace_s: float = 30.0
    grace_max_s: float = 600.0
    open: dict[Key, Open] = field(default_factory=dict)
    ready: Waiting = field(default_factory=Waiting)
    positions: dict[str, tuple[str, int]] = field(default_factory=dict)
    nonsense: int = 0

    def take(self, writer: str, records: Iterable[dict[str, Any]], now: float) -> None:
        """Records of one writer, in order. What no filter wrote is counted and left out."""
        for record in records:
            try:
                if "intent" in record:
                    intent = Intent.from_record(record)
                    self.open[writer, intent.number] = Open(intent, None, now, now + self.grace_s)
                else:
                    self._mark(writer, Mark.from_record(record), now)
            except ValueError:
                self.nonsense += 1

    def _mark(self, writer: str, mark: Mark, now: float) -> None:
        entry = self.open.get((writer, mark.number))
        if entry is None:
            return  # Swift was asked meanwhile, or its intent's line is damaged
        entry.mark, entry.ask_at, entry.tries = mark, now, 0
        if mark.verdict == "void":
            del self.open[writer, mark.number]
        elif not entry.must_ask:
            self.deliver((writer, mark.number), mark)

    def orphan(self, writer: str, now: float) -> None:
        """The writer is gone and everything it wrote has been read: its open intents get no mark any more."""
        for key, entry in self.open.items():
            if key[0] == writer and entry.mark is None:
                entry.mark, entry.ask_at, entry.tries = Mark(key[1], "ask"), now, 0

    def due(self, now: float) -> Iterator[tuple[Key, Open]]:
        """Intents about which Swift is to be asked now."""
        return ((key, entry) for key, entry in list(self.open.items()) if entry.must_ask and entry.ask_at <= now)

    def ask_later(self, key: Key, now: float, wait_s: float | None = None) -> None:
        """Swift did not answer (`wait_s`), or a living writer may still be at it (None)."""
        entry = self.open[key] = self.open.pop(key)  # to the end: one that always fails must not stop the others
        entry.tries += 1
        grace = min(self.grace_s * 2.0**entry.tries, self.grace_max_s)
        entry.ask_at = now + (grace if wait_s is None else wait_s)

    def drop(self, key: Key) -> None:
        """The change never came to be."""
        del self.open[key]

    def deliver(self, key: Key, mark: Mark) -> None:
        """The change is a fact: everybody who wants the event that it turned out to be will be told."""
        intent = self.open.pop(key).intent
        final = settle(intent, mark)
        for trigger, events in intent.targets:
            if matches(events, final.event):
                self.ready.put(Delivery(trigger, cloud_event(intent, mark, trigger)))

    def holds(self, writer: str) -> bool:
        return any(key[0] == writer for key in self.open)

    def to_document(self) -> dict[str, Any]:
        return {
            "positions": self.positions,
            "open": [
                {"writer": writer, "mark": entry.mark and asdict(entry.mark), **entry.intent.to_record()}
                for (writer, _), entry in self.open.items()
            ],
            "ready": [asdict(delivery) for delivery in self.ready],
        }

    def load(self, document: dict[str, Any], now: float) -> None:
        """Continue from what `to_document` gave. Raises ValueError on anything else."""
        try:
            self.positions = {writer: (str(name), int(at)) for writer, (name, at) in document["positions"].items()}
            for item in document["open"]:
                mark = Mark.from_record(item) if item["mark"] else None
                intent = Intent.from_record(item)
                self.open[item["writer"], intent.number] = Open(intent, mark, now, now + (0 if mark else self.grace_s))
            for item in document["ready"]:
                self.ready.put(Delivery(item["trigger"], item["event"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a shipper's memory: {error!r}") from None


def verdict(entry: Open, found: Found | None) -> Mark | None:
    """What Swift's answer says of the change: a mark if it came to be, None if not (or not yet).

    A change that is certain is told even if the object has been changed again; its size is then unknown.
    """
    known = entry.mark if entry.mark is not None else Mark(entry.intent.number, "ask")
    intent = settle(entry.intent, known)
    plain = Mark(intent.number, "done", known.event, version=known.version)
    if known.verdict == "done" and (intent.removes or found is None):
        return plain
    if intent.removes or found is None:
        return plain if intent.removes and found is None else None
    ours, theirs = Decimal(intent.timestamp.partition("_")[0]), Decimal(found.timestamp)
    if ours == theirs:
        return replace(plain, size=found.size, etag=found.etag, version=known.version or found.version)
    return plain if known.verdict == "done" or theirs > ours else None
