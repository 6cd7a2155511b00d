"""Which sandboxes are there, and who waits for one?

Plain state of one action's sandboxes, and of the memory that all share. It starts and ends nothing: `dispatcher` does.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from rambla.dispatch.jobs import PoolKey
from rambla.engine.ports import Sandbox


@dataclass(slots=True, eq=False)
class Box:
    """A sandbox and whether the action's code is loaded in it."""

    sandbox: Sandbox
    loaded: bool = False
    idle_since_ms: int = 0


class Waiter(NamedTuple):
    """A call that waits for a sandbox, and since when."""

    box: asyncio.Future[Box]
    since_ns: int


@dataclass(slots=True, eq=False)
class Pool:
    """The sandboxes of one key. `run_ms` and `cold_ms` are averages, see `growth`; `begun` says since when each busy
    box runs, the longest first. `watched` while a timer will look at the queue again."""

    key: PoolKey
    idle: list[Box] = field(default_factory=list)
    waiting: deque[Waiter] = field(default_factory=deque)
    begun: dict[Box, int] = field(default_factory=dict)
    busy: int = 0
    starting: int = 0
    run_ms: float = 1.0
    cold_ms: float = 15.0
    watched: bool = False

    @property
    def empty(self) -> bool:
        return not (self.idle or self.waiting or self.busy or self.starting)

    def next_waiter(self) -> asyncio.Future[Box] | None:
        """Take the longest waiting call that nobody cancelled."""
        if self.waiting_since_ns() is None:
            return None
        return self.waiting.popleft().box

    def waiting_since_ns(self) -> int | None:
        """Since when the longest waiting call waits; None if none does."""
        while self.waiting and self.waiting[0].box.done():
            self.waiting.popleft()
        return self.waiting[0].since_ns if self.waiting else None

    def expected_run_ms(self, now_ns: int) -> float:
        """How long a run takes: the average, or longer if one already does."""
        longest_ns = now_ns - next(iter(self.begun.values()), now_ns)
        return max(self.run_ms, longest_ns / 1_000_000)


class Memory:
    """Counts MiB promised to sandboxes against what there is."""

    def __init__(self, capacity_mb: int) -> None:
        self.capacity_mb = capacity_mb
        self.used_mb = 0

    def fits(self, mb: int) -> bool:
        return self.used_mb + mb <= self.capacity_mb

    def take(self, mb: int) -> None:
        self.used_mb += mb

    def give_back(self, mb: int) -> None:
        self.used_mb -= mb


class Pools:
    """All pools by key, and those that want a sandbox but found no memory, longest hungry first."""

    def __init__(self, capacity_mb: int) -> None:
        self.memory = Memory(capacity_mb)
        self.hungry: OrderedDict[PoolKey, Pool] = OrderedDict()
        self._pools: dict[PoolKey, Pool] = {}

    def of(self, key: PoolKey) -> Pool:
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(key)
        return pool

    def all(self) -> list[Pool]:
        return list(self._pools.values())

    def tidy(self, pool: Pool) -> None:
        """Forget a pool in which nothing is left."""
        if pool.empty:
            self._pools.pop(pool.key, None)
            self.hungry.pop(pool.key, None)

    def idlest(self, besides: Pool | None = None) -> tuple[Pool, Box] | None:
        """The idle box that was longest unused, of any pool but `besides`; taken out of its pool."""
        candidates = [(pool.idle[0].idle_since_ms, pool) for pool in self._pools.values() if pool.idle]
        candidates = [(since, pool) for since, pool in candidates if pool is not besides]
        if not candidates:
            return None
        pool = min(candidates, key=lambda candidate: candidate[0])[1]
        return pool, pool.idle.pop(0)
