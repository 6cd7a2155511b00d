"""When does a cron pattern match next?

Five fields (minute, hour, day of month, month, day of week) or six with seconds first: `*`, `?`, ranges, steps, lists,
names, `L`, `#`. As in Debian's cron, days match if either day field does, or both if one begins with `*`.

On the day that clocks go forward, a time that does not exist is the first one that does; when they go back, a time that
comes twice counts the first time only. Both hold for patterns that name minute and hour and no seconds but 0; every
other pattern (`*/5 * * * *`) follows the time that passes, in both hours.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from rambla.domain.errors import BadRequest

PATTERN_CHARS_MAX = 256
TIMEZONE_CHARS_MAX = 64
_DAY_FIELDS = (-3, -1)


def check(pattern: object, timezone: object) -> None:
    """Raises BadRequest with OpenWhisk's text for a pattern, or a time zone, that means nothing."""
    zone = _zone(timezone)
    try:
        CronSim(_plain(pattern), datetime.fromtimestamp(0, zone))
    except (CronSimError, AssertionError) as error:
        raise BadRequest(detail=f"cron pattern '{str(pattern)[:PATTERN_CHARS_MAX]}' is not valid") from error


def next_ms(pattern: str, timezone: str | None, after_ms: int) -> int | None:
    """The first match later than `after_ms`; None if there is none in the next 50 years."""
    begin = datetime.fromtimestamp(after_ms // 1000, _zone(timezone))
    try:
        for moment in CronSim(_plain(pattern), begin):
            # The first of two equal times on the clock may have passed already.
            if (found_ms := int(moment.timestamp()) * 1000) > after_ms:
                return found_ms
    except OverflowError:  # the year 9999 has ended
        return None
    return None


def _plain(pattern: object) -> str:
    """In the words of the library. Raises CronSimError."""
    if not isinstance(pattern, str) or len(pattern) > PATTERN_CHARS_MAX:
        raise CronSimError
    fields = pattern.split()
    if len(fields) not in (5, 6):
        raise CronSimError
    for place in _DAY_FIELDS:
        fields[place] = "*" if fields[place] == "?" else fields[place]
    return " ".join(fields[1:] if len(fields) == 6 and fields[0] == "0" else fields)


def _zone(timezone: object) -> tzinfo:
    if timezone is None:
        return UTC
    try:
        if not isinstance(timezone, str) or not 0 < len(timezone) <= TIMEZONE_CHARS_MAX:
            raise ValueError
        return ZoneInfo(timezone)
    except (ValueError, KeyError, OSError) as error:
        raise BadRequest(detail="Invalid timezone.") from error
