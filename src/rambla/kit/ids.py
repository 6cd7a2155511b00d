"""How are things numbered so that later ones sort after earlier ones?

An id is 32 lower-case hex digits: 48 bits of milliseconds, a 24-bit counter within the process, 56 random bits. Ids of
one process are strictly increasing; an index on them grows at its end, which is several times cheaper than random ids.
Not for secrets: use `secrets` for those.
"""

import os
import threading

from rambla.kit.clock import Clock, SystemClock

_COUNTER_BITS = 24
_RANDOM_BYTES = 7
_DRAWN_AT_ONCE = 512
"""So many ids share one call of the kernel, which costs more than all the rest."""


class IdSource:
    """Makes ids; safe to call from any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last = 0
        self._lock = threading.Lock()
        self._random: list[str] = []

    def next(self) -> str:
        """A new id, greater than every id this source made before, even if the clock stepped back."""
        with self._lock:
            self._last = max(self._last + 1, self._clock.now_ms() << _COUNTER_BITS)
            if not self._random:
                self._random = os.urandom(_RANDOM_BYTES * _DRAWN_AT_ONCE).hex("-", _RANDOM_BYTES).split("-")
            return f"{self._last:018x}{self._random.pop()}"
