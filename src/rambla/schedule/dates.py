"""Which moment does a date mean?

As OpenWhisk's alarms take them: an integer is milliseconds since the epoch, a string is ISO 8601, in UTC unless it says
otherwise. Pure.
"""

from datetime import UTC, datetime

from rambla.domain.errors import BadRequest

Date = int | float | str
LAST_MS = 253_402_300_799_999
"""The end of the year 9999."""
_TEXT_CHARS_MAX = 64


def to_ms(date: object) -> int:
    """Raises ValueError for what is no date."""
    if isinstance(date, bool) or not isinstance(date, Date):
        raise ValueError(date)
    if isinstance(date, str):
        return _of_text(date)
    if not 0 <= date <= LAST_MS:
        raise ValueError(date)
    return int(date)


def check(date: object, name: str, now_ms: int, start: Date | None = None) -> Date:
    """`date` itself. Raises BadRequest with OpenWhisk's text unless it is in the future and after `start`."""
    shown = str(date)[:_TEXT_CHARS_MAX]
    try:
        at_ms = to_ms(date)
    except ValueError as error:
        raise BadRequest(detail=f"{name} parameter '{shown}' is not a valid Date") from error
    if at_ms <= now_ms:
        raise BadRequest(detail=f"{name} parameter '{shown}' must be in the future")
    if start is not None and at_ms <= to_ms(start):
        text = f"{name} parameter '{shown}' must be greater than the startDate parameter '{start}'"
        raise BadRequest(detail=text)
    assert isinstance(date, Date)
    return date


def _of_text(text: str) -> int:
    if len(text) > _TEXT_CHARS_MAX:
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)
