"""Who does not answer is left alone, until one question finds out that they are back."""

from rambla.kit.breaker import Breaker

MS = 1_000_000


def test_who_answers_may_always_be_asked() -> None:
    breaker = Breaker(pause_ms=10, probe_ms=5)
    assert not breaker.answered()
    assert all(breaker.may_ask(moment) for moment in range(3))


def test_after_a_failure_nobody_asks_for_a_while_and_then_one_does() -> None:
    breaker = Breaker(pause_ms=10, probe_ms=50)
    assert breaker.failed("it is down", 0)
    assert not breaker.failed("it is still down", 0)  # no news
    assert breaker.reason == "it is still down"
    assert [breaker.may_ask(moment * MS) for moment in (0, 9, 10, 11, 59, 60)] == [
        False, False, True, False, False, True,
    ]  # fmt: skip
    assert breaker.answered()
    assert breaker.may_ask(60 * MS)
    assert breaker.may_ask(60 * MS)
