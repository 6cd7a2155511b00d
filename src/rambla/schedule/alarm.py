"""What is an alarm, and what becomes of it?

An alarm belongs to one trigger. It is due at a time that was fixed when the one before was over, and looked at from
`wake_ms` on, which is later than that only while its owner is throttled. Pure: times come as arguments.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from rambla.domain.names import FullName
from rambla.schedule import cron
from rambla.schedule.dates import LAST_MS, Date, to_ms

MINUTE_MS = 60_000
ATTEMPTS_MAX = 10
FIRED_ONCE = "Automatically disabled after firing once"
LAST_FIRED = "Automatically disabled after firing last scheduled {kind} trigger"
MAX_REACHED = "Automatically disabled after reaching max triggers"
THROTTLED = "Automatically disabled after continuously receiving a 429 status code when firing the trigger"


class Cron(msgspec.Struct, frozen=True, kw_only=True, tag="cron"):
    pattern: str
    timezone: str | None = None
    strict: Any = None
    start: Date | None = None
    stop: Date | None = None
    fires_max: int | None = None


class Interval(msgspec.Struct, frozen=True, kw_only=True, tag="interval"):
    """Due at `start` for the first time."""

    minutes: int
    start: Date
    stop: Date | None = None


class Once(msgspec.Struct, frozen=True, kw_only=True, tag="once"):
    """`delete_after_fire`: "true" takes the trigger with it, "rules" its rules too."""

    date: Date
    delete_after_fire: str | None = None

    @property
    def deletes(self) -> bool:
        return self.delete_after_fire in ("true", "rules")


Schedule = Cron | Interval | Once


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Why an alarm is off: `AUTO` if the platform switched it off, `USER` if its owner did."""

    kind: str
    status_code: int | None = None
    message: str


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """`due_ms` is None while it is off. `fires` counts what it fired since it was last changed by its owner.

    The store gives it a `revision` that none before had.
    """

    trigger: FullName
    schedule: Schedule
    payload: dict[str, Any] = {}
    due_ms: int | None = None
    wake_ms: int | None = None
    fires: int = 0
    attempts: int = 0
    changed_ms: int = 0
    reason: Reason | None = None
    revision: int = 0

    @property
    def event_id(self) -> str:
        """What a fire is known by, however often it is tried."""
        return f"alarm {self.trigger} {self.due_ms}"


def next_due_ms(schedule: Schedule, after_ms: int) -> int | None:
    """The first time later than `after_ms` at which it is due, or None."""
    if isinstance(schedule, Once):
        at_ms = to_ms(schedule.date)
        return at_ms if at_ms > after_ms else None
    found: int | None
    if isinstance(schedule, Interval):
        found = _next_interval_ms(schedule, after_ms)
    else:
        begin_ms = after_ms if schedule.start is None else max(after_ms, to_ms(schedule.start) - 1)
        found = cron.next_ms(schedule.pattern, schedule.timezone, begin_ms)
    last_ms = LAST_MS if schedule.stop is None else to_ms(schedule.stop)
    return found if found is not None and found <= last_ms else None


def scheduled(alarm: Alarm, now_ms: int) -> Alarm:
    """As it begins, or begins again: on, unless its schedule has no more to come, which `due_ms` then says."""
    due_ms = next_due_ms(alarm.schedule, now_ms)
    return replace(alarm, due_ms=due_ms, wake_ms=due_ms, fires=0, attempts=0, changed_ms=now_ms, reason=None)


def fired(alarm: Alarm, now_ms: int) -> Alarm:
    """As it is after it fired: due again later than now, or off, as nothing more is to come."""
    assert alarm.due_ms is not None
    fires, schedule = alarm.fires + 1, alarm.schedule
    if isinstance(schedule, Once):
        return off(alarm, now_ms, FIRED_ONCE)
    if isinstance(schedule, Cron) and schedule.fires_max is not None and fires >= schedule.fires_max:
        return off(alarm, now_ms, MAX_REACHED)
    due_ms = next_due_ms(schedule, max(now_ms, alarm.due_ms))
    if due_ms is None:
        kind = "interval" if isinstance(schedule, Interval) else "cron"
        return off(alarm, now_ms, LAST_FIRED.format(kind=kind))
    return replace(alarm, due_ms=due_ms, wake_ms=due_ms, fires=fires, attempts=0)


def missed(alarm: Alarm, now_ms: int) -> bool:
    """Whether it was due again, and perhaps again, since it was due: that fires once."""
    assert alarm.due_ms is not None
    following = next_due_ms(alarm.schedule, alarm.due_ms)
    return following is not None and following <= now_ms


def postponed(alarm: Alarm, now_ms: int) -> Alarm:
    """Its owner is throttled: looked at again in the next minute, and off after ATTEMPTS_MAX of them."""
    if alarm.attempts + 1 >= ATTEMPTS_MAX:
        return off(alarm, now_ms, THROTTLED, status_code=429)
    return replace(alarm, wake_ms=(now_ms // MINUTE_MS + 1) * MINUTE_MS, attempts=alarm.attempts + 1)


def off(alarm: Alarm, now_ms: int, message: str, *, kind: str = "AUTO", status_code: int | None = None) -> Alarm:
    reason = Reason(kind=kind, message=message, status_code=status_code)
    return replace(alarm, due_ms=None, wake_ms=None, attempts=0, changed_ms=now_ms, reason=reason)


def _next_interval_ms(schedule: Interval, after_ms: int) -> int:
    start_ms, step_ms = to_ms(schedule.start), schedule.minutes * MINUTE_MS
    return start_ms if after_ms < start_ms else start_ms + ((after_ms - start_ms) // step_ms + 1) * step_ms
