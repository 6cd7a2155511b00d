"""Is this one request too many?

A token bucket for each route, or API, and each API key: full at first, and filled again at the rate of its limit. In
memory only; after a restart all buckets are full. So is one that was forgotten because too many are remembered.
"""

import math
from collections import OrderedDict
from typing import NamedTuple

from rambla.domain.errors import RateLimited
from rambla.gateway.api import RateLimit
from rambla.kit.clock import Clock

BUCKETS_MAX = 100_000
_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class Bucket(NamedTuple):
    """What it is for: one route, or all of an API (`method` and `path` are ""); and whose key (digest) or anybody."""

    namespace: str
    base_path: str
    method: str
    path: str
    key: str


class Limiter:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: OrderedDict[Bucket, tuple[float, int]] = OrderedDict()

    def take(self, bucket: Bucket, limit: RateLimit) -> None:
        """Count one more request. Raises RateLimited with the seconds after which the next is let in; then nothing was
        counted."""
        now_ns = self._clock.monotonic_ns()
        token_ns = limit.per_ms * _NS_PER_MS / limit.requests
        left, since_ns = self._left.get(bucket, (float(limit.requests), now_ns))
        left = min(limit.requests, left + (now_ns - since_ns) / token_ns)
        if left < 1:
            raise RateLimited(retry_after_s=max(1, math.ceil((1 - left) * token_ns / _NS_PER_S)))
        self._left[bucket] = left - 1, now_ns
        self._left.move_to_end(bucket)
        if len(self._left) > BUCKETS_MAX:
            self._left.popitem(last=False)
