from rambla.audit.pending import EVENTS_READ_BACK, EVENTS_REMEMBERED_MAX, Pending
from rambla.domain.activation import Activation
from rambla.domain.names import FullName
from rambla.domain.records import Intent, Outcome, Record, Started, Work


def intent(identifier: str, *, allowed: bool = True, work: bool = False, event: str | None = None) -> Intent:
    promised = Work(
        activation_id=f"activation-{identifier}",
        action=FullName("guest", "", "a"),
        replay="always",
        namespace="guest",
    )
    return Intent(
        id=identifier,
        at_ms=1,
        subject="guest",
        source="key",
        permission="action:invoke",
        namespace="guest",
        target="guest/a",
        allowed=allowed,
        rule="defaults/owner",
        event_id=event,
        work=promised if work else None,
    )


def outcome(identifier: str) -> Outcome:
    record = Activation(
        id=f"activation-{identifier}",
        namespace="guest",
        name="a",
        version="0.0.1",
        subject="guest",
        start_ms=1,
        end_ms=1,
        status="success",
    )
    return Outcome(intent_id=identifier, at_ms=2, status="ok", activation=record)


def test_what_has_no_outcome_is_left_open_oldest_first_and_knows_whether_it_started() -> None:
    pending = Pending()
    for seq, record in enumerate(
        [
            intent("one", work=True),
            intent("two", work=True),
            intent("three"),
            Started(activation_id="activation-two", at_ms=1),
            outcome("one"),
        ],
        start=7,
    ):
        pending.track(seq, record)
    assert [(left.id, started) for left, started in pending.left_open()] == [("two", True), ("three", False)]
    assert pending.low_water(12) == 8
    pending.track(12, outcome("two"))
    pending.track(13, Outcome(intent_id="three", at_ms=1, status="ok"))
    assert pending.low_water(14) == 14
    assert len(pending) == 0


def test_a_refusal_promises_nothing() -> None:
    pending = Pending()
    pending.track(0, intent("no", allowed=False))
    assert pending.left_open() == []


def test_an_event_is_known_after_it_was_read_back_and_may_return_if_it_was_not_written() -> None:
    pending = Pending()
    pending.track(0, intent("one", event="e1"))
    assert not pending.saw_event("e1")
    assert pending.saw_event("e2")
    pending.withdraw(intent("two", event="e2"))
    assert pending.saw_event("e2")


def test_the_memory_of_events_is_bounded_and_forgets_the_oldest() -> None:
    pending = Pending()
    for number in range(EVENTS_REMEMBERED_MAX + 1):
        pending.saw_event(str(number))
    assert pending.saw_event("0")
    assert not pending.saw_event(str(EVENTS_REMEMBERED_MAX))


def test_a_restart_reads_far_enough_back_to_know_the_last_events_again() -> None:
    pending = Pending()
    for seq in range(2 * EVENTS_READ_BACK):
        pending.track(seq, intent(f"i{seq}", event=f"e{seq}"))
        pending.track(seq, outcome(f"i{seq}"))
    assert pending.low_water(5 * EVENTS_READ_BACK) == EVENTS_READ_BACK


def test_a_held_event_is_known_after_a_restart_however_many_came_after_it() -> None:
    journal: list[Record] = [intent("held", event="held"), outcome("held")]
    for number in range(3 * EVENTS_READ_BACK):
        journal += [intent(f"i{number}", event=f"e{number}"), outcome(f"i{number}")]
    pending = Pending()
    pending.hold_event("held")
    for seq, record in enumerate(journal):
        pending.track(seq, record)
    again = Pending()
    for seq in range(pending.low_water(len(journal)), len(journal)):
        again.track(seq, journal[seq])
    assert not again.saw_event("held")
    pending.let_go("held")
    assert pending.low_water(len(journal)) == len(journal) - 2 * EVENTS_READ_BACK
