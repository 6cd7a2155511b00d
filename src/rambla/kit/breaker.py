"""Is somebody who did not answer left alone for a while?

Pure: whoever asks says what time it is. After a failure nobody asks until a pause is over; then one finds out whether
they are back, and all others wait for what comes of that.
"""

_MS = 1_000_000


class Breaker:
    """`pause_ms` is how long one who failed is left alone; `probe_ms` how long finding out may take at most."""

    def __init__(self, *, pause_ms: int, probe_ms: int) -> None:
        self.reason = ""
        self._pause_ns = pause_ms * _MS
        self._probe_ns = max(pause_ms, probe_ms) * _MS
        self._until_ns = 0

    def may_ask(self, now_ns: int) -> bool:
        """Whether to ask now; who is told so after a failure is the one who finds out."""
        if not self.reason:
            return True
        if now_ns < self._until_ns:
            return False
        self._until_ns = now_ns + self._probe_ns
        return True

    def failed(self, reason: str, now_ns: int) -> bool:
        """They did not answer; whether that is news."""
        news = not self.reason
        self.reason = reason
        self._until_ns = now_ns + self._pause_ns
        return news

    def answered(self) -> bool:
        """They answered; whether that is news."""
        news = bool(self.reason)
        self.reason = ""
        return news
