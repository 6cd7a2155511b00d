"""A trigger's owner sets, reads, changes and ends its alarm as OpenWhisk's clients do, and nobody else does."""

from typing import Any

import pytest

from flowkit import add_trigger, named
from rambla.domain.records import Intent
from rambla.flow import change, tend
from rambla.flow.feeds import FEEDS, PAUSED, SUCCESS
from rambla.flow.platform import Op
from rooms import OPERATOR_TOKEN, TOKENS, Rooms, op_of

pytestmark = pytest.mark.anyio
MINUTELY = {"cron": "* * * * *"}


async def ask(rooms: Rooms, event: str, feed: str = "alarm", trigger: str = "/_/t", **given: Any) -> dict[str, Any]:
    namespace = given.pop("by", "guest")
    arguments = {"lifecycleEvent": event, "triggerName": trigger, "authKey": "secret:key", **given}
    return await FEEDS[f"alarms/{feed}"](rooms.platform, op_of(rooms.platform, namespace), arguments)


async def test_an_alarm_is_created_and_read_as_openwhisk_shows_it(rooms: Rooms) -> None:
    await add_trigger(rooms)
    assert await ask(rooms, "CREATE", trigger_payload={"a": 1}, timezone="Europe/Berlin", **MINUTELY) == SUCCESS
    now_ms = rooms.world.clock.now_ms()
    assert await ask(rooms, "READ", trigger="/guest/t") == {
        "config": {
            "name": "t",
            "namespace": "guest",
            "payload": {"a": 1},
            "cron": "* * * * *",
            "timezone": "Europe/Berlin",
            "strict": False,
        },
        "status": {"active": True, "dateChanged": now_ms, "dateChangedISO": "2023-11-14T22:13:20Z"},
    }


async def test_a_date_and_an_interval_are_read_as_they_were_given(rooms: Rooms) -> None:
    await add_trigger(rooms)
    date = "2030-01-01T00:00:00.000Z"
    await ask(rooms, "CREATE", "once", date=date, deleteAfterFire="rules", trigger_payload="hi")
    read = await ask(rooms, "READ", "once")
    assert read["config"] == {
        "name": "t",
        "namespace": "guest",
        "payload": {"payload": "hi"},
        "date": date,
        "deleteAfterFire": "rules",
        "strict": False,
    }
    await ask(rooms, "CREATE", "interval", minutes=3, stopDate=date)
    config = (await ask(rooms, "READ", "interval"))["config"]
    assert (config["minutes"], config["startDate"], config["stopDate"]) == (3, 1_700_000_030_000, date)
    assert "cron" not in config


async def test_what_is_wrong_is_an_error_as_openwhisks_alarms_nest_it(rooms: Rooms) -> None:
    await add_trigger(rooms)
    text = "alarms trigger feed is missing the cron parameter"
    assert await ask(rooms, "CREATE") == {"error": {"error": text}}
    assert await ask(rooms, "EXPLODE") == {"error": "unsupported lifecycleEvent"}
    assert await ask(rooms, "CREATE", trigger="", **MINUTELY) == {
        "error": {"error": "no trigger name parameter was provided"}
    }
    missing = {"error": {"error": "could not find trigger /guest/t in the database"}}
    for event in ("READ", "UPDATE", "PAUSE", "UNPAUSE", "DELETE"):
        assert await ask(rooms, event, **MINUTELY) == missing


async def test_only_a_trigger_of_ones_own_that_exists_may_be_set(rooms: Rooms) -> None:
    await add_trigger(rooms)
    failed = {"error": {"error": "Trigger authentication request failed."}}
    for by, trigger in (("other", "/guest/t"), ("other", "/_/t"), ("guest", "/_/absent"), ("guest", "/_/p/t")):
        assert await ask(rooms, "CREATE", trigger=trigger, by=by, **MINUTELY) == failed
    assert await rooms.world.alarms.earliest(10) == []


