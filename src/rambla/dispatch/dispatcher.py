"""When and where does a run get its sandbox?

A call takes an idle sandbox of its own action, or waits for one. Another is started when that is worth its start and
the memory is there; if not, the longest unused sandbox of some other action gives way, and if none is idle the action
stands in line for the next that falls free. No sandbox ever passes from one key to another. What comes before: the
guard and the intent. What comes after: `flow` records the result.
"""

import asyncio
import logging
from dataclasses import dataclass

import anyio
import msgspec

from rambla.dispatch.growth import averaged, worth_starting
from rambla.dispatch.jobs import Done, Job
from rambla.dispatch.pools import Box, Pool, Pools, Waiter
from rambla.dispatch.throttle import Throttle
from rambla.domain.activation import RunResult, Status, error_result
from rambla.domain.errors import EngineFailed, ImageFailed, Unavailable
from rambla.engine.ports import Engine
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks

log = logging.getLogger(__name__)
_MS_NS = 1_000_000
_LOOK_MS = 20.0
_PATIENCE_NS = 100 * _MS_NS


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """`memory_mb` is shared by all sandboxes; a queue longer than `queued_bytes_max` of payload refuses more."""

    memory_mb: int = 4096
    idle_ms: int = 600_000
    queued_max: int = 100_000
    queued_bytes_max: int = 256 * 2**20


