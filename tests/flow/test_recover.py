"""After a crash: what was promised ends, once, and what was accepted stays accepted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest

from flowkit import (
    SOURCE,
    add_action,
    add_rule,
    add_trigger,
    delivery,
    ended,
    event,
    events_op,
    full_disk,
    named,
    quiet,
)
from rambla.domain.access import Target
from rambla.domain.entities import Parameter
from rambla.domain.errors import StorageFailed
from rambla.domain.records import Intent, Outcome, Replay, Started, Work
from rambla.drivers.memory.objects import MemoryObjects
from rambla.flow import change, read
from rambla.flow.fire import accept_events, fire
from rambla.flow.guard import OK, intent_of, judge
from rambla.flow.invoke import invoke
from rambla.flow.recover import INTERRUPTED, settle
from rooms import Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@asynccontextmanager
async def reborn(world: World) -> AsyncIterator[Rooms]:
    """Rooms after a crash, settled."""
    async with open_rooms(world, objects=MemoryObjects(world.clock)) as rooms:
        await settle(rooms.platform)
        yield rooms


async def promise(rooms: Rooms, replay: Replay, *, started: bool, action: str = "a") -> str:
    """As a platform leaves it that is killed; the activation's id."""
    platform, op = rooms.platform, op_of(rooms.platform)
    target = Target("guest", f"guest/{action}")
    work = Work(
        activation_id=platform.ids.next(),
        action=named(action),
        replay=replay,
        namespace="guest",
        payload=b'{"n":1}',
    )
    judged = await judge(platform, op, "action:invoke", target)
    await platform.ledger.write(intent_of(platform, op, "action:invoke", target, judged, work=work))
    if started:
        await platform.ledger.write(Started(activation_id=work.activation_id, at_ms=0))
    return work.activation_id


@pytest.mark.parametrize(
    ("replay", "started", "again"),
    [
        ("never", False, False),
        ("never", True, False),
        ("unless_started", False, True),
        ("unless_started", True, False),
        ("always", False, True),
        ("always", True, True),
    ],
)
async def test_work_runs_again_as_its_promise_says_and_ends_in_any_case(
    world: World, replay: Replay, started: bool, again: bool
) -> None:
    async with open_rooms(world) as rooms:
        await add_action(rooms, parameters=(Parameter("d", 0),))
        activation_id = await promise(rooms, replay, started=started)
    async with reborn(world) as rooms:
        record = await ended(rooms, activation_id)
        await quiet(rooms)
        assert rooms.engine.started == int(again)
        result = msgspec.json.decode(record.result)
        assert result == ({"d": 0, "n": 1} if again else {"error": INTERRUPTED})
        assert record.status == ("success" if again else "whisk internal error")
        assert rooms.platform.dispatcher.throttle.in_flight() == 0
    async with reborn(world) as rooms:
        assert rooms.engine.started == 0
        assert await ended(rooms, activation_id) == record


async def test_an_action_that_is_gone_meanwhile_ends_its_work_with_the_reason(world: World) -> None:
    async with open_rooms(world) as rooms:
        activation_id = await promise(rooms, "always", started=False)
    async with reborn(world) as rooms:
        record = await ended(rooms, activation_id)
        assert (record.status, record.billed_mb_ms) == ("whisk internal error", 0)
        assert msgspec.json.decode(record.result) == {"error": "The requested resource does not exist."}
        assert len(rooms.platform.ledger.pending) == 0


async def test_an_action_that_was_changed_meanwhile_runs_as_it_is_now(world: World) -> None:
    async with open_rooms(world) as rooms:
        await add_action(rooms, code="crash")
        activation_id = await promise(rooms, "always", started=True)
        await add_action(rooms, code="echo")
    async with reborn(world) as rooms:
        assert (await ended(rooms, activation_id)).status == "success"


async def test_an_intent_without_work_ends_as_interrupted(world: World) -> None:
    async with open_rooms(world) as rooms:
        target = Target("guest", "guest/a")
        op = op_of(rooms.platform)
        intent = intent_of(
            rooms.platform, op, "action:delete", target, await judge(rooms.platform, op, "action:delete", target)
        )
        await rooms.platform.ledger.write(intent)
    async with reborn(world) as rooms:
        assert (await rooms.outcomes())[intent.id].status == "interrupted"
        assert len(rooms.platform.ledger.pending) == 0


async def test_a_call_that_was_broken_off_in_the_middle_is_recorded(world: World) -> None:
    async with open_rooms(world) as rooms:
        name = await add_action(rooms, code="sleep")
        activation_id = await invoke(rooms.platform, op_of(rooms.platform), name, b"{}", blocking=True, wait_ms=20)
        assert isinstance(activation_id, str)
        queued = await invoke(rooms.platform, op_of(rooms.platform), name, b"{}", blocking=False)
        assert isinstance(queued, str)
    async with reborn(world) as rooms:
        assert msgspec.json.decode((await ended(rooms, activation_id)).result) == {"error": INTERRUPTED}


