import pytest

from rambla.dispatch.throttle import Throttle
from rambla.domain.errors import Throttled, TooManyConcurrent
from rambla.kit.clock import ManualClock


def test_a_minute_allows_exactly_its_number_and_the_next_minute_begins_anew() -> None:
    clock = ManualClock(ms=60_000 * 1000)
    throttle = Throttle(clock)
    for _ in range(3):
        throttle.admit("guest", "invocations", per_minute=3)
    with pytest.raises(Throttled, match=r"Too many requests in the last minute \(count: 4, allowed: 3\)\."):
        throttle.admit("guest", "invocations", per_minute=3)
    throttle.admit("other", "invocations", per_minute=3)
    clock.advance(60_000)
    throttle.admit("guest", "invocations", per_minute=3)


def test_those_in_flight_count_across_minutes_until_they_leave() -> None:
    clock = ManualClock(ms=60_000 * 1000)
    throttle = Throttle(clock)
    throttle.admit("guest", "invocations", per_minute=9, concurrent=1)
    clock.advance(120_000)
    with pytest.raises(TooManyConcurrent, match=r"in flight \(count: 1, allowed: 1\)"):
        throttle.admit("guest", "invocations", per_minute=9, concurrent=1)
    throttle.leave("guest", "invocations")
    throttle.admit("guest", "invocations", per_minute=9, concurrent=1)
    assert throttle.in_flight() == 1


def test_a_refusal_takes_nothing() -> None:
    throttle = Throttle(ManualClock(ms=60_000 * 1000))
    throttle.admit("guest", "b", per_minute=2, concurrent=1)
    for _ in range(5):
        with pytest.raises(TooManyConcurrent):
            throttle.admit("guest", "b", per_minute=2, concurrent=1)
    throttle.leave("guest", "b")
    throttle.admit("guest", "b", per_minute=2, concurrent=1)


def test_a_limit_of_zero_always_refuses() -> None:
    with pytest.raises(Throttled):
        Throttle(ManualClock()).admit("guest", "invocations", per_minute=0)
