"""An alarm is due when its schedule says, ends when it must, and fires once after a pause."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rambla.domain.names import FullName
from rambla.schedule import alarm as alarms
from rambla.schedule.alarm import (
    Alarm,
    Cron,
    Interval,
    Once,
    Schedule,
    fired,
    missed,
    next_due_ms,
    postponed,
    scheduled,
)

NOW = 1_700_000_000_000
MINUTE = 60_000


def alarm(schedule: Schedule) -> Alarm:
    return scheduled(Alarm(trigger=FullName("guest", "", "t"), schedule=schedule), NOW)


def test_an_interval_is_due_at_its_start_and_then_every_so_many_minutes() -> None:
    schedule = Interval(minutes=5, start=NOW + 10)
    assert next_due_ms(schedule, NOW) == NOW + 10
    assert next_due_ms(schedule, NOW + 10) == NOW + 10 + 5 * MINUTE


@given(st.integers(1, 10_000), st.integers(0, 10**10))
def test_the_next_interval_is_the_first_one_later(minutes: int, later_ms: int) -> None:
    due_ms = next_due_ms(Interval(minutes=minutes, start=NOW), NOW + later_ms)
    assert due_ms is not None
    assert 0 < due_ms - NOW - later_ms <= minutes * MINUTE
    assert (due_ms - NOW) % (minutes * MINUTE) == 0


def test_nothing_is_due_after_the_stop_but_at_it() -> None:
    schedule = Interval(minutes=1, start=NOW, stop=NOW + MINUTE)
    assert next_due_ms(schedule, NOW) == NOW + MINUTE
    assert next_due_ms(schedule, NOW + MINUTE) is None


def test_a_cron_alarm_begins_at_its_start_inclusive() -> None:
    start = NOW - NOW % MINUTE + 10 * MINUTE
    assert next_due_ms(Cron(pattern="* * * * *", start=start), NOW) == start


def test_a_date_is_due_once_and_then_off() -> None:
    due = alarm(Once(date=NOW + 5))
    assert due.due_ms == due.wake_ms == NOW + 5
    ended = fired(due, NOW + 6)
    assert (ended.due_ms, ended.wake_ms) == (None, None)
    assert ended.reason is not None
    assert ended.reason.message == alarms.FIRED_ONCE
    assert not missed(due, NOW + 10**9)


def test_what_was_due_many_times_is_due_next_in_the_future_and_said_to_be_missed() -> None:
    due = alarm(Interval(minutes=1, start=NOW + MINUTE))
    assert due.due_ms is not None
    assert not missed(due, due.due_ms + MINUTE - 1)
    assert missed(due, due.due_ms + MINUTE)
    after = fired(due, due.due_ms + 100 * MINUTE)
    assert after.due_ms == due.due_ms + 101 * MINUTE
    assert after.event_id != due.event_id


def test_it_never_becomes_due_again_at_a_time_it_fired_for_though_the_clock_stepped_back() -> None:
    due = alarm(Cron(pattern="* * * * *"))
    assert due.due_ms is not None
    assert fired(due, due.due_ms - 10 * MINUTE).due_ms == due.due_ms + MINUTE


def test_the_last_ones_say_why_they_are_the_last() -> None:
    for schedule, text in (
        (Cron(pattern="* * * * *", fires_max=1), "Automatically disabled after reaching max triggers"),
        (
            Cron(pattern="* * * * *", stop=NOW + MINUTE),
            "Automatically disabled after firing last scheduled cron trigger",
        ),
        (
            Interval(minutes=1, start=NOW + 1, stop=NOW + 2),
            "Automatically disabled after firing last scheduled interval trigger",
        ),
    ):
        ended = fired(alarm(schedule), NOW + MINUTE)
        assert ended.reason is not None
        assert (ended.wake_ms, ended.reason.kind, ended.reason.message) == (None, "AUTO", text)


def test_a_throttled_one_is_looked_at_in_the_next_minute_and_keeps_its_due_time() -> None:
    due = alarm(Cron(pattern="* * * * *"))
    later = postponed(due, NOW)
    assert (later.due_ms, later.wake_ms) == (due.due_ms, (NOW // MINUTE + 1) * MINUTE)
    ended = postponed(replace(due, attempts=alarms.ATTEMPTS_MAX - 1), NOW)
    assert ended.wake_ms is None
    assert ended.reason is not None
    assert ended.reason.status_code == 429
