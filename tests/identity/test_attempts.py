"""Whoever tries passwords is stopped, whether they try one after the other, all at once, or in other letters."""

import pytest

from rambla.domain.errors import TooManyAttempts
from rambla.identity.attempts import NAMES_MAX, Attempts

S = 1_000_000_000
MAX = 3


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(MAX, within_ms=60_000, lock_ms=10_000)


def fail(attempts: Attempts, name: str, now_ns: int) -> bool:
    attempts.admit(name, now_ns)
    return attempts.wrong(name, now_ns)


def test_the_last_wrong_one_locks_for_a_while_and_then_all_are_allowed_again(attempts: Attempts) -> None:
    assert [fail(attempts, "ada", second * S) for second in range(MAX)] == [False, False, True]
    with pytest.raises(TooManyAttempts) as caught:
        attempts.admit("ada", 3 * S)
    assert caught.value.facts == {"retry_after_s": 9}
    attempts.admit("bob", 3 * S)
    assert [fail(attempts, "ada", 12 * S) for _ in range(MAX)] == [False, False, True]


@pytest.mark.parametrize("other", ["Ada", "ADA ", " ada"])
def test_other_letters_are_the_same_name(attempts: Attempts, other: str) -> None:
    for name in ("ada", other, "ada"):
        fail(attempts, name, 0)
    with pytest.raises(TooManyAttempts):
        attempts.admit(other, 0)


def test_many_at_once_are_no_way_around(attempts: Attempts) -> None:
    for _ in range(MAX):
        attempts.admit("ada", 0)
    with pytest.raises(TooManyAttempts):
        attempts.admit("ada", 0)


def test_a_right_one_clears_what_was_wrong_before(attempts: Attempts) -> None:
    for _ in range(5):
        fail(attempts, "ada", 0)
        fail(attempts, "ada", 0)
        attempts.admit("ada", 0)
        attempts.clear("Ada")


def test_what_nobody_could_judge_counts_for_nothing(attempts: Attempts) -> None:
    for _ in range(10):
        attempts.admit("ada", 0)
        attempts.unknown("ada")


def test_wrong_ones_long_ago_are_forgotten(attempts: Attempts) -> None:
    assert not any(fail(attempts, "ada", minute * 60 * S) for minute in range(10))


def test_no_more_names_are_remembered_than_there_is_room_for(attempts: Attempts) -> None:
    for number in range(NAMES_MAX + 100):
        attempts.admit(f"name{number}", 0)
    assert len(attempts._names) == NAMES_MAX
