"""Which sandboxes are there, and who waits for one?

Plain state of one action's sandboxes, and of the memory that all share. It starts and ends nothing: `dispatcher` does.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from rambla.dispatch.jobs import PoolKey
from rambla.engine.ports import Sandbox


@dataclass(slots=True, eq=False)
class Box:
    """A sandbox and whether the action's code is loaded in it."""

    sandbox: Sandbox
    loaded: bool = False
    idle_since_ms: int = 0


@dataclass(slots=True, eq=False)
class Pool:
    """The sandboxes of one key. `run_ms` and `cold_ms` are averages, see `growth`; `progressed`: a run ended lately."""

    key: PoolKey
    idle: list[Box] = field(default_factory=list)
    waiting: deque[asyncio.Future[Box]] = field(default_factory=deque)
    busy: int = 0
    starting: int = 0
    run_ms: float = 1.0
    cold_ms: float = 15.0
    progressed: bool = False

    @property
    def empty(self) -> bool:
        return not (self.idle or self.waiting or self.busy or self.starting)

    def next_waiter(self) -> asyncio.Future[Box] | None:
        """Take the longest waiting call that nobody cancelled."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                return waiter
        return None


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
