"""A fire: what each rule does, what the journal says, and every event once."""

from pathlib import Path
from typing import Any

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
from rambla.domain.entities import AnyEntity, Parameter
from rambla.domain.errors import NotFound, Refused, StorageFailed, Throttled
from rambla.domain.names import FullName
from rambla.domain.records import Intent, Outcome
from rambla.drivers.memory.catalog import MemoryEntityStore
from rambla.drivers.memory.objects import MemoryObjects
from rambla.flow import change
from rambla.flow.fire import accept_events, fire
from rambla.flow.platform import Limits
from rooms import Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio
T = named("t")


async def pull(rooms: Rooms, payload: bytes = b"{}") -> str | None:
    return await fire(rooms.platform, op_of(rooms.platform), T, payload)


async def accept(rooms: Rooms, *bodies: Any, trigger: str = "guest/t") -> dict[str, list[Any]]:
    return await accept_events(rooms.platform, events_op(rooms), [delivery(body, trigger) for body in bodies])


async def listening(rooms: Rooms, **source: Any) -> None:
    await add_action(rooms)
    await add_trigger(rooms, annotations={"source": SOURCE | source})
    await add_rule(rooms)


async def runs(rooms: Rooms) -> list[Intent]:
    return [intent for intent in await rooms.intents() if intent.work]


# --- by hand ---


async def test_without_an_active_rule_nothing_is_recorded(rooms: Rooms) -> None:
    await add_action(rooms)
    await add_trigger(rooms)
    assert await pull(rooms) is None
    rule = await add_rule(rooms)
    await change.set_rule_status(rooms.platform, op_of(rooms.platform), rule, "inactive")
    before = await rooms.records()
    assert await pull(rooms) is None
    assert await rooms.records() == before


async def test_the_record_says_what_every_rule_did(rooms: Rooms) -> None:
    await add_action(rooms, parameters=(Parameter("fixed", 1),), annotations={"final": True})
    await add_action(rooms, "gone")
    await add_trigger(rooms, parameters=(Parameter("p", 1),))
    await add_rule(rooms, "r1")
    await add_rule(rooms, "r2")
    await add_rule(rooms, "r3", action="gone")
    await change.set_rule_status(rooms.platform, op_of(rooms.platform), named("r2"), "inactive")
    await change.delete_action(rooms.platform, op_of(rooms.platform), named("gone"))
    identifier = await pull(rooms, b'{"q":2}')
    assert identifier is not None
    record = await ended(rooms, identifier)
    assert msgspec.json.decode(record.result) == {"q": 2}
    ran, inactive, missing = [msgspec.json.decode(line) for line in record.raw_logs]
    assert (ran["rule"], ran["success"], ran["statusCode"]) == ("guest/r1", True, 0)
    assert inactive["error"] == "Rule 'guest/r2' is inactive, action 'guest/a' was not activated."
    assert missing["error"] == "The requested resource does not exist."
    assert (missing["success"], missing["statusCode"], missing["action"]) == (False, 1, "guest/gone")
    run = await ended(rooms, ran["activationId"])
    assert msgspec.json.decode(run.result) == {"fixed": 1, "p": 1, "q": 2}
    refused = await pull(rooms, b'{"fixed":2}')
    assert refused is not None
    assert "reserved" in msgspec.json.decode((await ended(rooms, refused)).raw_logs[0])["error"]


async def test_the_actions_hear_of_the_headers_and_the_payload_may_say_otherwise(rooms: Rooms) -> None:
    await add_action(rooms)
    await add_trigger(rooms, parameters=(Parameter("p", 1),))
    await add_rule(rooms)
    for payload, told in ((b"", {"x-a": "b"}), (b'{"__ow_headers":1}', 1)):
        identifier = await fire(rooms.platform, op_of(rooms.platform), T, payload, {"x-a": "b"})
        assert identifier is not None
        record = await ended(rooms, identifier)
        assert (record.result, record.annotations) == (payload or b"{}", {})
        run = await ended(rooms, msgspec.json.decode(record.raw_logs[0])["activationId"])
        assert msgspec.json.decode(run.result) == {"p": 1, "__ow_headers": told}


async def test_work_is_promised_before_the_fire_is_and_all_before_it_is_acknowledged(rooms: Rooms) -> None:
    await add_action(rooms)
    await add_trigger(rooms)
    for rule in ("r1", "r2"):
        await add_rule(rooms, rule)
    before = len(await rooms.records())
    identifier = await pull(rooms)
    assert rooms.journal.durable_seq >= before + 4
    first, second, fired, outcome, *_ = (await rooms.records())[before:]
    assert isinstance(first, Intent)
    assert isinstance(second, Intent)
    assert isinstance(fired, Intent)
    assert isinstance(outcome, Outcome)
    assert [first.permission, second.permission, fired.permission] == 2 * ["action:invoke"] + ["trigger:fire"]
    assert fired.activation_id == identifier
    assert outcome.intent_id == fired.id
    assert outcome.activation is not None
    assert outcome.activation.id == identifier
    for promise in (first.work, second.work):
        assert promise is not None
        assert promise.replay == "unless_started"


