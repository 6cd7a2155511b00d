"""Were there too many wrong passwords for a name?

Pure: whoever asks says what time it is. Names that nobody has are counted as those that somebody has, so that a lock
tells nothing; whose name was tried longest ago is forgotten when there are too many.
"""

from collections import OrderedDict

from rambla.domain.errors import TooManyAttempts

NAMES_MAX = 100_000
_MS = 1_000_000
_S = 1_000_000_000


class Attempts:
    """`wrongs_max` within `within_ms` lock a name for `lock_ms`."""

    def __init__(self, wrongs_max: int, *, within_ms: int, lock_ms: int) -> None:
        self._wrongs_max = wrongs_max
        self._within_ns = within_ms * _MS
        self._lock_ns = lock_ms * _MS
        self._names: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        """By name: how many, since when, and until when it is locked."""

    def admit(self, name: str, now_ns: int) -> None:
        """One more, which counts as wrong until it is known to be right, so that many at once are no way around.

        Raises TooManyAttempts.
        """
        name = folded(name)
        count, since_ns, until_ns = self._names.get(name, (0, now_ns, 0))
        if now_ns < until_ns:
            raise TooManyAttempts(retry_after_s=-(-(until_ns - now_ns) // _S))
        if until_ns or now_ns - since_ns >= self._within_ns:
            count, since_ns = 0, now_ns
        if count >= self._wrongs_max:  # all of them are still on their way
            raise TooManyAttempts(retry_after_s=1)
        self._names[name] = (count + 1, since_ns, 0)
        self._names.move_to_end(name)
        if len(self._names) > NAMES_MAX:
            self._names.popitem(last=False)

    def wrong(self, name: str, now_ns: int) -> bool:
        """The one that was admitted was wrong; whether that locks the name."""
        name = folded(name)
        count, since_ns, _ = self._names.get(name, (0, now_ns, 0))
        if count < self._wrongs_max:
            return False
        self._names[name] = (count, since_ns, now_ns + self._lock_ns)
        return True

    def is_locked(self, name: str, now_ns: int) -> bool:
        return now_ns < self._names.get(folded(name), (0, 0, 0))[2]

    def unknown(self, name: str) -> None:
        """Nobody could say whether the one that was admitted was right."""
        name = folded(name)
        count, since_ns, until_ns = self._names.get(name, (0, 0, 0))
        if count:
            self._names[name] = (count - 1, since_ns, until_ns)

    def clear(self, name: str) -> None:
        self._names.pop(folded(name), None)


def folded(name: str) -> str:
    """Directories take `Ada` and `ada ` for the same, and to try both is to try twice."""
    return name.strip().casefold()
