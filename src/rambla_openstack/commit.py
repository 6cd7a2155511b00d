"""How do many requests share one disk write without stopping the hub?

Swift's proxy is one thread of many green ones; a blocking `fdatasync` would stop them all. Lines are collected while
the previous batch is being written by a real thread (`eventlet.tpool`), then go out together. Before: `events`. After:
`outbox`. It decides nothing: an error is raised in every request that waits for the batch.
"""

from pathlib import Path
from typing import Any

import eventlet
from eventlet import tpool
from eventlet.event import Event

from rambla_openstack import outbox


class GroupCommit:
    """One per process: whoever forks makes a new one."""

    def __init__(self, spool: Path, logger: Any, *, spool_bytes_max: int) -> None:
        self._writer = outbox.Writer(spool, spool_bytes_max=spool_bytes_max)
        self._logger = logger
        self._waiting: list[tuple[bytes, Event | None]] = []
        self._running = False

    def durable(self, line: bytes) -> None:
        """Returns when `line` is on the disk; raises OSError if it could not be written."""
        done = Event()
        self._add(line, done)
        done.wait()

    def soon(self, line: bytes) -> None:
        """Write `line` with the next batch. If that fails it is only logged: the shipper finds out by itself."""
        self._add(line, None)

    def _add(self, line: bytes, done: Event | None) -> None:
        self._waiting.append((line, done))
        if not self._running:
            self._running = True
            eventlet.spawn_n(self._drain)

    def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                self._write(batch)
        finally:
            self._running = False

    def _write(self, batch: list[tuple[bytes, Event | None]]) -> None:
        waiters = [done for _, done in batch if done is not None]
        try:
            tpool.execute(self._writer.write, [line for line, _ in batch], sync=bool(waiters))
        except Exception as error:  # whatever it is, those who wait must be told, and the next batch be tried
            if len(waiters) < len(batch):
                self._logger.warning("rambla_events: %d marks not written: %s", len(batch) - len(waiters), error)
            for done in waiters:
                done.send_exception(error)
        else:
            for done in waiters:
                done.send(None)