async def test_a_fire_that_cannot_be_written_runs_nothing(rooms: Rooms) -> None:
    await listening(rooms)
    with full_disk(), pytest.raises(StorageFailed):
        await pull(rooms)
    await quiet(rooms)
    assert rooms.engine.started == 0
    assert await runs(rooms) == []


async def test_only_the_owner_fires_and_only_what_exists(rooms: Rooms) -> None:
    await listening(rooms)
    with pytest.raises(Refused):
        await fire(rooms.platform, op_of(rooms.platform, "other"), T, b"{}")
    with pytest.raises(Refused):
        await fire(rooms.platform, events_op(rooms), T, b"{}")
    for name in ("none", "a", "r"):
        with pytest.raises(NotFound):
            await fire(rooms.platform, op_of(rooms.platform), named(name), b"{}")
    assert await runs(rooms) == []


async def test_fires_have_a_limit_of_their_own(tmp_path: Any) -> None:
    async with open_rooms(tmp_path, limits=Limits(fires_per_minute=2)) as rooms:
        await add_action(rooms)
        await add_trigger(rooms)
        await add_rule(rooms)
        for _ in range(2):
            assert await pull(rooms)
        with pytest.raises(Throttled):
            await pull(rooms)
        rooms.world.clock.advance(60_000)
        assert await pull(rooms)
        await quiet(rooms)
        assert rooms.platform.dispatcher.throttle.in_flight() == 0


# --- by events ---


async def test_an_event_runs_the_actions_with_itself_as_the_arguments(rooms: Rooms) -> None:
    await listening(rooms)
    sent = event(rooms, "e1", key="a+b%2F%C3%A4.jpg")
    assert await accept(rooms, sent) == {"accepted": ["e1"], "rejected": []}
    (run,) = await runs(rooms)
    assert run.work is not None
    assert (run.work.replay, run.work.namespace, run.source) == ("always", "guest", "event-source")
    assert run.work.access is not None
    assert (run.work.access.container, run.work.access.name, run.work.access.target) == (
        "photos",
        "a b/ä.jpg",
        "thumbs",
    )
    record = await ended(rooms, run.work.activation_id)
    assert msgspec.json.decode(record.result) == sent
    fired = (await rooms.intents())[-1]
    assert (fired.permission, fired.event_id) == ("trigger:deliver", "guest/t e1")


async def test_an_event_is_taken_once_however_often_it_comes(rooms: Rooms) -> None:
    await listening(rooms)
    sent = event(rooms, "e1")
    answers = [await accept(rooms, sent, sent) for _ in range(3)]
    assert answers == 3 * [{"accepted": ["e1", "e1"], "rejected": []}]
    assert len(await runs(rooms)) == 1


async def test_the_same_event_for_two_triggers_is_two(rooms: Rooms) -> None:
    await listening(rooms)
    await add_trigger(rooms, "u", annotations={"source": SOURCE})
    await add_rule(rooms, "s", trigger="u")
    sent = event(rooms, "e1")
    await accept(rooms, sent)
    await accept(rooms, sent, trigger="guest/u")
    assert len(await runs(rooms)) == 2


async def test_duplicates_at_the_same_time_are_one(rooms: Rooms) -> None:
    await listening(rooms)
    accepted: list[str] = []

    async def send(number: int) -> None:
        answer = await accept(rooms, event(rooms, "shared"), event(rooms, f"own-{number}"))
        accepted.extend(answer["accepted"])

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(send, number)
    assert accepted.count("shared") == 10
    assert len(await runs(rooms)) == 11


async def test_a_duplicate_is_not_acknowledged_while_the_first_may_still_be_lost(rooms: Rooms) -> None:
    await listening(rooms)
    ended_as: list[str] = []

    async def send() -> None:
        try:
            await accept(rooms, event(rooms, "e1"))
            ended_as.append("accepted")
        except StorageFailed:
            ended_as.append("failed")

    with full_disk():
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(send)
    assert ended_as == ["failed"] * 3
    assert await runs(rooms) == []


async def test_what_could_not_be_written_was_not_accepted_and_may_come_again(rooms: Rooms) -> None:
    await listening(rooms)
    with full_disk(), pytest.raises(StorageFailed):
        await accept(rooms, event(rooms, "e1"), event(rooms, "e2"))
    assert rooms.engine.started == 0
    assert await accept(rooms, event(rooms, "e1"), event(rooms, "e2")) == {"accepted": ["e1", "e2"], "rejected": []}
    assert len(await runs(rooms)) == 2


class Failing(MemoryEntityStore):
    """A database that goes away in the middle: it fails on the name `lost` while `away`."""

    away = False

    async def get(self, name: FullName) -> AnyEntity | None:
        if self.away and name.name == "lost":
            raise StorageFailed(detail="away")
        return await super().get(name)


