"""How is a record made durable, cheaply, for many who wait?

One folder, one writer thread. A commit on an idle journal is written at once; what arrives while a batch is in the air
makes up the next one (group commit): one write and one fdatasync for all of them, and one call back to the event loop.
The files are the work of `segments` and `reader`, their format is told in `frames`. What a record means is not known
here. A record is durable or it is not: nothing is retried behind the caller's back.

When it fails. The disk is full while writing: the write is undone, everything in that batch and behind it fails with
JournalFailed and its numbers are given out again; the journal goes on, and accepts the next record if there is room by
then. Anything else (an I/O error, a failed fdatasync, a write that cannot be undone) is final, since a second fdatasync
may succeed without having written: all who wait fail, and so does every later call. After JournalFailed from a final
failure a record may still be found when the journal is opened again.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from rambla.kit.clock import Clock, SystemClock
from rambla.kit.cursor import Cursor
from rambla.kit.frames import RECORD_HEADER_BYTES, JournalCorrupt, JournalFailed
from rambla.kit.segments import DiskFull, Segments

__all__ = ["Cursor", "Journal", "JournalCorrupt", "JournalFailed"]

MIB = 1024 * 1024
_ENTRY_BYTES = 64  # what a queued record costs beside its bytes, so that a flood of empty ones is bounded too

Waiter = asyncio.Future[None]
Entry = tuple[bytes | None, Waiter | None]  # no payload: somebody only waits for all before


class Journal:
    """Safe to use from one event loop; `append` and `read` from any thread."""

    def __init__(self, segments: Segments, limits: tuple[int, int, int], clock: Clock) -> None:
        self._segments = segments
        self._record_bytes_max, self._batch_bytes_max, self._queue_bytes_max = limits
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[Entry] = deque()
        self._sleepers: list[tuple[int, Waiter]] = []
        self._pending_bytes = 0
        self._next_seq = self._durable_seq = segments.end_seq
        self._closed = False
        self._failure: str | None = None
        self._writer = threading.Thread(target=self._write_batches, name="journal", daemon=True)
        self._writer.start()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        segment_bytes_max: int = 64 * MIB,
        record_bytes_max: int = 16 * MIB,
        batch_bytes_max: int = 8 * MIB,
        queue_bytes_max: int = 128 * MIB,
        clock: Clock | None = None,
    ) -> "Journal":
        """Open or create the journal in `folder`, reading all of it once to check it. Blocking.

        A torn tail is cut off and kept in a file beside; `recovered` then says so. Raises JournalFailed when another
        process has it open, JournalCorrupt when durable data is damaged, OSError when the folder cannot be used.
        A single record may exceed `segment_bytes_max` and `batch_bytes_max`: it then lies in one of its own.
        """
        return cls(
            Segments(folder, segment_bytes_max),
            (record_bytes_max, batch_bytes_max, queue_bytes_max),
            clock or SystemClock(),
        )

    @property
    def recovered(self) -> str | None:
        """What was mended when the journal was opened, for the log; None if nothing was."""
        return self._segments.recovered

    @property
    def next_seq(self) -> int:
        """The number that the next record will get."""
        return self._next_seq

    @property
    def durable_seq(self) -> int:
        """The first number that is not durable yet: every record below it survives a crash."""
        return self._durable_seq

    def append(self, payload: bytes) -> int:
        """Take the next place in the order and return its number; durable some time later.

        Raises JournalFailed if the journal is closed, has failed or has too much to write already, ValueError if
        `payload` is too long. Nobody is told if it then fails: who must know uses `commit`, or `sync` right after.
        """
        return self._enqueue([payload], None)

    def submit(self, payloads: Sequence[bytes]) -> tuple[int, Waiter]:
        """Take the next places in the order for all of `payloads` or for none, as `append` does: the first number, and
        what is done once all are on disk, or raises JournalFailed if any could not be written."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        return self._enqueue(payloads, waiter), waiter

    async def commit(self, payload: bytes) -> int:
        """Append and return its number once it is on disk. Raises as `append` does, and JournalFailed if it could not
        be written. A cancelled wait does not take the record back."""
        seq, durable = self.submit([payload])
        await durable
        return seq

    async def sync(self) -> None:
        """Return once everything appended so far is durable; JournalFailed if what was still to be written failed."""
        _, durable = self.submit([])
        await durable

    async def wait_durable(self, seq: int) -> None:
        """Return once `durable_seq` > `seq`. Raises JournalFailed when the journal fails for good or is closed."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._durable_seq > seq:
                return
            self._check_open()
            self._sleepers.append((seq, waiter))
        try:
            await waiter
        finally:
            with self._changed:
                self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not waiter]

    def read(self, from_seq: int, *, records_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Durable records with their numbers, from `from_seq` or the oldest still kept on.

        At most `records_max` of at most `bytes_max` bytes together, but one at least if there is any. Blocking; going
        on where an earlier reading ended is cheap. Raises JournalCorrupt when the file was damaged meanwhile.
        """
        return self._segments.read(from_seq, self._durable_seq, records_max, bytes_max)

    def drop_before(self, seq: int) -> None:
        """Delete whole segments of which no reader needs anything: all their records are below `seq`. Blocking."""
        self._segments.drop_before(seq)

    async def close(self) -> None:
        """Write what is queued, then close the files. Idempotent. Sleepers in `wait_durable` get JournalFailed."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        await asyncio.to_thread(self._writer.join)
        self._segments.close()

    def _check_open(self) -> None:
        if self._failure is not None:
            raise JournalFailed(self._failure)
        if self._closed:
            raise JournalFailed("the journal is closed")

    def _enqueue(self, payloads: Sequence[bytes], waiter: Waiter | None) -> int:
        longest = max(map(len, payloads), default=0)
        if longest > self._record_bytes_max:
            raise ValueError(f"record of {longest} bytes, at most {self._record_bytes_max} are allowed")
        last = payloads[-1] if payloads else None
        entries: list[Entry] = [*((payload, None) for payload in payloads[:-1]), (last, waiter)]
        size = sum(map(_size, entries))
        with self._changed:
            self._check_open()
            if payloads and self._pending_bytes + size > self._queue_bytes_max:
                raise JournalFailed(f"{self._pending_bytes} bytes wait to be written already")
            seq = self._next_seq
            self._next_seq += len(payloads)
            self._pending_bytes += size
            if not self._queue:
                self._changed.notify()
            self._queue.extend(entries)
            return seq

    # --- below runs in the writer thread ---

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            records = [payload for payload, _ in batch if payload is not None]
            try:
                if records:
                    self._segments.write(records, self._clock.now_ms())
            except DiskFull as error:
                self._give_up(batch, f"the disk is full: {error}", final=False)
            except Exception as error:  # a bug must not leave anyone waiting for ever either
                self._give_up(batch, f"{type(error).__name__}: {error}", final=True)
            else:
                self._settle(batch)
        with self._changed:
            sleepers, self._sleepers = self._sleepers, []
        _tell([waiter for _, waiter in sleepers], self._failure or "the journal is closed")

    def _next_batch(self) -> list[Entry]:
        """What is queued, up to a batch's size, sleeping until there is something; [] when it is time to end."""
        with self._changed:
            while not self._queue and not self._closed and self._failure is None:
                self._changed.wait()
            batch: list[Entry] = []
            room = self._batch_bytes_max
            while self._queue and (not batch or room >= _size(self._queue[0])):
                batch.append(self._queue.popleft())
                room -= _size(batch[-1])
            return batch

    def _settle(self, batch: list[Entry]) -> None:
        with self._changed:
            self._pending_bytes -= sum(map(_size, batch))
            self._durable_seq = self._segments.end_seq
            due = [waiter for seq, waiter in self._sleepers if seq < self._durable_seq]
        _tell([*_waiters(batch), *due], None)

    def _give_up(self, batch: list[Entry], reason: str, *, final: bool) -> None:
        with self._changed:
            self._failure = reason if final else None
            lost = [*batch, *self._queue]
            self._queue.clear()
            self._pending_bytes = 0
            self._next_seq = self._durable_seq
        _tell(_waiters(lost), reason)


def _size(entry: Entry) -> int:
    return _ENTRY_BYTES + RECORD_HEADER_BYTES + len(entry[0] or b"")


def _waiters(batch: Iterable[Entry]) -> list[Waiter]:
    return [waiter for _, waiter in batch if waiter is not None]


def _tell(waiters: list[Waiter], failure: str | None) -> None:
    """Wake them all with one call into their event loop. A loop that is closed has nobody left to be told."""
    if not waiters:
        return
    try:
        waiters[0].get_loop().call_soon_threadsafe(_wake, waiters, failure)
    except RuntimeError:
        return


def _wake(waiters: list[Waiter], failure: str | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue  # cancelled meanwhile
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(JournalFailed(failure))
