"""A token bucket, by a clock that is moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.errors import RateLimited
from rambla.gateway.api import RateLimit
from rambla.gateway.limiter import BUCKETS_MAX, Bucket, Limiter
from rambla.kit.clock import ManualClock

BUCKET = Bucket("guest", "/base", "GET", "/path", "")


def taken(limiter: Limiter, limit: RateLimit, bucket: Bucket = BUCKET) -> int | None:
    """None if it was let in, else after how many seconds the next is."""
    try:
        limiter.take(bucket, limit)
    except RateLimited as error:
        seconds = error.facts["retry_after_s"]
        assert isinstance(seconds, int)
        return seconds
    return None


def test_so_many_are_let_in_and_then_one_as_often_as_the_rate_says() -> None:
    clock, limit = ManualClock(), RateLimit(3, 60_000)
    limiter = Limiter(clock)
    assert [taken(limiter, limit) for _ in range(5)] == [None, None, None, 20, 20]
    clock.advance(19_999)
    assert taken(limiter, limit) == 1
    clock.advance(1)
    assert [taken(limiter, limit) for _ in range(2)] == [None, 20]
    clock.advance(10**9)
    assert [taken(limiter, limit) for _ in range(4)] == [None, None, None, 20]


def test_buckets_do_not_know_each_other() -> None:
    limiter, limit = Limiter(ManualClock()), RateLimit(1, 1000)
    for field in Bucket._fields:
        assert taken(limiter, limit, BUCKET._replace(**{field: "other"})) is None
    assert [taken(limiter, limit) for _ in range(2)] == [None, 1]


def test_a_limit_that_became_narrower_counts_at_once() -> None:
    limiter = Limiter(ManualClock())
    assert taken(limiter, RateLimit(100, 60_000)) is None
    assert [taken(limiter, RateLimit(2, 60_000)) for _ in range(3)] == [None, None, 30]


def test_no_more_than_so_many_buckets_are_remembered() -> None:
    limiter, limit = Limiter(ManualClock()), RateLimit(1, 60_000)
    for number in range(BUCKETS_MAX + 1):
        limiter.take(BUCKET._replace(key=str(number)), limit)
    assert taken(limiter, limit, BUCKET._replace(key="0")) is None
    assert taken(limiter, limit, BUCKET._replace(key="2")) == 60


@given(
    st.integers(1, 20),
    st.sampled_from([1_000, 60_000]),
    st.lists(st.integers(0, 5_000), max_size=60),
)
def test_never_are_more_let_in_than_the_limit_and_its_rate_allow(requests: int, per_ms: int, pauses: list[int]) -> None:
    clock, limit = ManualClock(), RateLimit(requests, per_ms)
    limiter, let_in = Limiter(clock), 0
    for pause_ms in pauses:
        clock.advance(pause_ms)
        let_in += taken(limiter, limit) is None
    assert let_in <= requests + sum(pauses) * requests / per_ms + 1e-6
    clock.advance(per_ms)
    assert [taken(limiter, limit) for _ in range(requests)] == [None] * requests
