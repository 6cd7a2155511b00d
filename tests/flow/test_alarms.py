"""What is due fires once, whatever happens meanwhile."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from flowkit import add_action, add_rule, add_trigger, full_disk, named, quiet
from rambla.domain.activation import Activation
from rambla.domain.entities import Trigger
from rambla.domain.errors import StorageFailed
from rambla.domain.records import Intent, Outcome
from rambla.flow.alarms import fire_due, keep_time
from rambla.flow.recover import settle
from rambla.kit.clock import rfc3339
from rambla.schedule.alarm import ATTEMPTS_MAX, Alarm, Cron, Interval, Once, Schedule, scheduled
from rooms import Rooms, World, open_rooms

pytestmark = pytest.mark.anyio
MINUTE = 60_000
MINUTELY = Cron(pattern="* * * * *")


async def set_alarm(rooms: Rooms, schedule: Schedule = MINUTELY, trigger: str = "t", **payload: Any) -> None:
    alarm = Alarm(trigger=named(trigger), schedule=schedule, payload=payload)
    await rooms.platform.alarms.put(scheduled(alarm, rooms.world.clock.now_ms()))


async def prepare(rooms: Rooms, schedule: Schedule = MINUTELY, **payload: Any) -> None:
    """Trigger `t` with an alarm, and a rule that runs `a`."""
    await add_action(rooms)
    await add_trigger(rooms)
    await add_rule(rooms)
    await set_alarm(rooms, schedule, **payload)


async def alarm_of(rooms: Rooms, trigger: str = "t") -> Alarm:
    found = await rooms.world.alarms.get(named(trigger))
    assert found is not None
    return found


async def activations(rooms: Rooms) -> list[Activation]:
    await quiet(rooms)
    ended = [each.activation for each in await rooms.records() if isinstance(each, Outcome)]
    return [each for each in ended if each is not None]


async def fires(rooms: Rooms) -> list[Activation]:
    return [each for each in await activations(rooms) if each.is_trigger]


async def runs(rooms: Rooms) -> list[Activation]:
    return [each for each in await activations(rooms) if not each.is_trigger]


async def test_nothing_fires_before_it_is_due(rooms: Rooms) -> None:
    assert await fire_due(rooms.platform) is None
    await prepare(rooms)
    due_ms = (await alarm_of(rooms)).due_ms
    assert await fire_due(rooms.platform) == due_ms
    assert await activations(rooms) == []


async def test_what_is_due_runs_its_actions_with_its_payload_and_is_due_again(rooms: Rooms) -> None:
    await prepare(rooms, a=1)
    due_ms = (await alarm_of(rooms)).due_ms
    assert due_ms is not None
    rooms.world.clock.advance(MINUTE)
    assert await fire_due(rooms.platform) == due_ms + MINUTE
    (trigger,), (run,) = await fires(rooms), await runs(rooms)
    assert run.result == trigger.result == b'{"a":1}'
    assert trigger.annotations == {"due": rfc3339(due_ms), "missed": False}
    assert (run.namespace, run.subject, trigger.subject) == ("guest", "guest", "guest")
    intents = [each for each in await rooms.records() if isinstance(each, Intent) and each.event_id]
    assert [(each.permission, each.source, each.rule) for each in intents] == [
        ("trigger:fire", "platform", "defaults/owner")
    ]


async def test_after_a_pause_over_several_due_times_it_fires_once_and_says_so(
    rooms: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    await prepare(rooms)
    due_ms = (await alarm_of(rooms)).due_ms
    assert due_ms is not None
    rooms.world.clock.advance(100 * MINUTE)
    assert await fire_due(rooms.platform) == due_ms + 100 * MINUTE
    (trigger,) = await fires(rooms)
    assert (trigger.annotations["due"], trigger.annotations["missed"]) == (rfc3339(due_ms), True)
    assert f"the alarm of guest/t was due since {rfc3339(due_ms)} and fires once" in caplog.text


async def test_a_killed_platform_fires_once_what_it_had_not_stored(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await prepare(rooms)
        before = await alarm_of(rooms)
        world.clock.advance(MINUTE)
        await fire_due(rooms.platform)
        assert len(await runs(rooms)) == 1
    await world.alarms.put(before)  # as if the last write of the alarm had not been
    async with open_rooms(world) as rooms:
        await settle(rooms.platform)
        await fire_due(rooms.platform)
        assert (len(await fires(rooms)), len(await runs(rooms))) == (1, 1)
        assert (await alarm_of(rooms)).due_ms == (before.due_ms or 0) + MINUTE


async def test_a_fire_that_could_not_be_stored_is_known_however_many_events_follow(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(rooms)
    rooms.world.clock.advance(MINUTE)
    low_water = rooms.platform.ledger.low_water()

    async def fails(alarms: Any) -> list[bool]:
        raise StorageFailed(detail="gone")

    with monkeypatch.context() as patch:
        patch.setattr(rooms.world.alarms, "replace", fails)
        with pytest.raises(StorageFailed):
            await fire_due(rooms.platform)
    for number in range(1200):
        rooms.platform.ledger.pending.track(10_000 + number, replace(await _event(rooms), event_id=f"e{number}"))
    held = rooms.platform.ledger.low_water()
    assert low_water <= held < 10_000
    await fire_due(rooms.platform)
    assert len(await fires(rooms)) == 1
    assert rooms.platform.ledger.low_water() > held


async def _event(rooms: Rooms) -> Intent:
    found = [each for each in await rooms.records() if isinstance(each, Intent) and each.event_id]
    return replace(found[0], id="another", allowed=False)


async def test_without_a_disk_nothing_fires_and_nothing_is_lost(rooms: Rooms) -> None:
    await prepare(rooms)
    before = await alarm_of(rooms)
    rooms.world.clock.advance(MINUTE)
    with full_disk(), pytest.raises(StorageFailed):
        await fire_due(rooms.platform)
    assert await alarm_of(rooms) == before


async def test_many_that_are_due_together_all_fire(rooms: Rooms) -> None:
    await add_action(rooms)
    for number in range(450):
        await rooms.world.entities.put(Trigger(name=named(f"t{number}")), expected_revision=None)
        await set_alarm(rooms, trigger=f"t{number}")
    await add_rule(rooms, "first", trigger="t0")
    await add_rule(rooms, "last", trigger="t449")
    rooms.world.clock.advance(MINUTE)
    await fire_due(rooms.platform)
    assert sorted(each.name for each in await fires(rooms)) == ["t0", "t449"]
    now_ms = rooms.world.clock.now_ms()
    assert all((alarm.due_ms or 0) > now_ms for alarm in await rooms.world.alarms.earliest(1000))


async def test_an_alarm_whose_trigger_vanished_is_switched_off_with_the_reason(rooms: Rooms) -> None:
    await set_alarm(rooms, trigger="vanished")
    await prepare(rooms)
    rooms.world.clock.advance(MINUTE)
    await fire_due(rooms.platform)
    reason = (await alarm_of(rooms, "vanished")).reason
    assert reason is not None
    assert (reason.kind, reason.status_code) == ("AUTO", 404)
    assert reason.message == "Trigger automatically disabled: The requested resource does not exist."
    assert len(await fires(rooms)) == 1


async def test_a_throttled_owner_waits_for_the_next_minute_and_holds_up_nobody(rooms: Rooms) -> None:
    await prepare(rooms)
    await rooms.platform.namespaces.put(await limited(rooms, fires_per_minute=1))
    await add_trigger(rooms, "u")
    await set_alarm(rooms, trigger="u")
    due_ms = (await alarm_of(rooms)).due_ms
    rooms.world.clock.advance(MINUTE)
    await fire_due(rooms.platform)
    late = await alarm_of(rooms, "u")
    assert (late.due_ms, late.attempts) == (due_ms, 1)
    assert late.wake_ms == (due_ms or 0) + MINUTE


async def test_an_owner_who_stays_throttled_loses_the_alarm(rooms: Rooms) -> None:
    await prepare(rooms)
    await rooms.platform.namespaces.put(await limited(rooms, fires_per_minute=0))
    for _ in range(ATTEMPTS_MAX):
        rooms.world.clock.advance(MINUTE)
        await fire_due(rooms.platform)
    reason = (await alarm_of(rooms)).reason
    assert reason is not None
    assert reason.status_code == 429
    assert await fires(rooms) == []


async def limited(rooms: Rooms, *, fires_per_minute: int) -> Any:
    namespace = await rooms.platform.namespaces.get("guest")
    rooms.platform.keys.forget()
    return replace(namespace, fires_per_minute=fires_per_minute)  # type: ignore[type-var]


async def test_without_an_active_rule_nothing_is_recorded_and_it_goes_on(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await set_alarm(rooms)
    rooms.world.clock.advance(MINUTE)
    await fire_due(rooms.platform)
    assert await fires(rooms) == []
    assert ((await alarm_of(rooms)).due_ms or 0) > rooms.world.clock.now_ms()


@pytest.mark.parametrize(("deletes", "left"), [(None, "tr"), ("false", "tr"), ("true", "r"), ("rules", "")])
async def test_a_date_that_passed_takes_along_what_was_said(rooms: Rooms, deletes: str | None, left: str) -> None:
    await prepare(rooms, Once(date=rooms.world.clock.now_ms() + 1, delete_after_fire=deletes))
    rooms.world.clock.advance(2)
    assert await fire_due(rooms.platform) is None
    assert len(await runs(rooms)) == 1
    assert [name for name in "tr" if await rooms.platform.entities.get(named(name))] == list(left)
    alarm = await rooms.world.alarms.get(named("t"))
    assert (alarm is not None) == ("t" in left)


async def test_a_crash_before_the_trigger_went_lets_it_go_without_firing_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await prepare(rooms, Once(date=world.clock.now_ms() + 1, delete_after_fire="true"))
        before, trigger = await alarm_of(rooms), await rooms.platform.entities.get(named("t"))
        world.clock.advance(2)
        await fire_due(rooms.platform)
        await quiet(rooms)
    assert trigger is not None
    await world.entities.put(trigger, expected_revision=None)
    await world.alarms.put(before)
    async with open_rooms(world) as rooms:
        await fire_due(rooms.platform)
        assert len(await fires(rooms)) == 1
        assert await rooms.platform.entities.get(named("t")) is None


async def test_a_change_while_it_fires_stands(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(rooms)
    rooms.world.clock.advance(MINUTE)
    replaced = rooms.world.alarms.replace

    async def overtaken(alarms: Any) -> list[bool]:
        await set_alarm(rooms, Interval(minutes=7, start=rooms.world.clock.now_ms() + 1))
        return await replaced(alarms)

    monkeypatch.setattr(rooms.world.alarms, "replace", overtaken)
    await fire_due(rooms.platform)
    assert isinstance((await alarm_of(rooms)).schedule, Interval)
    assert len(await fires(rooms)) == 1


async def test_whoever_keeps_time_notices_a_new_alarm_at_once(rooms: Rooms) -> None:
    await add_action(rooms)
    await add_trigger(rooms)
    await add_rule(rooms)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(keep_time, rooms.platform)
            await anyio.sleep(0.01)
            await set_alarm(rooms, Once(date=rooms.world.clock.now_ms() + 1))
            rooms.world.clock.advance(10)
            while not await fires(rooms):
                await anyio.sleep(0.002)
            group.cancel_scope.cancel()
