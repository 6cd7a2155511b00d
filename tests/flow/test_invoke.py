"""An invoke: waited for or not, within its limits, and never more than one activation."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from flowkit import add_action, ended, full_disk, named, quiet
from rambla.dispatch.dispatcher import DispatchLimits
from rambla.domain.activation import Activation, RunResult
from rambla.domain.changes import PackageChange
from rambla.domain.entities import Parameter
from rambla.domain.errors import (
    BadRequest,
    MalformedContent,
    NotFound,
    RamblaError,
    Refused,
    StorageFailed,
    Throttled,
    TooManyConcurrent,
    Unavailable,
)
from rambla.domain.names import FullName
from rambla.drivers.memory.engine import MemoryEngine, MemorySandbox
from rambla.engine.ports import Run
from rambla.flow import change
from rambla.flow.invoke import invoke
from rambla.flow.platform import Limits
from rooms import FUNCTIONS, Rooms, op_of, open_rooms

pytestmark = pytest.mark.anyio
A = named("a")


async def call(
    rooms: Rooms, name: FullName = A, payload: bytes = b"{}", *, blocking: bool = True, wait_ms: int = 60_000
) -> Activation | str:
    return await invoke(rooms.platform, op_of(rooms.platform), name, payload, blocking=blocking, wait_ms=wait_ms)


async def result_of(rooms: Rooms, name: FullName = A, payload: bytes = b"{}") -> Any:
    ended = await call(rooms, name, payload)
    assert isinstance(ended, Activation)
    return msgspec.json.decode(ended.result)


def in_flight(rooms: Rooms) -> int:
    return rooms.platform.dispatcher.throttle.in_flight()


async def test_a_blocking_call_returns_the_record_that_is_on_disk(rooms: Rooms) -> None:
    await add_action(rooms)
    record = await call(rooms, payload=b'{"n":1}')
    assert isinstance(record, Activation)
    assert (record.status, record.result) == ("success", b'{"n":1}')
    intent = (await rooms.intents())[-1]
    assert (await rooms.outcomes())[intent.id].activation == record
    assert (intent.permission, intent.target, intent.activation_id) == ("action:invoke", "guest/a", record.id)


async def test_a_call_that_is_not_blocking_has_its_promise_on_disk_and_is_kept(rooms: Rooms) -> None:
    await add_action(rooms)
    activation_id = await call(rooms, payload=b'{"n":1}', blocking=False)
    assert isinstance(activation_id, str)
    assert rooms.journal.durable_seq == rooms.journal.next_seq
    (promise,) = [intent.work for intent in await rooms.intents() if intent.work]
    assert (promise.activation_id, promise.payload, promise.replay) == (activation_id, b'{"n":1}', "unless_started")
    assert (await ended(rooms, activation_id)).result == b'{"n":1}'


async def test_whoever_has_no_more_patience_gets_the_id_and_the_run_goes_on(rooms: Rooms) -> None:
    await add_action(rooms, code="sleep")
    activation_id = await call(rooms, wait_ms=10)
    assert isinstance(activation_id, str)
    assert in_flight(rooms) == 1
    with anyio.move_on_after(0.01):
        await call(rooms)
    assert in_flight(rooms) == 2


async def test_parameters_come_from_the_package_the_action_and_the_caller_in_this_order(rooms: Rooms) -> None:
    wish = PackageChange(parameters=(Parameter("a", 1), Parameter("b", 1), Parameter("c", 1)))
    await change.put_package(rooms.platform, op_of(rooms.platform), named("p"), wish, overwrite=False)
    name = await add_action(rooms, "p/a", parameters=(Parameter("b", 2), Parameter("c", 2)))
    assert await result_of(rooms, name, b'{"c":3,"d":3}') == {"a": 1, "b": 2, "c": 3, "d": 3}


async def test_a_final_parameter_stays_as_it_is_and_nothing_runs(rooms: Rooms) -> None:
    await add_action(rooms, parameters=(Parameter("a", 1), Parameter("free", None)), annotations={"final": True})
    with pytest.raises(BadRequest, match="reserved"):
        await call(rooms, payload=b'{"a":2}')
    assert await result_of(rooms, payload=b'{"free":2}') == {"a": 1, "free": 2}
    assert rooms.engine.started == 1


@pytest.mark.parametrize(
    ("payload", "error"), [(b"[1]", MalformedContent), (b"{", MalformedContent), (b'{"\xff":1}', MalformedContent)]
)
async def test_what_cannot_be_merged_is_refused(rooms: Rooms, payload: bytes, error: type[RamblaError]) -> None:
    await add_action(rooms, parameters=(Parameter("a", 1),))
    with pytest.raises(error):
        await call(rooms, payload=payload)
    assert in_flight(rooms) == rooms.engine.started == 0


@pytest.mark.parametrize("code", ["echo", "fail", "crash", "no such function"])
@pytest.mark.parametrize("blocking", [True, False])
async def test_every_end_gives_the_throttle_its_count_back(rooms: Rooms, code: str, blocking: bool) -> None:
    await add_action(rooms, code=code)
    await call(rooms, blocking=blocking)
    await quiet(rooms)
    assert in_flight(rooms) == 0


async def test_so_does_every_refusal(rooms: Rooms) -> None:
    await add_action(rooms, parameters=(Parameter("a", 1),))
    for name, payload, error in ((named("none"), b"{}", NotFound), (named("a", "other"), b"{}", Refused)):
        with pytest.raises(error):
            await call(rooms, name, payload)
    with pytest.raises(StorageFailed), full_disk():
        await call(rooms)
    assert in_flight(rooms) == 0
    assert rooms.engine.started == 0


async def test_a_call_that_could_not_be_promised_is_not_run_later_either(rooms: Rooms) -> None:
    await add_action(rooms)
    with full_disk(), pytest.raises(StorageFailed):
        await call(rooms, payload=b'{"n":1}', blocking=False)
    assert not [intent for intent in await rooms.intents() if intent.work]
    assert len(rooms.platform.ledger.pending) == 0


async def test_a_record_that_cannot_be_written_yet_is_not_told_and_comes_when_there_is_room(rooms: Rooms) -> None:
    disk = ExitStack()

    async def fill_the_disk(arguments: dict[str, Any], run: Run) -> Any:
        disk.enter_context(full_disk())
        return {}

    rooms.engine.functions = {**FUNCTIONS, "fill": fill_the_disk}
    await add_action(rooms, code="fill")
    with disk:
        activation_id = await call(rooms, wait_ms=50)
        assert isinstance(activation_id, str)
        ((intent, _),) = rooms.platform.ledger.pending.left_open()
        assert intent.permission == "action:invoke"
    assert (await ended(rooms, activation_id)).status == "success"


async def test_limits_are_the_namespaces_own_and_refuse_with_openwhisks_words(tmp_path: Path) -> None:
    limits = Limits(invocations_per_minute=3, concurrent_invocations=2)
    async with open_rooms(tmp_path, limits=limits) as rooms:
        await add_action(rooms, code="sleep")
        for _ in range(2):
            await call(rooms, blocking=False)
        with pytest.raises(TooManyConcurrent, match=r"count: 2, allowed: 2"):
            await call(rooms)
        theirs = await add_action(rooms, namespace="other")
        other = op_of(rooms.platform, "other")
        for _ in range(3):
            await invoke(rooms.platform, other, theirs, b"{}", blocking=True)
        with pytest.raises(Throttled, match=r"count: 4, allowed: 3"):
            await invoke(rooms.platform, other, theirs, b"{}", blocking=True)
        rooms.world.clock.advance(60_000)
        await invoke(rooms.platform, other, theirs, b"{}", blocking=True)
        assert in_flight(rooms) == 2


class Broken(MemorySandbox):
    """Of an engine that does not keep its promises."""

    async def run(self, run: Run) -> RunResult:
        raise ZeroDivisionError("a fault of ours")


class BrokenEngine(MemoryEngine):
    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> MemorySandbox:
        await super().start(kind, memory_mb, grants=grants)
        return Broken(self, memory_mb)


@pytest.fixture
async def broken(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, engine=BrokenEngine(FUNCTIONS)) as rooms:
        yield rooms


async def test_a_fault_of_ours_costs_one_activation_and_not_the_platform(
    broken: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    await add_action(broken)
    for _ in range(2):
        record = await call(broken)
        assert isinstance(record, Activation)
        assert (record.status, record.result) == ("whisk internal error", b'{"error":"There was an internal error."}')
        assert record.billed_mb_ms == 0
    assert in_flight(broken) == len(broken.platform.ledger.pending) == 0
    assert broken.platform.dispatcher.running == 0
    assert "could not be performed" in caplog.text


async def test_a_start_that_fails_is_recorded_not_charged_and_forgotten(rooms: Rooms) -> None:
    await add_action(rooms)
    rooms.engine.fail_starts = 1
    record = await call(rooms)
    assert isinstance(record, Activation)
    assert (record.status, record.billed_mb_ms) == ("whisk internal error", 0)
    assert await result_of(rooms, payload=b'{"n":1}') == {"n": 1}
    assert in_flight(rooms) == 0


async def test_many_at_once_get_each_their_own_answer_and_each_one_record(rooms: Rooms) -> None:
    await add_action(rooms)
    seen: list[Any] = []

    async def one(number: int) -> None:
        seen.append(await result_of(rooms, payload=b'{"n":%d}' % number) == {"n": number})

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(one, number)
    assert seen == [True] * 50
    work = {intent.id: intent.work for intent in await rooms.intents() if intent.work}
    outcomes = await rooms.outcomes()
    assert len({promise.activation_id for promise in work.values()}) == 50
    for identifier, promise in work.items():
        record = outcomes[identifier].activation
        assert record is not None
        assert record.id == promise.activation_id
    assert in_flight(rooms) == 0


async def test_a_platform_that_is_full_promises_nothing(rooms: Rooms) -> None:
    await add_action(rooms)
    rooms.platform.dispatcher.queued = DispatchLimits().queued_max
    with pytest.raises(Unavailable):
        await call(rooms, blocking=False)
    rooms.platform.dispatcher.queued = 0
    assert not [intent for intent in await rooms.intents() if intent.work]
    assert in_flight(rooms) == 0
