"""How do triggers fire when they are due?

An alarm fires as an event does, whose id is made of the trigger and the due time: the journal knows it before the
alarm's next due time is stored, and keeps it in mind until then, so that no crash lets it fire twice or not at all.
After a pause over several due times it fires once, and says so. One whose trigger is gone is switched off; one whose
owner is throttled is tried again later and holds up nobody.
"""

import logging
from contextlib import suppress
from typing import NamedTuple

import anyio
import msgspec

from rambla.domain.access import Caller
from rambla.domain.errors import CallerError, RamblaError, Throttled, Unavailable
from rambla.flow import change
from rambla.flow.fire import FIRE, TAKEN_BYTES_MAX, Cause, Fire, begin, prepare, trigger_of
from rambla.flow.guard import judge
from rambla.flow.platform import Op, Platform
from rambla.flow.read import rules_of
from rambla.flow.resolve import target_of
from rambla.kit.clock import rfc3339
from rambla.schedule.alarm import Alarm, Once, fired, missed, off, postponed

log = logging.getLogger(__name__)
AT_ONCE = 200
LOOK_MS = 2_000
"""At most so long between two looks, so that a clock that was set is noticed."""
PAUSE_S = 1.0
_VANISHED = "Trigger automatically disabled: {reason}"


class Step(NamedTuple):
    """What is to be done about an alarm that is due: begin `fire`, if any, and write it as it is `next`, or if it
    `goes` remove it with its trigger."""

    alarm: Alarm
    next: Alarm
    fire: Fire | None = None
    goes: bool = False


async def keep_time(platform: Platform) -> None:
    """Fire whatever is due, for ever. Raises StorageFailed; then begin again."""
    while True:
        changed = platform.alarms.changed
        try:
            wake_ms = await fire_due(platform)
        except Unavailable:
            log.warning("alarms are late: too much work waits already")
            await anyio.sleep(PAUSE_S)
            continue
        pause_ms = LOOK_MS if wake_ms is None else min(LOOK_MS, max(0, wake_ms - platform.clock.now_ms()))
        with anyio.move_on_after(pause_ms / 1000):
            await changed.wait()


async def fire_due(platform: Platform) -> int | None:
    """Fire all that is due now. When the next one is, or None if there is none.

    Raises Unavailable or StorageFailed; what was not fired then stays due.
    """
    while True:
        now_ms = platform.clock.now_ms()
        alarms = await platform.alarms.earliest(AT_ONCE)
        due = [alarm for alarm in alarms if alarm.wake_ms is not None and alarm.wake_ms <= now_ms]
        if not due:
            return alarms[0].wake_ms if alarms else None
        await _fire_all(platform, due, now_ms)


async def _fire_all(platform: Platform, due: list[Alarm], now_ms: int) -> None:
    """Write the fires in one batch, then the alarms in one: between the two the journal holds their events."""
    async with platform.ledger.intake:
        steps = await _written(platform, due, now_ms)
    for step in steps:
        if step.fire is not None:
            begin(platform, step.fire)
    await platform.alarms.replace([step.next for step in steps if not step.goes])
    for step in steps:
        if step.goes:
            await _remove(platform, step.alarm)
        platform.ledger.pending.let_go(step.alarm.event_id)


async def _written(platform: Platform, due: list[Alarm], now_ms: int) -> list[Step]:
    pending = platform.ledger.pending
    steps: list[Step] = []
    fresh: list[str] = []
    size = 0
    try:
        for alarm in due:
            steps.append(await _step(platform, alarm, now_ms, fresh))
            prepared = steps[-1].fire
            size += prepared.size if prepared else 0
            if size > TAKEN_BYTES_MAX:
                break
        if records := [record for step in steps if step.fire for record in step.fire.records]:
            await platform.ledger.write(*records)
    except BaseException:
        for event_id in fresh:
            pending.forget_event(event_id)
            pending.let_go(event_id)
        raise
    return steps


async def _step(platform: Platform, alarm: Alarm, now_ms: int, fresh: list[str]) -> Step:
    """Raises Unavailable or StorageFailed."""
    pending = platform.ledger.pending
    goes = isinstance(alarm.schedule, Once) and alarm.schedule.deletes
    if not pending.saw_event(alarm.event_id):
        return Step(alarm, fired(alarm, now_ms), goes=goes)  # it fired before a crash, and only that was not stored
    fresh.append(alarm.event_id)
    pending.hold_event(alarm.event_id)
    try:
        return Step(alarm, fired(alarm, now_ms), await _fire(platform, alarm, now_ms), goes)
    except Throttled:
        following = postponed(alarm, now_ms)
    except RamblaError as error:
        if error.fault != "caller":
            raise
        following = off(alarm, now_ms, _VANISHED.format(reason=error), status_code=404)
    pending.forget_event(alarm.event_id)
    pending.let_go(alarm.event_id)
    fresh.remove(alarm.event_id)
    if following.reason is not None:
        log.warning("the alarm of %s is off: %s", alarm.trigger, following.reason.message)
    return Step(alarm, following)


async def _fire(platform: Platform, alarm: Alarm, now_ms: int) -> Fire | None:
    """The fire of an alarm that is due, or None if no rule is active. Raises what `fire` raises."""
    assert alarm.due_ms is not None
    op = _owner(platform, alarm)
    judged = await judge(platform, op, FIRE, target_of(alarm.trigger))
    trigger = await trigger_of(platform, alarm.trigger)
    payload = msgspec.json.encode(alarm.payload)
    platform.dispatcher.check_room(len(payload))
    limits = await platform.keys.namespace(alarm.trigger.namespace)
    platform.dispatcher.throttle.admit(alarm.trigger.namespace, FIRE, per_minute=limits.fires_per_minute)
    late = missed(alarm, now_ms)
    if late:
        log.warning("the alarm of %s was due since %s and fires once", alarm.trigger, rfc3339(alarm.due_ms))
    cause = Cause(
        op=op,
        judged=judged,
        permission=FIRE,
        replay="always",
        event_id=alarm.event_id,
        annotations={"due": rfc3339(alarm.due_ms), "missed": late},
    )
    return await prepare(platform, cause, trigger, payload)


async def _remove(platform: Platform, alarm: Alarm) -> None:
    """A trigger that was wanted once goes, after its rules if that was said; its alarm goes last.

    Raises StorageFailed; the alarm then stays due, and comes here again without firing.
    """
    op, name = _owner(platform, alarm), alarm.trigger
    if isinstance(alarm.schedule, Once) and alarm.schedule.delete_after_fire == "rules":
        for rule in await rules_of(platform, name):
            with suppress(CallerError):
                await change.delete_rule(platform, op, rule.name)
    try:
        await change.delete_trigger(platform, op, name)
    except CallerError as error:
        log.warning("the trigger %s was to go after it fired: %s", name, error)
        await platform.alarms.delete(name)


def _owner(platform: Platform, alarm: Alarm) -> Op:
    """Whoever owns the trigger set the alarm; the platform acts for them."""
    namespace = alarm.trigger.namespace
    return Op(platform.ids.next(), Caller(subject=namespace, namespace=namespace, source="platform"))