async def test_a_batch_that_fails_in_the_middle_may_come_again_whole(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.entities = entities = Failing()
    async with open_rooms(world, objects=MemoryObjects(world.clock)) as rooms:
        await listening(rooms)
        await add_trigger(rooms, "lost", annotations={"source": SOURCE})
        await add_rule(rooms, "s", trigger="lost")
        batch = [delivery(event(rooms, "e1")), delivery(event(rooms, "e2"), "guest/lost")]
        rooms.platform.entities.clear()
        entities.away = True
        with pytest.raises(StorageFailed):
            await accept_events(rooms.platform, events_op(rooms), batch)
        assert await runs(rooms) == []
        entities.away = False
        answer = await accept_events(rooms.platform, events_op(rooms), batch)
        assert answer == {"accepted": ["e1", "e2"], "rejected": []}
        assert len(await runs(rooms)) == 2


async def test_an_event_that_no_rule_wants_is_accepted_and_runs_nothing(rooms: Rooms) -> None:
    await listening(rooms)
    await change.set_rule_status(rooms.platform, op_of(rooms.platform), named("r"), "inactive")
    assert (await accept(rooms, event(rooms, "e1")))["accepted"] == ["e1"]
    assert await runs(rooms) == []


async def test_without_a_target_there_is_nothing_to_write_to(rooms: Rooms) -> None:
    await listening(rooms, target="")
    await accept(rooms, event(rooms, "e1"))
    (run,) = await runs(rooms)
    assert run.work is not None
    assert run.work.access is not None
    assert run.work.access.target == ""


async def test_in_one_batch_the_good_is_taken_and_the_bad_is_named(rooms: Rooms) -> None:
    await listening(rooms)
    bad = event(rooms, "bad") | {"specversion": "0.3"}
    answer = await accept(
        rooms, event(rooms, "e1"), bad, b"junk", event(rooms, "e2", container="x"), event(rooms, "e3")
    )
    assert answer["accepted"] == ["e1", "e3"]
    assert [one["id"] for one in answer["rejected"]] == ["bad", "", "e2"]
    assert all(one["reason"] for one in answer["rejected"])
    assert len(await runs(rooms)) == 2


DEEP = b'{"id":"e","source":"s","type":"t","specversion":"1.0","data":{"Records":' + b"[" * 100_000
MALFORMED = [
    b"", b"null", b"[]", b"{}", b'"e"', b"{" * 100_000, DEEP, b'{"id":"\xff"}', b'{"id":1}',
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_no_event_is_rejected_for_good(rooms: Rooms, body: bytes) -> None:
    await listening(rooms)
    answer = await accept(rooms, body)
    assert answer["accepted"] == []
    assert "CloudEvent" in answer["rejected"][0]["reason"]


async def test_an_event_must_be_whole(rooms: Rooms) -> None:
    await listening(rooms)
    whole = event(rooms, "e1")
    two = {"Records": 2 * whole["data"]["Records"]}
    for wrong in (
        {"id": ""},
        {"id": "x" * 1025},
        {"specversion": "1.1"},
        {"data": {"Records": []}},
        {"data": two},
        {"data": event(rooms, "e1", key="")["data"]},
    ):
        assert (await accept(rooms, whole | wrong))["accepted"] == [], wrong
    assert await runs(rooms) == []


@pytest.mark.parametrize(
    "trigger", ["guest/none", "guest/a", "other/t", "guest", "", "/", "a/b/c/d", "guest/../t", "\0/t", "_/t", "guest/r"]
)
async def test_what_names_no_trigger_of_that_container_is_rejected(rooms: Rooms, trigger: str) -> None:
    await listening(rooms)
    answer = await accept(rooms, event(rooms, "e1"), trigger=trigger)
    assert (answer["accepted"], answer["rejected"][0]["id"]) == ([], "e1")
    assert await runs(rooms) == []


async def test_nobody_fires_anothers_trigger_by_a_container_of_the_same_name(rooms: Rooms) -> None:
    await listening(rooms)
    assert rooms.platform.objects is not None
    theirs = event(rooms, "e1") | {"source": rooms.platform.objects.source_of("other", "photos")}
    assert (await accept(rooms, theirs))["accepted"] == []
    assert (await accept(rooms, event(rooms, "e1")))["accepted"] == ["e1"]
    assert len(await runs(rooms)) == 1


async def test_a_trigger_that_does_not_listen_is_not_fired_by_events(rooms: Rooms) -> None:
    await listening(rooms)
    await add_trigger(rooms, annotations={})
    assert (await accept(rooms, event(rooms, "e1")))["accepted"] == []
    broken = (await rooms.platform.entities.get(T), {"source": {"type": 7}})
    assert broken[0] is not None
    await rooms.platform.entities.put(
        msgspec.structs.replace(broken[0], annotations=broken[1]), expected_revision=broken[0].revision
    )
    assert (await accept(rooms, event(rooms, "e1")))["accepted"] == []
    assert await runs(rooms) == []


async def test_only_an_event_source_delivers(rooms: Rooms) -> None:
    await listening(rooms)
    with pytest.raises(Refused):
        await accept_events(rooms.platform, op_of(rooms.platform), [delivery(event(rooms, "e1"))])
    assert await runs(rooms) == []
