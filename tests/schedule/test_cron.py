"""A cron pattern matches when its words say so, also where clocks are set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rambla.domain.errors import BadRequest
from rambla.schedule import cron

BERLIN = "Europe/Berlin"  # forward on 2026-03-29 from 02:00 to 03:00, back on 2026-10-25 from 03:00 to 02:00
Field = tuple[str, Callable[[int], bool]]
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def times(pattern: str, after: str, count: int, timezone: str | None = None) -> list[str]:
    """The next matches in UTC."""
    found, at_ms = [], ms(after)
    for _ in range(count):
        following = cron.next_ms(pattern, timezone, at_ms)
        assert following is not None
        found.append(f"{datetime.fromtimestamp(following / 1000, UTC):%Y-%m-%d %H:%M:%S}")
        at_ms = following
    return found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("* * * * *", "2026-01-01 00:01:00"),
        ("*/30 * * * * *", "2026-01-01 00:00:30"),
        ("0 9 8 * *", "2026-01-08 09:00:00"),
        ("0 0 ? * MON-FRI", "2026-01-02 00:00:00"),
        ("0 0 1 feb,apr ?", "2026-02-01 00:00:00"),
        ("0 0 * * 7", "2026-01-04 00:00:00"),
        ("0 0 L * *", "2026-01-31 00:00:00"),
        ("0 0 13 * 5", "2026-01-02 00:00:00"),
        ("5-15/5 10 * * *", "2026-01-01 10:05:00"),
        ("0 0 29 2 *", "2028-02-29 00:00:00"),
        ("  0 0  * * *\t", "2026-01-02 00:00:00"),
    ],
)
def test_a_pattern_matches_when_it_says(pattern: str, expected: str) -> None:
    cron.check(pattern, None)
    assert times(pattern, "2026-01-01T00:00:00Z", 1) == [expected]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "x",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "1/1/1 * * * *",
        "@daily",
        "? * * * *",
        "0 0 30 2 *",
        "0 0 L/2L * *",
        "* * * * 1#6",
        "\u00b2 * * * *",
        "\0 * * * *",
        "* " * 200,
        5,
        None,
        True,
        ["*"],
    ],
)
def test_what_means_nothing_is_refused(pattern: object) -> None:
    with pytest.raises(BadRequest, match=r"(?s)cron pattern '.*' is not valid"):
        cron.check(pattern, None)


@given(st.text(alphabet="0123456789*?/-,LW#MONJAN ", max_size=40))
@example("L/2 * * * *")
@example("0 0 LW/2,3 * *")
@example("0 0 * * 1L,2#3/2")
def test_whatever_is_asked_is_refused_or_scheduled(pattern: str) -> None:
    try:
        cron.check(pattern, BERLIN)
    except BadRequest:
        return
    found = cron.next_ms(pattern, BERLIN, ms("2026-01-01T00:00:00Z"))
    assert found is None or found > ms("2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "timezone", ["Nowhere/Town", "", "../../etc/passwd", "/etc/localtime", "America", "\0", 1, "x" * 99]
)
def test_a_time_zone_that_is_none_is_refused(timezone: object) -> None:
    with pytest.raises(BadRequest, match=r"Invalid timezone\."):
        cron.check("* * * * *", timezone)


def test_a_time_zone_moves_the_clock() -> None:
    assert times("0 9 * * *", "2026-01-01T00:00:00Z", 1, BERLIN) == ["2026-01-01 08:00:00"]
    assert times("0 9 * * *", "2026-07-01T00:00:00Z", 1, BERLIN) == ["2026-07-01 07:00:00"]


@pytest.mark.parametrize("pattern", ["30 2 * * *", "0 30 2 * * *"])
def test_a_time_that_the_clocks_leap_over_is_the_first_that_exists(pattern: str) -> None:
    assert times(pattern, "2026-03-28T12:00:00Z", 2, BERLIN) == ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]


@pytest.mark.parametrize("pattern", ["30 2 * * *", "0 30 2 * * *"])
def test_a_time_that_comes_twice_counts_the_first_time(pattern: str) -> None:
    assert times(pattern, "2026-10-24T12:00:00Z", 2, BERLIN) == ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]


def test_asked_between_the_two_it_does_not_go_back() -> None:
    assert times("30 2 * * *", "2026-10-25T01:10:00Z", 1, BERLIN) == ["2026-10-26 01:30:00"]


def test_a_pattern_of_intervals_follows_the_time_that_passes() -> None:
    assert times("*/30 * * * *", "2026-03-29T00:30:00Z", 2, BERLIN) == ["2026-03-29 01:00:00", "2026-03-29 01:30:00"]
    assert times("*/30 * * * *", "2026-10-25T00:00:00Z", 4, BERLIN) == [
        "2026-10-25 00:30:00",
        "2026-10-25 01:00:00",
        "2026-10-25 01:30:00",
        "2026-10-25 02:00:00",
    ]


def test_a_pattern_with_seconds_follows_the_clock_on_the_wall() -> None:
    assert times("15 30 2 * * *", "2026-03-28T12:00:00Z", 1, BERLIN) == ["2026-03-30 00:30:15"]
    assert times("15 30 2 * * *", "2026-10-24T12:00:00Z", 2, BERLIN) == ["2026-10-25 00:30:15", "2026-10-25 01:30:15"]


def test_a_pattern_that_never_matches_has_no_next() -> None:
    assert cron.next_ms("0 0 31 2,4 1#5", None, ms("2026-01-01T00:00:00Z")) is not None  # either day field
    assert cron.next_ms("* * */20 * 1L", None, ms("2026-01-01T00:00:00Z")) is None
    assert cron.next_ms("* * * * *", None, ms("9999-12-31T23:59:59Z")) is None


def fields(low: int, high: int) -> st.SearchStrategy[Field]:
    """A field, and which numbers it means, told independently."""
    numbers = st.integers(low, high)
    pairs = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))
    return st.one_of(
        st.just(("*", lambda number: True)),
        st.lists(numbers, min_size=1, max_size=4).map(
            lambda chosen: (",".join(map(str, chosen)), lambda number: number in chosen)
        ),
        pairs.map(lambda pair: (f"{pair[0]}-{pair[1]}", lambda number: pair[0] <= number <= pair[1])),
        st.integers(1, 12).map(lambda step: (f"*/{step}", lambda number: (number - low) % step == 0)),
    )


@given(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), st.integers(0, 10**6))
def test_the_next_match_is_the_first_minute_that_matches_every_field(
    minute: Field, hour: Field, day: Field, month: Field, begin_minutes: int
) -> None:
    pattern = " ".join([minute[0], hour[0], day[0], month[0], "*"])
    begin = BEGIN + timedelta(minutes=begin_minutes)
    found_ms = cron.next_ms(pattern, None, int(begin.timestamp() * 1000))
    assert found_ms is not None
    found = datetime.fromtimestamp(found_ms / 1000, UTC)
    assert matches(found, minute, hour, day, month)
    earlier = begin + timedelta(minutes=1)
    while earlier < found:
        if not (month[1](earlier.month) and day[1](earlier.day)):
            earlier = earlier.replace(hour=0, minute=0) + timedelta(days=1)
        elif not hour[1](earlier.hour):
            earlier = earlier.replace(minute=0) + timedelta(hours=1)
        else:
            assert not matches(earlier, minute, hour, day, month)
            earlier += timedelta(minutes=1)


def matches(moment: datetime, minute: Field, hour: Field, day: Field, month: Field) -> bool:
    return (
        minute[1](moment.minute)
        and hour[1](moment.hour)
        and day[1](moment.day)
        and month[1](moment.month)
        and not moment.second
    )


@given(st.integers(0, 59), st.integers(0, 23), st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe"]))
def test_a_daily_time_comes_once_on_each_day_of_a_year(minute: int, hour: int, timezone: str) -> None:
    at_ms: int | None = ms("2026-01-01T00:00:00Z")
    spans = []
    for _ in range(366):
        assert at_ms is not None
        following = cron.next_ms(f"{minute} {hour} * * *", timezone, at_ms)
        assert following is not None
        spans.append(following - at_ms)
        at_ms = following
    assert all(22 * 3_600_000 <= span <= 26 * 3_600_000 for span in spans[1:])
