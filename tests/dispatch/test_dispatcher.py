"""Real dispatcher and task group; the engine's sandboxes are Python functions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from rambla.dispatch.dispatcher import Dispatcher, DispatchLimits
from rambla.dispatch.jobs import Done, Job, PoolKey
from rambla.domain.errors import StorageFailed, Unavailable
from rambla.drivers.memory.engine import Crash, MemoryEngine
from rambla.engine.ports import Program, Run
from rambla.kit.clock import SystemClock
from rambla.kit.tasks import Tasks

pytestmark = pytest.mark.anyio


async def echo(arguments: dict[str, Any], run: Run) -> Any:
    if arguments.get("work") == "sleep":
        await anyio.sleep_forever()
    return arguments


async def slow(arguments: dict[str, Any], run: Run) -> Any:
    await anyio.sleep(0.05)
    return arguments


async def crash(arguments: dict[str, Any], run: Run) -> Any:
    raise Crash


async def endless(arguments: dict[str, Any], run: Run) -> Any:
    await anyio.sleep_forever()


FUNCTIONS = {"echo": echo, "slow": slow, "crash": crash, "endless": endless}


@asynccontextmanager
async def dispatching(**limits: int) -> AsyncIterator[tuple[Dispatcher, MemoryEngine]]:
    engine = MemoryEngine(FUNCTIONS)
    async with Tasks() as tasks:
        yield Dispatcher(engine, SystemClock(), tasks, DispatchLimits(**limits)), engine
        tasks.stop()


def job(code: str, *, namespace: str = "guest", memory_mb: int = 256, timeout_ms: int = 60_000, work: str = "") -> Job:
    async def prepare(start_ms: int) -> Run:
        return Run(
            activation_id="a" * 32,
            payload=b'{"n":1}' if not work else b'{"work":"%b"}' % work.encode(),
            context={},
            timeout_ms=timeout_ms,
            log_bytes_max=1000,
            result_bytes_max=1000,
        )

    key = PoolKey(
        namespace=namespace, action=f"guest/{code}", revision=1, kind="python:3", memory_mb=memory_mb, grants=False
    )
    program = Program(kind="python:3", name=code, main="", code=code, binary=False)
    return Job(key=key, program=program, prepare=prepare)


async def many(dispatcher: Dispatcher, jobs: list[Job]) -> list[Done]:
    finished: list[Done] = []

    async def one(each: Job) -> None:
        finished.append(await dispatcher.run(each))

    async with anyio.create_task_group() as group:
        for each in jobs:
            group.start_soon(one, each)
    return finished


async def test_the_first_run_is_cold_and_the_next_is_warm_in_the_same_sandbox() -> None:
    async with dispatching() as (dispatcher, engine):
        first = await dispatcher.run(job("echo"))
        second = await dispatcher.run(job("echo"))
    assert (first.result.status, first.result.result) == ("success", b'{"n":1}')
    assert first.result.init_ms is not None
    assert second.result.init_ms is None
    assert engine.started == 1


async def test_two_tenants_never_share_a_sandbox_even_for_the_same_action() -> None:
    async with dispatching() as (dispatcher, engine):
        await dispatcher.run(job("echo", namespace="one"))
        await dispatcher.run(job("echo", namespace="two"))
    assert engine.started == 2


async def test_a_crash_ends_its_sandbox_and_nothing_else() -> None:
    async with dispatching() as (dispatcher, engine):
        done = await dispatcher.run(job("crash"))
        assert done.result.status == "action developer error"
        again = await dispatcher.run(job("echo"))
        assert again.result.status == "success"
        await anyio.wait_all_tasks_blocked()
        assert len(engine.live) == 1


async def test_a_timeout_is_reported_and_frees_the_memory() -> None:
    async with dispatching(memory_mb=256) as (dispatcher, _):
        done = await dispatcher.run(job("endless", timeout_ms=20))
        assert done.result.timed_out
        assert (await dispatcher.run(job("echo"))).result.status == "success"


async def test_slow_actions_get_more_sandboxes_as_calls_wait() -> None:
    async with dispatching() as (dispatcher, engine):
        await many(dispatcher, [job("slow")] * 4)
        await many(dispatcher, [job("slow")] * 8)
        assert engine.started >= 4
        assert dispatcher.queued == dispatcher.running == 0


async def test_memory_is_never_promised_twice_and_an_idle_stranger_gives_way() -> None:
    async with dispatching(memory_mb=512) as (dispatcher, engine):
        jobs = [job(code, namespace=f"n{n}") for n in range(6) for code in ("echo", "slow")]
        finished = await many(dispatcher, jobs)
        assert [done.result.status for done in finished] == ["success"] * 12
        assert dispatcher.memory_mb()[0] <= 512
        await anyio.wait_all_tasks_blocked()
        assert len(engine.live) <= 2


async def test_an_action_larger_than_the_host_fails_at_once_with_the_reason() -> None:
    async with dispatching(memory_mb=128) as (dispatcher, _):
        done = await dispatcher.run(job("echo"))
    assert done.result.status == "whisk internal error"
    assert b"asks for 256 MB and this host has 128 MB" in done.result.result


async def test_a_failed_start_fails_one_waiting_call_and_leaves_no_trace() -> None:
    async with dispatching() as (dispatcher, engine):
        engine.fail_starts = 1
        failed = await dispatcher.run(job("echo"))
        assert b"asked to fail" in failed.result.result
        assert dispatcher.memory_mb()[0] == 0
        assert (await dispatcher.run(job("echo"))).result.status == "success"


async def test_what_cannot_be_prepared_is_told_and_the_sandbox_lives_on() -> None:
    async def broken(start_ms: int) -> Run:
        raise StorageFailed(detail="gone")

    async with dispatching() as (dispatcher, engine):
        normal = job("echo")
        with pytest.raises(StorageFailed):
            await dispatcher.run(Job(key=normal.key, program=normal.program, prepare=broken))
        assert (await dispatcher.run(normal)).result.status == "success"
        assert engine.started == 1


async def test_a_cancelled_caller_costs_no_sandbox() -> None:
    async with dispatching(memory_mb=256) as (dispatcher, _):
        with anyio.move_on_after(0):
            await dispatcher.run(job("echo"))
        for _ in range(3):
            assert (await dispatcher.run(job("echo"))).result.status == "success"
        assert dispatcher.queued == dispatcher.running == 0


async def test_a_full_queue_refuses_before_anything_is_promised() -> None:
    async with dispatching(queued_bytes_max=100) as (dispatcher, _):
        dispatcher.check_room(100)
        with pytest.raises(Unavailable):
            dispatcher.check_room(101)


async def test_idle_sandboxes_are_reaped_and_changed_actions_retired() -> None:
    async with dispatching(idle_ms=0) as (dispatcher, engine):
        await dispatcher.run(job("echo"))
        dispatcher.reap_once()
        await anyio.wait_all_tasks_blocked()
        assert not engine.live
        assert dispatcher.memory_mb()[0] == 0
    async with dispatching() as (dispatcher, engine):
        await dispatcher.run(job("echo"))
        dispatcher.retire("guest", "guest/echo")
        await anyio.wait_all_tasks_blocked()
        assert not engine.live


async def test_draining_begins_nothing_and_waits_for_what_runs() -> None:
    async with dispatching(memory_mb=256) as (dispatcher, _engine), anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(dispatcher.run, job("slow"))
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(10):
            waiting = dispatcher.queued
            await dispatcher.drain()
        assert waiting > 0
        assert (dispatcher.running, dispatcher.queued) == (0, waiting)
        await anyio.wait_all_tasks_blocked()
        assert (dispatcher.running, dispatcher.queued) == (0, waiting)
        group.cancel_scope.cancel()


async def test_a_queue_of_one_tenant_does_not_keep_all_memory_from_another() -> None:
    async with dispatching(memory_mb=256) as (dispatcher, _):
        finished: list[str] = []

        async def call(namespace: str) -> None:
            await dispatcher.run(job("slow", namespace=namespace))
            finished.append(namespace)

        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(call, "greedy")
            await anyio.sleep(0.01)
            group.start_soon(call, "modest")
            group.start_soon(call, "greedy")
        assert finished.index("modest") < len(finished) - 1
        assert sorted(finished) == ["greedy"] * 13 + ["modest"]


async def test_a_call_does_not_wait_behind_a_run_that_takes_much_longer_than_the_average() -> None:
    async with dispatching() as (dispatcher, engine):
        for _ in range(20):
            await dispatcher.run(job("echo"))
        async with anyio.create_task_group() as group:
            group.start_soon(dispatcher.run, job("echo", work="sleep"))
            await anyio.sleep(0.01)
            with anyio.fail_after(5):
                assert (await dispatcher.run(job("echo"))).result.status == "success"
            group.cancel_scope.cancel()
        assert engine.started == 2


async def test_an_engine_that_breaks_its_promise_costs_one_call() -> None:
    class Broken(MemoryEngine):
        async def start(self, kind: str, memory_mb: int, *, grants: bool) -> Any:
            raise OSError("too many open files")

    async with Tasks() as tasks:
        dispatcher = Dispatcher(Broken({}), SystemClock(), tasks, DispatchLimits())
        done = await dispatcher.run(job("echo"))
        assert done.result.status == "whisk internal error"
        tasks.stop()


async def test_calls_that_wait_for_slow_runs_get_sandboxes_of_their_own_before_any_has_ended() -> None:
    async with dispatching() as (dispatcher, _engine), anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(dispatcher.run, job("endless"))
        with anyio.fail_after(20):
            while dispatcher.running < 10:
                await anyio.sleep(0.01)
        assert dispatcher.queued == 0
        group.cancel_scope.cancel()
