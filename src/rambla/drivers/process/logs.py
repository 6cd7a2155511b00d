"""What did an action print?

`LogBuffer` cuts bytes into lines and stops keeping them at the limit; `LogPipes` reads the two pipes of a sandbox.
Output is read for as long as it comes, or the action would block on a full pipe; past the limit it is read slowly and
thrown away.
"""

import asyncio
import fcntl
import os
import re
import struct
import termios
from typing import Literal

from rambla.domain.activation import LogLine
from rambla.kit.clock import Clock

Stream = Literal["stdout", "stderr"]
_LINE_OVERHEAD_BYTES = 64  # OpenWhisk counts a line in the envelope of its container's log; ours costs about as much
_READ_BYTES = 64 << 10
_LEFT_OVER_BYTES_MAX = 1 << 20  # a pipe can be made this large by an unprivileged process (pipe-max-size)
_LINE_BYTES_MAX = 64 << 10
_SLOW_S = 0.005
TRUNCATED = "Logs were truncated because the total bytes size exceeds the limit of {limit} bytes."
DATA_MISSING = "The action did not initialize or run as expected. Log data might be missing."


class LogBuffer:
    """Lines of the activation that is running. A line that is too long is cut into several."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: list[LogLine] = []
        self._partial: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._room = 0
        self._limit = 0
        self.full = False

    def begin(self, limit_bytes: int) -> None:
        """A new activation with its own limit; lines that came since the last one are its first."""
        self._room += limit_bytes - self._limit
        self._limit = limit_bytes

    def feed(self, stream: Stream, data: bytes) -> None:
        if self.full:
            return
        *lines, rest = (self._partial[stream] + data).split(b"\n")
        while len(rest) > _LINE_BYTES_MAX:
            lines.append(rest[:_LINE_BYTES_MAX])
            rest = rest[_LINE_BYTES_MAX:]
        self._partial[stream] = rest
        self._keep(stream, lines)

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether a line on stderr since the last `take` matches."""
        return any(line.stream == "stderr" and words.search(line.text) for line in self._lines)

    def take(self, *, missing: bool) -> tuple[LogLine, ...]:
        """All lines since the last `take`, with a note if some were cut and one if `missing`; then a clean sheet."""
        for stream, rest in self._partial.items():
            if rest:
                self._keep(stream, [rest])
            self._partial[stream] = b""
        if self.full:
            self._note(TRUNCATED.format(limit=self._limit))
        if missing:
            self._note(DATA_MISSING)
        lines = tuple(self._lines)
        self._lines, self._room, self.full = [], self._limit, False
        return lines

    def _keep(self, stream: Stream, lines: list[bytes]) -> None:
        now = self._clock.now_ms()
        for line in lines:
            text = line.decode(errors="replace")
            # What is kept is counted: a byte that is no UTF-8 takes three, and the record must fit into the journal.
            self._room -= (len(line) if text.isascii() else len(text.encode())) + _LINE_OVERHEAD_BYTES
            if self._room < 0:
                self.full = True
                return
            self._lines.append(LogLine(now, stream, text))

    def _note(self, text: str) -> None:
        self._lines.append(LogLine(self._clock.now_ms(), "stderr", text))


class LogPipes:
    """Reads the reading ends of a sandbox's stdout and stderr into a buffer. Owns both descriptors."""

    def __init__(self, stdout: int, stderr: int, buffer: LogBuffer) -> None:
        self.buffer = buffer
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, Stream] = {stdout: "stdout", stderr: "stderr"}
        for descriptor in self._open:
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, self._readable, descriptor)

    def collect(self) -> None:
        """Take what lies in the pipes at this moment, no more: what comes later belongs to the next activation."""
        for descriptor in list(self._open):
            waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
            left = min(waiting, _LEFT_OVER_BYTES_MAX)
            while left > 0 and (count := self._read(descriptor, min(left, _READ_BYTES))):
                left -= count

    def close(self) -> None:
        for descriptor in list(self._open):
            self._close(descriptor)

    def _readable(self, descriptor: int) -> None:
        self._read(descriptor, _READ_BYTES)
        if self.buffer.full and descriptor in self._open:
            self._loop.remove_reader(descriptor)
            self._loop.call_later(_SLOW_S, self._resume, descriptor)

    def _resume(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._loop.add_reader(descriptor, self._readable, descriptor)

    def _read(self, descriptor: int, size: int) -> int:
        try:
            data = os.read(descriptor, size)
        except BlockingIOError:
            return 0
        if data:
            self.buffer.feed(self._open[descriptor], data)
        else:
            self._close(descriptor)
        return len(data)

    def _close(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        del self._open[descriptor]
        os.close(descriptor)
