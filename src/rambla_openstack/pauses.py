"""How long is it to wait after a failure?"""

import random

PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 30.0


class Pause:
    """Growing pauses with jitter after failures: 0.1 s, doubling, at most `max_s`."""

    def __init__(self, max_s: float = PAUSE_MAX_S) -> None:
        self._max_s = max_s
        self._failures = 0
        self._until = 0.0

    def fail(self, now: float) -> None:
        span = min(PAUSE_FIRST_S * 2.0 ** min(self._failures, 16), self._max_s)
        self._failures += 1
        self._until = now + span * random.uniform(0.5, 1.0)  # noqa: S311 - so that many shippers do not come at once

    def succeed(self) -> None:
        self._failures, self._until = 0, 0.0

    @property
    def is_well(self) -> bool:
        """Whether there was no failure since the last success."""
        return not self._failures

    def left_s(self, now: float) -> float:
        return max(0.0, self._until - now)

    def is_over(self, now: float) -> bool:
        return now >= self._until
