"""Where does a Swift of one process keep what others keep in memcached?

In a dictionary with expiry, as a paste filter. Tempauth's tokens and the container metadata live there; all of it is
lost, and may be lost, when the process ends. For one proxy process only.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

KEYS_MAX = 50_000


class LocalCache:
    """The part of Swift's MemcacheRing that its filters use. Values are copied through JSON, as memcached does."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[str, float]] = {}

    def get(self, key: str, raise_on_error: bool = False) -> Any:
        text, expires = self._entries.get(key, ("null", 0.0))
        if expires and expires <= self._clock():
            del self._entries[key]
            return None
        return json.loads(text)

    def set(self, key: str, value: Any, **options: Any) -> None:
        if len(self._entries) >= KEYS_MAX:
            self._make_room()
        seconds = options.get("time", 0)
        self._entries.pop(key, None)  # so that the oldest entries come first
        self._entries[key] = (json.dumps(value), self._clock() + seconds if seconds else 0.0)

    def delete(self, key: str, server_key: str | None = None) -> None:
        self._entries.pop(key, None)

    def incr(self, key: str, delta: int = 1, **options: Any) -> int:
        value = max(0, int(self.get(key) or 0) + int(delta))
        self.set(key, value, **options)
        return value

    def decr(self, key: str, delta: int = 1, **options: Any) -> int:
        return self.incr(key, -int(delta), **options)

    def set_multi(self, mapping: Mapping[str, Any], server_key: str, **options: Any) -> None:
        for key, value in mapping.items():
            self.set(key, value, **options)

    def get_multi(self, keys: Iterable[str], server_key: str) -> list[Any]:
        return [self.get(key) for key in keys]

    def _make_room(self) -> None:
        """Throw away the older half."""
        for key in list(self._entries)[: KEYS_MAX // 2]:
            del self._entries[key]


class CacheFilter:
    """`memcache` is where Swift's proxy looks for it."""

    def __init__(self, app: Any, cache: LocalCache) -> None:
        self.app = app
        self.memcache = cache

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        env["swift.cache"] = self.memcache
        body: Iterable[bytes] = self.app(env, start_response)
        return body


_cache = LocalCache()


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], Any]:
    """Called twice in a proxy process; both filters share one cache."""
    return lambda app: CacheFilter(app, _cache)
