"""What do the parameters of an alarm's feed ask for?

The checks, their order and their texts are those of OpenWhisk's alarms (openwhisk-package-alarms,
action/alarmWebAction.js), and so is what counts as missing: whatever JavaScript takes for false. Pure.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec.structs import replace

from rambla.domain.errors import BadRequest
from rambla.schedule import cron, dates
from rambla.schedule.alarm import Cron, Interval, Once, Schedule, next_due_ms

Kind = Literal["alarm", "once", "interval"]
Parameters = Mapping[str, Any]
FIRST_INTERVAL_MS = 30_000
DELETE_AFTER_FIRE = ("false", "true", "rules")
TOO_LATE = "the first scheduled trigger fire is not until after the stop date"
_MISSING = {
    "alarm": ("cron", "alarms trigger feed is missing the cron parameter"),
    "once": ("date", "alarms once trigger feed is missing the date parameter"),
    "interval": ("minutes", "interval trigger feed is missing the minutes parameter"),
}


def created(kind: Kind, given: Parameters, now_ms: int) -> Schedule:
    """The schedule of a new alarm. Raises BadRequest."""
    key, missing = _MISSING[kind]
    if not given.get(key):
        raise BadRequest(detail=missing)
    if kind == "once":
        return Once(date=dates.check(given["date"], "date", now_ms), delete_after_fire=_delete_after_fire(given))
    return _will_fire(_cron(given, now_ms) if kind == "alarm" else _interval(given, now_ms), now_ms)


def updated(old: Schedule, given: Parameters, now_ms: int) -> Schedule:
    """`old` with what `given` changes of it; `old` itself if nothing. Raises BadRequest."""
    if isinstance(old, Once):
        date = dates.check(given["date"], "date", now_ms) if given.get("date") else old.date
        return replace(old, date=date, delete_after_fire=_delete_after_fire(given) or old.delete_after_fire)
    new = replace(old, minutes=_minutes(given)) if isinstance(old, Interval) and given.get("minutes") else old
    if isinstance(new, Cron):
        pattern, timezone = given.get("cron") or new.pattern, given.get("timezone") or new.timezone
        cron.check(pattern, timezone)
        new = replace(new, pattern=pattern, timezone=timezone, strict=given.get("strict", new.strict))
    if given.get("startDate"):
        new = replace(new, start=dates.check(given["startDate"], "startDate", now_ms))
    if given.get("stopDate"):
        new = replace(new, stop=dates.check(given["stopDate"], "stopDate", now_ms, new.start))
    elif given.get("startDate") and new.stop is not None and new.start is not None:
        _check_before(new.start, new.stop)
    return new if new == old else _will_fire(new, now_ms)


def payload(given: Parameters) -> dict[str, Any]:
    """What the trigger is fired with; a string becomes an object's `payload`."""
    wish = given.get("trigger_payload")
    if isinstance(wish, str):
        return {"payload": wish}
    return wish if isinstance(wish, dict) else {}


def _cron(given: Parameters, now_ms: int) -> Cron:
    timezone = given.get("timezone") or None
    cron.check(given["cron"], timezone)
    start = dates.check(given["startDate"], "startDate", now_ms) if given.get("startDate") else None
    if given.get("maxTriggers") and given.get("stopDate"):
        raise BadRequest(detail="maxTriggers is not allowed when the stopDate parameter is specified")
    stop = dates.check(given["stopDate"], "stopDate", now_ms, start) if given.get("stopDate") else None
    return Cron(
        pattern=given["cron"],
        timezone=timezone,
        strict=given.get("strict"),
        start=start,
        stop=stop,
        fires_max=_fires_max(given),
    )


def _interval(given: Parameters, now_ms: int) -> Interval:
    minutes = _minutes(given)
    start: dates.Date = now_ms + FIRST_INTERVAL_MS
    if given.get("startDate"):
        start = dates.check(given["startDate"], "startDate", now_ms)
    if given.get("maxTriggers") and given.get("stopDate"):
        raise BadRequest(detail="maxTriggers is not supported for the interval trigger feed")
    stop = dates.check(given["stopDate"], "stopDate", now_ms, start) if given.get("stopDate") else None
    return Interval(minutes=minutes, start=start, stop=stop)


def _will_fire(schedule: Schedule, now_ms: int) -> Schedule:
    if next_due_ms(schedule, now_ms) is None:
        raise BadRequest(detail=TOO_LATE)
    return schedule


def _minutes(given: Parameters) -> int:
    minutes = _integer(given["minutes"])
    if minutes is None:
        raise BadRequest(detail="the minutes parameter must be an integer")
    if minutes <= 0:
        raise BadRequest(detail="the minutes parameter must be an integer greater than zero")
    return minutes


def _fires_max(given: Parameters) -> int | None:
    if not given.get("maxTriggers") or given["maxTriggers"] == -1:
        return None
    number = _integer(given["maxTriggers"])
    if number is None or number <= 0:
        raise BadRequest(detail="the maxTriggers parameter must be an integer greater than zero")
    return number


def _integer(value: object) -> int | None:
    """`value` as a whole number of at most 64 bits, if it is one, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    whole = isinstance(value, str) or number == value
    return number if whole and abs(number) < 2**63 else None


def _delete_after_fire(given: Parameters) -> str | None:
    wish = given.get("deleteAfterFire")
    if not wish:
        return None
    text = str(wish).strip().lower()
    if text not in DELETE_AFTER_FIRE:
        raise BadRequest(detail="deleteAfterFire parameter must be one of [false, true, rules].")
    return text


def _check_before(start: dates.Date, stop: dates.Date) -> None:
    if dates.to_ms(start) >= dates.to_ms(stop):
        text = f"startDate parameter '{start}' must be less than the stopDate parameter '{stop}'"
        raise BadRequest(detail=text)
