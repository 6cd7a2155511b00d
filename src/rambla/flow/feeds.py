"""What do the feeds of alarms do when a trigger's owner asks them to?

OpenWhisk's clients make a trigger and then invoke its feed with a `lifecycleEvent`, as its owner: to create, read,
change, pause or delete the alarm that will fire it. Answers and refusals have the shapes of OpenWhisk's own alarms. The
key that clients send along is not needed, and not kept: whoever asks is known already.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from rambla.domain.entities import Trigger
from rambla.domain.errors import BadRequest, CallerError, ConcurrentChange
from rambla.domain.names import FullName, parse_full_name
from rambla.flow.fire import FIRE
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Builtin, Op, Platform
from rambla.flow.resolve import target_of
from rambla.kit.clock import rfc3339
from rambla.schedule import wishes
from rambla.schedule.alarm import Alarm, Cron, Interval, Once, off, scheduled

Answer = dict[str, Any]
SUCCESS: Answer = {"status": "success"}
PAUSED = "Paused by its owner"
TRIES_MAX = 10


class Ask(NamedTuple):
    """What a feed is asked: about the alarm of `trigger`, which lies in the caller's own namespace."""

    kind: wishes.Kind
    trigger: FullName
    given: Mapping[str, Any]


def feed(kind: wishes.Kind) -> Builtin:
    """The builtin action that is the feed of alarms of that kind."""

    async def run(platform: Platform, op: Op, arguments: Answer) -> Answer:
        event = LIFECYCLE.get(str(arguments.get("lifecycleEvent")))
        if event is None:
            return {"error": "unsupported lifecycleEvent"}
        try:
            return await _ask(platform, op, event, Ask(kind, _own(op, arguments), arguments))
        except CallerError as error:
            return {"error": {"error": str(error)}}

    return run


async def _ask(platform: Platform, op: Op, event: "Event", ask: Ask) -> Answer:
    target = target_of(ask.trigger)
    await judge(platform, op, FIRE, target)
    permission = "trigger:read" if event is _read else "trigger:write"
    async with guarded(platform, op, permission, target):
        there = isinstance(await platform.entities.get(ask.trigger), Trigger)
        if not there and event is not _delete:
            raise BadRequest(detail="Trigger authentication request failed.")
        return await event(platform, ask)


async def _create(platform: Platform, ask: Ask) -> Answer:
    now_ms = platform.clock.now_ms()
    schedule = wishes.created(ask.kind, ask.given, now_ms)
    alarm = Alarm(trigger=ask.trigger, schedule=schedule, payload=wishes.payload(ask.given))
    await platform.alarms.put(scheduled(alarm, now_ms))
    return SUCCESS


async def _read(platform: Platform, ask: Ask) -> Answer:
    return _shown(await _alarm(platform, ask.trigger))


async def _update(platform: Platform, ask: Ask) -> Answer:
    def change(alarm: Alarm, now_ms: int) -> Alarm:
        schedule = wishes.updated(alarm.schedule, ask.given, now_ms)
        payload = wishes.payload(ask.given) if ask.given.get("trigger_payload") else alarm.payload
        if (schedule, payload) == (alarm.schedule, alarm.payload):
            raise BadRequest(detail="no updatable parameters were specified")
        return scheduled(replace(alarm, schedule=schedule, payload=payload), now_ms)

    return await _change(platform, ask.trigger, change)


async def _pause(platform: Platform, ask: Ask) -> Answer:
    return await _change(platform, ask.trigger, lambda alarm, now_ms: off(alarm, now_ms, PAUSED, kind="USER"))


async def _unpause(platform: Platform, ask: Ask) -> Answer:
    def change(alarm: Alarm, now_ms: int) -> Alarm:
        again = scheduled(alarm, now_ms)
        if again.due_ms is None:
            raise BadRequest(detail="there is no scheduled trigger fire any more")
        return again

    return await _change(platform, ask.trigger, change)


async def _delete(platform: Platform, ask: Ask) -> Answer:
    if not await platform.alarms.delete(ask.trigger):
        raise _no_alarm(ask.trigger)
    return SUCCESS


Event = Callable[[Platform, Ask], Awaitable[Answer]]
LIFECYCLE: Mapping[str, Event] = {
    "CREATE": _create,
    "READ": _read,
    "UPDATE": _update,
    "PAUSE": _pause,
    "UNPAUSE": _unpause,
    "DELETE": _delete,
}
FEEDS: Mapping[str, Builtin] = {
    "alarms/alarm": feed("alarm"),
    "alarms/once": feed("once"),
    "alarms/interval": feed("interval"),
}


def _own(op: Op, arguments: Mapping[str, Any]) -> FullName:
    """The trigger that is asked about. Raises BadRequest if none is named, or somebody else's."""
    text = arguments.get("triggerName")
    if not isinstance(text, str) or not text:
        raise BadRequest(detail="no trigger name parameter was provided")
    name = parse_full_name(text, op.caller.namespace)
    if name.namespace != op.caller.namespace or name.package:
        raise BadRequest(detail="Trigger authentication request failed.")
    return name


async def _alarm(platform: Platform, trigger: FullName) -> Alarm:
    alarm = await platform.alarms.get(trigger)
    if alarm is None:
        raise _no_alarm(trigger)
    return alarm


async def _change(platform: Platform, trigger: FullName, change: Callable[[Alarm, int], Alarm]) -> Answer:
    """Change the alarm, again if it fired meanwhile."""
    for _ in range(TRIES_MAX):
        changed = change(await _alarm(platform, trigger), platform.clock.now_ms())
        if (await platform.alarms.replace([changed])) == [True]:
            return SUCCESS
    raise ConcurrentChange()


def _no_alarm(trigger: FullName) -> BadRequest:
    return BadRequest(detail=f"could not find trigger /{trigger} in the database")


def _shown(alarm: Alarm) -> Answer:
    """As OpenWhisk's alarms show themselves; what was not given is left out."""
    config = {
        "name": alarm.trigger.name,
        "namespace": alarm.trigger.namespace,
        "payload": alarm.payload,
        "strict": False,
        **_schedule(alarm),
    }
    status = {
        "active": alarm.due_ms is not None,
        "dateChanged": alarm.changed_ms,
        "dateChangedISO": f"{rfc3339(alarm.changed_ms)[:-5]}Z",
        "reason": msgspec.to_builtins(alarm.reason),
    }
    return {"config": _given(config), "status": _given(status)}


def _schedule(alarm: Alarm) -> dict[str, Any]:
    schedule = alarm.schedule
    if isinstance(schedule, Once):
        return {"date": schedule.date, "deleteAfterFire": schedule.delete_after_fire}
    dates = {"startDate": schedule.start, "stopDate": schedule.stop}
    if isinstance(schedule, Interval):
        return {**dates, "minutes": schedule.minutes}
    return {**dates, **_cron(schedule)}


def _cron(schedule: Cron) -> dict[str, Any]:
    strict = {} if schedule.strict is None else {"strict": schedule.strict}
    return {"cron": schedule.pattern, "timezone": schedule.timezone, **strict}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
