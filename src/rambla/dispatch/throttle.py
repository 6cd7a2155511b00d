"""Is this namespace within its limits?

OpenWhisk's two throttles (core/loadBalancer): so many starts in a wall-clock minute, so many in flight. Rate is asked
first. A refusal takes nothing from either. Triggers have a bucket of their own.
"""

from dataclasses import dataclass

from rambla.domain.errors import Throttled, TooManyConcurrent
from rambla.kit.clock import Clock

_MINUTE_MS = 60_000


@dataclass(slots=True)
class _Counts:
    minute: int = -1
    started: int = 0
    in_flight: int = 0


class Throttle:
    """Counts starts per (namespace, bucket). A namespace with nothing in flight is forgotten as the minute turns."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], _Counts] = {}
        self._minute = -1

    def admit(self, namespace: str, bucket: str, *, per_minute: int, concurrent: int | None = None) -> None:
        """Count one more; if `concurrent` is given, `leave` ends it. Raises Throttled or TooManyConcurrent."""
        minute = self._clock.now_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            self._counts = {key: counts for key, counts in self._counts.items() if counts.in_flight}
        counts = self._counts.setdefault((namespace, bucket), _Counts())
        if counts.minute != minute:
            counts.minute, counts.started = minute, 0
        if counts.started >= per_minute:
            raise Throttled(count=counts.started + 1, allowed=per_minute)
        if concurrent is not None:
            if counts.in_flight >= concurrent:
                raise TooManyConcurrent(count=counts.in_flight, allowed=concurrent)
            counts.in_flight += 1
        counts.started += 1

    def leave(self, namespace: str, bucket: str) -> None:
        self._counts[(namespace, bucket)].in_flight -= 1

    def in_flight(self) -> int:
        return sum(counts.in_flight for counts in self._counts.values())
