from hypothesis import given
from hypothesis import strategies as st

from rambla.dispatch.growth import worth_starting

small = st.integers(0, 50)
ms = st.floats(0.01, 10_000)


@given(waiting=small, busy=small, starting=small, run_ms=ms, cold_ms=ms)
def test_nothing_is_started_for_nobody(waiting: int, busy: int, starting: int, run_ms: float, cold_ms: float) -> None:
    started = worth_starting(
        waiting=min(waiting, starting), busy=busy, starting=starting, run_ms=run_ms, cold_ms=cold_ms
    )
    assert not started


@given(waiting=st.integers(1, 50), run_ms=ms, cold_ms=ms)
def test_the_first_call_always_gets_a_sandbox(waiting: int, run_ms: float, cold_ms: float) -> None:
    assert worth_starting(waiting=waiting, busy=0, starting=0, run_ms=run_ms, cold_ms=cold_ms)


def test_fast_actions_share_and_slow_ones_do_not() -> None:
    assert not worth_starting(waiting=4, busy=2, starting=0, run_ms=1, cold_ms=10)
    assert worth_starting(waiting=4, busy=2, starting=0, run_ms=100, cold_ms=10)


@given(waiting=small, busy=st.integers(1, 50), run_ms=ms, cold_ms=ms)
def test_longer_queues_never_want_fewer(waiting: int, busy: int, run_ms: float, cold_ms: float) -> None:
    few = worth_starting(waiting=waiting, busy=busy, starting=0, run_ms=run_ms, cold_ms=cold_ms)
    more = worth_starting(waiting=waiting + 1, busy=busy, starting=0, run_ms=run_ms, cold_ms=cold_ms)
    assert more or not few
