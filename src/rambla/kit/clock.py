"""What time is it, and how is that asked so that a test can answer?

Wall-clock time is in milliseconds since the Unix epoch, spans are in nanoseconds of a monotonic clock. Whoever needs
time takes a `Clock`; nothing below `app` calls `time` itself.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch; may step when the host's clock is set."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some start; never steps back. For spans only."""
        ...


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


@dataclass
class ManualClock:
    """A clock that a test moves by hand."""

    ms: int = 1_700_000_000_000
    _ns: int = field(default=0, repr=False)

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ns(self) -> int:
        return self._ns

    def advance(self, ms: int) -> None:
        self.ms += ms
        self._ns += ms * 1_000_000


def rfc3339(ms: int) -> str:
    """`ms` since the epoch as RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T13:00:00.123Z`."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
