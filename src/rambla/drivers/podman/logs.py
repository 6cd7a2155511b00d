"""Where does the output of one activation end and that of the next begin?

OpenWhisk's runtimes end each activation with a sentinel on both streams. Those lines are taken out here, and `marked`
waits for them, as the answer may overtake the output. Many images print none, so the wait is short until one was seen.
"""

import asyncio

from rambla.domain.activation import LogLine
from rambla.drivers.process.logs import LogBuffer, Stream
from rambla.kit.clock import Clock

SENTINEL = b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"
_FIRST_WAIT_S = 0.1
_WAIT_S = 0.5
_TAIL_BYTES_MAX = 64 << 10


class SentinelBuffer(LogBuffer):
    """A LogBuffer that keeps no sentinels."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._tails: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._awaited: set[Stream] = set()
        self._marked = asyncio.Event()
        self._wait_s = _FIRST_WAIT_S

    def begin(self, limit_bytes: int) -> None:
        super().begin(limit_bytes)
        self._awaited = set(self._tails)
        self._marked.clear()

    def feed(self, stream: Stream, data: bytes) -> None:
        """The last part of a line waits for its end, as it may be part of a sentinel."""
        *lines, tail = (self._tails[stream] + data).split(b"\n")
        kept = [line + b"\n" for line in lines if not self._is_mark(stream, line)]
        if len(tail) > _TAIL_BYTES_MAX:
            kept.append(tail)
            tail = b""
        self._tails[stream] = tail
        super().feed(stream, b"".join(kept))

    def take(self, *, missing: bool) -> tuple[LogLine, ...]:
        for stream, tail in self._tails.items():
            if not SENTINEL.startswith(tail):
                super().feed(stream, tail)
                self._tails[stream] = b""
        return super().take(missing=missing)

    async def marked(self) -> None:
        """Return when both streams have had their sentinel, or are not going to have it."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._marked.wait()
        except TimeoutError:
            if self._wait_s == _FIRST_WAIT_S:
                self._wait_s = 0.0

    def _is_mark(self, stream: Stream, line: bytes) -> bool:
        if line != SENTINEL:
            return False
        self._wait_s = _WAIT_S
        self._awaited.discard(stream)
        if not self._awaited:
            self._marked.set()
        return True