class Dispatcher:
    def __init__(self, engine: Engine, clock: Clock, tasks: Tasks, limits: DispatchLimits) -> None:
        self.throttle = Throttle(clock)
        self.queued = 0
        self.running = 0
        self._queued_bytes = 0
        self._draining = False
        self._idle = anyio.Event()
        self._idle.set()
        self._engine = engine
        self._clock = clock
        self._tasks = tasks
        self._limits = limits
        self._pools = Pools(limits.memory_mb)

    def check_room(self, payload_bytes: int) -> None:
        """Raises Unavailable when too much waits already; asked before anything is promised to a caller."""
        if self.queued >= self._limits.queued_max or self._queued_bytes + payload_bytes > self._limits.queued_bytes_max:
            raise Unavailable()

    async def run(self, job: Job) -> Done:
        """Run the job when its turn comes, and report. Raises what `job.prepare` raised and nothing else."""
        accepted_ns = self._clock.monotonic_ns()
        if job.key.memory_mb > self._limits.memory_mb:
            text = f"the action asks for {job.key.memory_mb} MB and this host has {self._limits.memory_mb} MB for all"
            return self._failed(EngineFailed(detail=text), accepted_ns)
        pool = self._pools.of(job.key)
        try:
            box = await self._sandbox_for(job, pool)
        except EngineFailed as error:
            return self._failed(error, accepted_ns)
        begin_ns = pool.begun[box] = self._clock.monotonic_ns()
        start_ms = self._clock.now_ms()
        try:
            result = await self._use(box, job, start_ms)
        finally:
            del pool.begun[box]
            self._release(pool, box)
        spent_ms = (self._clock.monotonic_ns() - begin_ns) // _MS_NS
        pool.run_ms = averaged(pool.run_ms, spent_ms)
        return Done(
            result=result,
            wait_ms=(begin_ns - accepted_ns) // _MS_NS,
            start_ms=start_ms,
            end_ms=start_ms + (result.init_ms or 0) + result.run_ms,
        )

    async def _use(self, box: Box, job: Job, start_ms: int) -> RunResult:
        run = await job.prepare(start_ms)
        init_ms: int | None = None
        if not box.loaded:
            begin_ns = self._clock.monotonic_ns()
            failure = await box.sandbox.init(job.program, run)
            init_ms = (self._clock.monotonic_ns() - begin_ns) // _MS_NS
            if failure is not None:
                await box.sandbox.close()
                return msgspec.structs.replace(failure, init_ms=init_ms)
            box.loaded = True
        result = await box.sandbox.run(run)
        return msgspec.structs.replace(result, init_ms=init_ms)

    def _failed(self, error: EngineFailed, accepted_ns: int) -> Done:
        now_ms = self._clock.now_ms()
        waited_ms = (self._clock.monotonic_ns() - accepted_ns) // _MS_NS
        status: Status = "action developer error" if isinstance(error, ImageFailed) else "whisk internal error"
        result = RunResult(status=status, result=error_result(str(error)))
        return Done(result=result, wait_ms=waited_ms, start_ms=now_ms, end_ms=now_ms)

    # --- who gets which sandbox ---

    async def _sandbox_for(self, job: Job, pool: Pool) -> Box:
        while pool.idle and not self._draining:
            box = pool.idle.pop()
            if box.sandbox.alive:
                self._take(pool)
                return box
            self._discard(pool, box)
        waiter: asyncio.Future[Box] = asyncio.get_running_loop().create_future()
        pool.waiting.append(Waiter(waiter, self._clock.monotonic_ns()))
        self.queued += 1
        self._queued_bytes += job.payload_bytes
        try:
            self._grow(pool)
            self._watch(pool)
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._release(pool, waiter.result())
            raise
        finally:
            self.queued -= 1
            self._queued_bytes -= job.payload_bytes

    def _take(self, pool: Pool) -> None:
        """Whoever is handed a sandbox counts as running from then on, not only when it is its turn on the loop."""
        if not self.running:
            self._idle = anyio.Event()
        self.running += 1
        pool.busy += 1

    def _hand_over(self, pool: Pool, box: Box) -> bool:
        waiter = None if self._draining else pool.next_waiter()
        if waiter is None:
            return False
        self._take(pool)
        waiter.set_result(box)
        return True

    def _release(self, pool: Pool, box: Box) -> None:
        pool.busy -= 1
        if not box.sandbox.alive or self._must_give_way(pool):
            self._discard(pool, box)
            self._feed_hungry()
            self._grow(pool)
        else:
            self._offer(pool, box)
            self._feed_hungry()
        self._pools.tidy(pool)
        self.running -= 1
        if not self.running:
            self._idle.set()

    def _offer(self, pool: Pool, box: Box) -> None:
        if not self._hand_over(pool, box):
            box.idle_since_ms = self._clock.now_ms()
            pool.idle.append(box)

    def _must_give_way(self, pool: Pool) -> bool:
        """Whether another action found no memory and has waited longer than our own callers, and not just a moment."""
        hungry = next(iter(self._pools.hungry.values()), pool)
        theirs_ns, ours_ns = hungry.waiting_since_ns(), pool.waiting_since_ns()
        if hungry is pool or theirs_ns is None or ours_ns is None:
            return False
        return theirs_ns < ours_ns and self._clock.monotonic_ns() - theirs_ns > _PATIENCE_NS

    # --- starting and ending ---

    def _watch(self, pool: Pool) -> None:
        """Look at the queue again after a while: a run may take much longer than those before."""
        if pool.waiting and not pool.watched:
            pool.watched = True
            asyncio.get_running_loop().call_later(max(pool.cold_ms, _LOOK_MS) / 1000, self._look, pool)

    def _look(self, pool: Pool) -> None:
        pool.watched = False
        self._grow(pool)
        self._watch(pool)

    def _grow(self, pool: Pool) -> None:
        while not self._draining and worth_starting(
            waiting=len(pool.waiting),
            busy=pool.busy,
            starting=pool.starting,
            run_ms=pool.expected_run_ms(self._clock.monotonic_ns()),
            cold_ms=pool.cold_ms,
        ):
            if not self._make_room(pool):
                self._pools.hungry[pool.key] = pool
                return
            self._pools.hungry.pop(pool.key, None)
            self._pools.memory.take(pool.key.memory_mb)
            pool.starting += 1
            self._tasks.start(f"start {pool.key.action}", self._start, pool)

    def _make_room(self, pool: Pool) -> bool:
        needed_mb = pool.key.memory_mb
        while not self._pools.memory.fits(needed_mb):
            found = self._pools.idlest(besides=pool)
            if found is None:
                return False
            self._discard(*found)
            self._pools.tidy(found[0])
        return True

    def _feed_hungry(self) -> None:
        for pool in list(self._pools.hungry.values()):
            self._pools.hungry.pop(pool.key, None)
            if pool.waiting:
                self._grow(pool)
                if pool.key in self._pools.hungry:
                    self._pools.hungry.move_to_end(pool.key, last=False)
                    return

    async def _start(self, pool: Pool) -> None:
        key = pool.key
        begin_ns = self._clock.monotonic_ns()
        try:
            sandbox = await self._engine.start(key.kind, key.memory_mb, grants=key.grants)
        except EngineFailed as error:
            self._start_failed(pool, error)
            return
        except Exception as error:  # a fault of the engine must cost this start and not the platform
            log.exception("the engine failed")
            self._start_failed(pool, EngineFailed(detail=type(error).__name__))
            return
        pool.starting -= 1
        pool.cold_ms = averaged(pool.cold_ms, (self._clock.monotonic_ns() - begin_ns) / _MS_NS)
        self._offer(pool, Box(sandbox))

    def _start_failed(self, pool: Pool, error: EngineFailed) -> None:
        pool.starting -= 1
        self._pools.memory.give_back(pool.key.memory_mb)
        log.warning("no sandbox for %s: %s", pool.key.action, error)
        waiter = None if self._draining else pool.next_waiter()
        if waiter is not None:
            waiter.set_exception(error)
        self._grow(pool)
        self._feed_hungry()
        self._pools.tidy(pool)

    def _discard(self, pool: Pool, box: Box) -> None:
        """End a sandbox. Its memory counts as free from now on, as it ends within milliseconds."""
        self._pools.memory.give_back(pool.key.memory_mb)
        self._tasks.start(f"close {pool.key.action}", box.sandbox.close)

    async def reap(self) -> None:
        """End sandboxes that were idle for long, and those that died while idle; for ever."""
        while True:
            await asyncio.sleep(min(self._limits.idle_ms, 1000) / 1000)
            self.reap_once()

    def reap_once(self) -> None:
        oldest_ms = self._clock.now_ms() - self._limits.idle_ms
        for pool in self._pools.all():
            for box in [box for box in pool.idle if box.idle_since_ms <= oldest_ms or not box.sandbox.alive]:
                pool.idle.remove(box)
                self._discard(pool, box)
            self._pools.tidy(pool)
        self._feed_hungry()

    async def drain(self) -> None:
        """From now on nothing begins that has not. Returns once nothing runs; what waits is left to the next start."""
        self._draining = True
        await self._idle.wait()

    def retire(self, namespace: str, action: str) -> None:
        """An action was changed or deleted: its idle sandboxes are of no use any more."""
        for pool in self._pools.all():
            if pool.key.action == action or (action == "" and pool.key.namespace == namespace):
                while pool.idle:
                    self._discard(pool, pool.idle.pop())
                self._pools.tidy(pool)

    def memory_mb(self) -> tuple[int, int]:
        """MiB promised to sandboxes now, and in all."""
        return self._pools.memory.used_mb, self._pools.memory.capacity_mb
