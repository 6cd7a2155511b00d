"""Ids sort by the time they were made, whatever the clock does; clocks and times say what they promise."""

import re
import threading

from hypothesis import given
from hypothesis import strategies as st

from rambla.kit.clock import ManualClock, SystemClock, rfc3339
from rambla.kit.ids import IdSource


@given(st.lists(st.integers(-100_000, 100_000), max_size=50))
def test_ids_are_strictly_increasing_even_if_the_clock_steps_back(steps: list[int]) -> None:
    clock = ManualClock()
    source = IdSource(clock)
    made = [source.next()]
    for step in steps:
        clock.ms += step
        made.append(source.next())
    assert made == sorted(set(made))
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in made)


def test_two_sources_in_the_same_millisecond_make_different_ids() -> None:
    clock = ManualClock()
    assert IdSource(clock).next() != IdSource(clock).next()


def test_threads_never_get_the_same_order() -> None:
    source = IdSource(ManualClock())
    made: list[str] = []

    def work() -> None:
        made.extend(source.next() for _ in range(2000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each[:18] for each in made}) == 8000


def test_a_manual_clock_moves_both_times_by_hand_only() -> None:
    clock = ManualClock(ms=1000)
    before = clock.monotonic_ns()
    clock.advance(7)
    assert clock.now_ms() == 1007
    assert clock.monotonic_ns() - before == 7_000_000


def test_the_system_clock_counts_milliseconds_since_1970_and_never_steps_back() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.monotonic_ns() <= clock.monotonic_ns()


def test_rfc3339_is_utc_with_milliseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_795_352_400_123) == "2026-11-22T13:00:00.123Z"