async def test_an_update_begins_anew_and_an_empty_one_is_refused(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    assert await ask(rooms, "UPDATE") == {"error": {"error": "no updatable parameters were specified"}}
    rooms.world.clock.advance(1000)
    assert await ask(rooms, "UPDATE", cron="0 0 * * *", trigger_payload={"b": 2}) == SUCCESS
    read = await ask(rooms, "READ")
    assert (read["config"]["cron"], read["config"]["payload"]) == ("0 0 * * *", {"b": 2})
    assert read["status"]["dateChanged"] == rooms.world.clock.now_ms()
    (alarm,) = await rooms.world.alarms.earliest(10)
    assert alarm.due_ms == 1_700_006_400_000


async def test_a_paused_alarm_is_off_until_it_goes_on(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    assert await ask(rooms, "PAUSE") == SUCCESS
    status = (await ask(rooms, "READ"))["status"]
    assert (status["active"], status["reason"]) == (False, {"kind": "USER", "message": PAUSED})
    assert await rooms.world.alarms.earliest(10) == []
    assert await ask(rooms, "UNPAUSE") == SUCCESS
    assert (await ask(rooms, "READ"))["status"]["active"] is True


async def test_deleting_ends_it_also_when_its_trigger_is_gone(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    await rooms.world.entities.delete(named("t"), expected_revision=1)
    rooms.platform.entities.clear()
    assert await ask(rooms, "DELETE") == SUCCESS
    assert await rooms.world.alarms.earliest(10) == []


async def test_a_triggers_alarm_goes_with_it(rooms: Rooms) -> None:
    name = await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    await add_trigger(rooms)  # an update keeps it
    assert len(await rooms.world.alarms.earliest(10)) == 1
    await change.delete_trigger(rooms.platform, op_of(rooms.platform), name)
    assert await rooms.world.alarms.earliest(10) == []


async def test_a_new_trigger_does_not_inherit_an_alarm_that_a_crash_left(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    await rooms.world.entities.delete(named("t"), expected_revision=1)
    rooms.platform.entities.clear()
    await add_trigger(rooms)
    assert await rooms.world.alarms.earliest(10) == []


async def test_a_namespaces_alarms_go_with_it(rooms: Rooms) -> None:
    for namespace in ("guest", "other"):
        await add_trigger(rooms, namespace=namespace)
        await ask(rooms, "CREATE", by=namespace, **MINUTELY)
    operator = Op(rooms.platform.ids.next(), TOKENS[OPERATOR_TOKEN])
    await tend.delete_namespace(rooms.platform, operator, "other")
    assert [each.trigger.namespace for each in await rooms.world.alarms.earliest(10)] == ["guest"]


async def test_the_key_that_clients_send_is_not_kept_and_every_change_is_on_record(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    await ask(rooms, "READ")
    await ask(rooms, "DELETE")
    intents = [(each.permission, each.target) for each in await rooms.records() if isinstance(each, Intent)]
    assert intents[-3:] == [("trigger:write", "guest/t"), ("trigger:read", "guest/t"), ("trigger:write", "guest/t")]
    assert "secret" not in repr(await rooms.records())


async def test_an_alarm_that_fires_meanwhile_is_changed_all_the_same(rooms: Rooms) -> None:
    await add_trigger(rooms)
    await ask(rooms, "CREATE", **MINUTELY)
    store, replaced = rooms.world.alarms, rooms.world.alarms.replace

    async def fires_first(alarms: Any) -> list[bool]:
        store.replace = replaced  # type: ignore[method-assign]
        found = await store.earliest(1)
        await store.put(found[0])
        return await replaced(alarms)

    store.replace = fires_first  # type: ignore[method-assign]
    assert await ask(rooms, "UPDATE", cron="5 * * * *") == SUCCESS
    assert (await ask(rooms, "READ"))["config"]["cron"] == "5 * * * *"
