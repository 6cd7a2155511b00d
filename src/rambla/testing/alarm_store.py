"""Does a driver keep what rambla.schedule.ports.AlarmStore promises?

A test class inherits `AlarmStoreSuite` and provides the fixture `store`, empty for each test.
"""

from msgspec.structs import replace

from rambla.domain.names import FullName
from rambla.schedule.alarm import Alarm, Cron, Interval, Once, Reason
from rambla.schedule.ports import AlarmStore


def alarm(name: str = "t", wake_ms: int | None = 1000, namespace: str = "guest") -> Alarm:
    return Alarm(
        trigger=FullName(namespace, "", name), schedule=Cron(pattern="* * * * *"), due_ms=wake_ms, wake_ms=wake_ms
    )


async def stored(store: AlarmStore, trigger: FullName) -> Alarm:
    found = await store.get(trigger)
    assert found is not None
    return found


class AlarmStoreSuite:
    async def test_what_was_put_is_got_whole(self, store: AlarmStore) -> None:
        schedules = (
            Cron(pattern="0 0 * * *", timezone="Europe/Berlin", strict="true", start=1, stop="2030-01-01", fires_max=3),
            Interval(minutes=5, start=1_700_000_000_000),
            Once(date="2030-01-01T00:00:00Z", delete_after_fire="rules"),
        )
        for number, schedule in enumerate(schedules):
            whole = replace(
                alarm(str(number)),
                schedule=schedule,
                payload={"a": [1, None, {"b": "\0\u20ac"}]},
                fires=7,
                attempts=2,
                changed_ms=5,
                reason=Reason(kind="AUTO", message="why", status_code=404),
            )
            await store.put(whole)
            assert replace(await stored(store, whole.trigger), revision=0) == whole

    async def test_nothing_is_got_of_what_is_not_there(self, store: AlarmStore) -> None:
        assert await store.get(FullName("guest", "", "absent")) is None
        assert await store.delete(FullName("guest", "", "absent")) is False
        assert await store.replace([alarm()]) == [False]
        assert await store.earliest(10) == []

    async def test_put_replaces_whatever_was_there(self, store: AlarmStore) -> None:
        await store.put(alarm(wake_ms=1))
        await store.put(alarm(wake_ms=2))
        assert [each.wake_ms for each in await store.earliest(10)] == [2]

    async def test_only_what_is_unchanged_is_replaced(self, store: AlarmStore) -> None:
        await store.put(alarm("a"))
        await store.put(alarm("b"))
        seen = await store.earliest(10)
        await store.put(alarm("a", wake_ms=5))
        assert await store.replace([replace(each, wake_ms=9) for each in seen]) == [False, True]
        assert [(each.trigger.name, each.wake_ms) for each in await store.earliest(10)] == [("a", 5), ("b", 9)]
        assert await store.replace([replace(seen[1], wake_ms=10)]) == [False]

    async def test_an_alarm_made_anew_is_not_taken_for_the_old_one(self, store: AlarmStore) -> None:
        await store.put(alarm())
        old = await stored(store, alarm().trigger)
        assert await store.delete(old.trigger) is True
        await store.put(alarm())
        assert await store.replace([replace(old, wake_ms=9)]) == [False]

    async def test_the_earliest_come_first_and_never_one_that_is_off(self, store: AlarmStore) -> None:
        for name, wake_ms in (("c", 3), ("a", 2), ("off", None), ("b", 2), ("d", 4)):
            await store.put(alarm(name, wake_ms))
        await store.put(alarm("a", 2, namespace="z"))
        assert [str(each.trigger) for each in await store.earliest(4)] == ["guest/a", "guest/b", "z/a", "guest/c"]

    async def test_one_that_is_switched_off_waits_no_more(self, store: AlarmStore) -> None:
        await store.put(alarm())
        found = await stored(store, alarm().trigger)
        assert await store.replace([replace(found, wake_ms=None)]) == [True]
        assert await store.earliest(10) == []
        assert (await stored(store, found.trigger)).wake_ms is None

    async def test_a_namespaces_alarms_go_together_and_no_others(self, store: AlarmStore) -> None:
        for namespace in ("guest", "guest2"):
            for name in ("a", "b"):
                await store.put(alarm(name, namespace=namespace))
        await store.delete_all("guest")
        assert [str(each.trigger) for each in await store.earliest(10)] == ["guest2/a", "guest2/b"]