async def test_a_settling_that_cannot_be_written_is_tried_by_the_next_start(world: World) -> None:
    async with open_rooms(world) as rooms:
        activation_id = await promise(rooms, "never", started=False)
        target = Target("guest", "guest/a")
        op = op_of(rooms.platform)
        judged = await judge(rooms.platform, op, "action:read", target)
        await rooms.platform.ledger.write(intent_of(rooms.platform, op, "action:read", target, judged))
    async with open_rooms(world) as rooms:
        with full_disk(), pytest.raises(StorageFailed):
            await settle(rooms.platform)
    async with reborn(world) as rooms:
        assert (await ended(rooms, activation_id)).status == "whisk internal error"
        assert len(rooms.platform.ledger.pending) == 0


async def listening(rooms: Rooms, code: str = "echo") -> None:
    await add_action(rooms, code=code)
    await add_trigger(rooms, annotations={"source": SOURCE})
    await add_rule(rooms)


async def send(rooms: Rooms, *names: str) -> None:
    deliveries = [delivery(event(rooms, name)) for name in names]
    answer = await accept_events(rooms.platform, events_op(rooms), deliveries)
    assert answer == {"accepted": list(names), "rejected": []}


async def ran(rooms: Rooms) -> list[Intent]:
    return [intent for intent in await rooms.intents() if intent.work]


@pytest.mark.parametrize("code", ["echo", "sleep"])
async def test_an_event_accepted_before_a_crash_is_known_after_it(world: World, code: str) -> None:
    async with open_rooms(world, objects=MemoryObjects(world.clock)) as rooms:
        await listening(rooms, code)
        await send(rooms, "e1", "e2")
        if code == "echo":
            await quiet(rooms)
    for _ in range(2):
        async with reborn(world) as rooms:
            await send(rooms, "e2", "e1")
            assert len(await ran(rooms)) == 2
    async with reborn(world) as rooms:
        await send(rooms, "e3")
        assert len(await ran(rooms)) == 3


async def test_the_work_of_an_event_runs_until_it_has_ended(world: World) -> None:
    async with open_rooms(world, objects=MemoryObjects(world.clock)) as rooms:
        await listening(rooms, "sleep")
        await send(rooms, "e1")
        await anyio.wait_all_tasks_blocked()
    for _ in range(2):
        async with reborn(world) as rooms:
            (run,) = await ran(rooms)
            await anyio.wait_all_tasks_blocked()
            assert run.id not in await rooms.outcomes()
            await change.delete_action(rooms.platform, op_of(rooms.platform), named("a"))
            await add_action(rooms, code="sleep")
    async with open_rooms(world, objects=MemoryObjects(world.clock)) as rooms:
        await add_action(rooms, code="echo")
        assert await settle(rooms.platform) == (1, 0)
        assert run.work is not None
        assert (await ended(rooms, run.work.activation_id)).status == "success"


async def test_a_fire_by_hand_is_found_with_its_runs_after_a_crash(world: World) -> None:
    async with open_rooms(world) as rooms:
        await add_action(rooms)
        await add_trigger(rooms)
        await add_rule(rooms)
        identifier = await fire(rooms.platform, op_of(rooms.platform), named("t"), b"{}")
        assert identifier is not None
    async with reborn(world) as rooms:
        record = await ended(rooms, identifier)
        run = msgspec.json.decode(record.raw_logs[0])["activationId"]
        await ended(rooms, run)
        page = read.Page(0, 10)
        found = await read.activations(rooms.platform, op_of(rooms.platform), "guest", read.Span(), page)
        assert {one.id for one in found} == {identifier, run}


async def test_every_intent_has_one_outcome_however_often_it_crashes(world: World) -> None:
    async with open_rooms(world) as rooms:
        await add_action(rooms)
        promised: list[Replay] = ["never", "unless_started", "always"]
        for replay in 5 * promised:
            await promise(rooms, replay, started=False)
    for _ in range(3):
        async with open_rooms(world) as rooms:
            await settle(rooms.platform)
    async with reborn(world) as rooms:
        await quiet(rooms)
        outcomes = await rooms.outcomes()
        assert {intent.id for intent in await rooms.intents() if intent.allowed} == set(outcomes)
        assert {outcome.status for outcome in outcomes.values()} == {OK, "success", "whisk internal error"}
        assert all(isinstance(outcome, Outcome) for outcome in outcomes.values())
