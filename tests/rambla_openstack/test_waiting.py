"""No tenant waits for another's, nothing is lost, and nothing is sent more often than it must be."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.errors import NotFound
from rambla_openstack import waiting as bounds
from rambla_openstack.waiting import Delivery, Key, Verdict, Waiting
from rambla_openstack.wire import UNKNOWN_CODE, UNKNOWN_REASON, Receipt

ACCEPTED = Verdict()
UNKNOWN = Verdict("no such trigger", is_unknown=True)
FOR_EVER = itertools.count(1000.0, 100.0)
"""Moments so far apart that every pause is over."""


def delivery(account: str, identifier: object, trigger: str = "g/t", size: int = 1) -> Delivery:
    event = {"id": f"{account}/{identifier}", "source": f"/v1/AUTH_{account}/box", "x": "x" * size}
    return Delivery(trigger, event)


def waiting(*deliveries: Delivery, names_triggers: bool = False) -> Waiting:
    held = Waiting()
    held.names_triggers = names_triggers
    for item in deliveries:
        held.put(item)
    return held


def all_of(chosen: list[Delivery], verdict: Verdict = ACCEPTED) -> dict[Key, Verdict]:
    return {item.key: verdict for item in chosen}


def run(held: Waiting, refuses: Callable[[list[Delivery]], bool], moments: Iterator[float]) -> Iterator[list[Delivery]]:
    """Batches as a platform takes them that answers 500 to what it `refuses`."""
    for now in moments:
        chosen = held.batch(now)
        if refuses(chosen):
            held.refuse(chosen, now)
        else:
            held.settle(chosen, all_of(chosen), now)
            yield chosen


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(["g/t", "g/u"]), st.integers(1, 9))),
    st.booleans(),
)
def test_batches_are_bounded_fair_and_bring_everything_once(
    items: list[tuple[str, int, str, int]], names_triggers: bool
) -> None:
    given_ = [delivery(name, at, trigger, size * 30_000) for name, at, trigger, size in items]
    held = waiting(*given_, names_triggers=names_triggers)
    sent: list[Key] = []
    while chosen := held.batch(0.0):
        sizes = [len(item.event["x"]) for item in chosen]
        assert len(chosen) == 1 or sum(sizes) <= bounds.BATCH_BYTES_MAX
        marks = [item.key if names_triggers else item.id for item in chosen]
        assert len(set(marks)) == len(marks)
        sent += [item.key for item in chosen]
        held.settle(chosen, all_of(chosen), 0.0)
    assert sorted(sent) == sorted({item.key for item in given_})
    assert (len(held), list(held)) == (0, [])


def test_a_batch_holds_as_many_of_each_account() -> None:
    held = waiting(*(delivery("busy", number) for number in range(1000)), delivery("quiet", 1), delivery("calm", 1))
    chosen = held.batch(0.0)
    assert len(chosen) == bounds.BATCH_EVENTS_MAX
    assert {item.account for item in chosen[:3]} == {"/v1/AUTH_busy", "/v1/AUTH_quiet", "/v1/AUTH_calm"}


def test_a_refused_batch_is_halved_down_to_one_event_and_grows_again() -> None:
    held = waiting(*(delivery("a", number) for number in range(1000)))
    sizes = []
    for now in itertools.islice(FOR_EVER, 9):
        chosen = held.batch(now)
        sizes.append(len(chosen))
        held.refuse(chosen, now)
    assert sizes == [200, 100, 50, 25, 12, 6, 3, 1, 1]
    grown = [len(chosen) for chosen in itertools.islice(run(held, lambda _: False, FOR_EVER), 10)]
    assert grown == [1, 2, 4, 8, 16, 32, 64, 128, 200, 200]


def test_what_is_always_refused_does_not_keep_its_own_account_waiting() -> None:
    held = waiting(*(delivery("a", number) for number in range(50)))
    batches = run(held, lambda chosen: any(item.id == "a/0" for item in chosen), itertools.islice(FOR_EVER, 100))
    sent = {item.id for chosen in batches for item in chosen}
    assert sent == {f"a/{number}" for number in range(1, 50)}
    assert [item.id for item in held] == ["a/0"]


def test_an_account_whose_every_event_fails_costs_others_nothing_but_their_first_batch() -> None:
    held = waiting(*(delivery("bad", number) for number in range(5000)))
    now, failed, delivered = 0.0, 0, 0
    for number in range(1000):
        held.put(delivery("good", number))
        now += 0.2
        while chosen := held.batch(now):
            if any(item.account == "/v1/AUTH_bad" for item in chosen):
                failed += 1
                held.refuse(chosen, now)
            else:
                delivered += len(chosen)
                held.settle(chosen, all_of(chosen), now)
    assert delivered == 1000
    assert failed < 30, "its own pauses grow"
    assert len(held) == 5000


def test_what_is_stuck_does_not_stop_the_reading_before_there_is_far_too_much() -> None:
    held = waiting(*(delivery("bad", number) for number in range(bounds.READY_MAX)))
    assert held.is_full()
    held.refuse(held.batch(0.0), 0.0)
    assert not held.is_full()
    for number in range(bounds.READY_MAX):
        held.put(delivery("good", number))
    assert held.is_full()
    crowd = waiting(*(delivery("bad", number) for number in range(bounds.WAITING_MAX)))
    crowd.refuse(crowd.batch(0.0), 0.0)
    assert crowd.is_full()


def test_what_an_answer_does_not_name_is_sent_again_after_a_pause() -> None:
    held = waiting(*(delivery("a", number) for number in range(3)), delivery("b", 0))
    chosen = held.batch(0.0)
    named = [item for item in chosen if item.id in ("a/0", "b/0")]
    assert held.settle(chosen, all_of(named), 0.0) == 2
    assert held.batch(0.0) == []
    held.put(delivery("b", 1))
    assert [item.id for item in held.batch(0.0)] == ["b/1"]
    assert {item.id for item in held.batch(1.0)} == {"a/1", "a/2", "b/1"}


def test_an_unknown_trigger_is_tried_with_one_event_and_rarely_and_the_answer_holds_for_all_that_wait() -> None:
    held = waiting(*(delivery("a", number, "other/t") for number in range(300)))
    chosen = held.batch(0.0)
    assert held.settle(chosen, all_of(chosen, UNKNOWN), 0.0) == 300
    for number in range(10):
        held.put(delivery("a", number, "other/t"))
    assert held.batch(bounds.UNKNOWN_EVERY_S / 2) == []
    assert not held.is_full()
    later = bounds.UNKNOWN_EVERY_S
    chosen = held.batch(later)
    assert len(chosen) == 1
    assert held.settle(chosen, all_of(chosen, UNKNOWN), later) == 10


def test_a_trigger_that_has_come_to_be_gets_all_that_waited() -> None:
    held = waiting(delivery("a", 0))
    held.settle(held.batch(0.0), all_of(held.batch(0.0), UNKNOWN), 0.0)
    for number in range(1, 6):
        held.put(delivery("a", number))
    chosen = held.batch(1.0)
    held.settle(chosen, all_of(chosen), 1.0)
    assert [item.id for item in chosen + held.batch(1.0)] == [f"a/{number}" for number in range(1, 6)]


def test_another_reason_is_said_of_one_event_only() -> None:
    held = waiting(*(delivery("a", number) for number in range(3)))
    chosen = held.batch(0.0)[:1]
    assert held.settle(chosen, all_of(chosen, Verdict("too large")), 0.0) == 1
    assert [item.id for item in held.batch(0.0)] == ["a/1", "a/2"]


@pytest.mark.parametrize("names_triggers", [False, True])
def test_a_flood_to_strangers_triggers_needs_no_more_posts_than_an_account_without_one(names_triggers: bool) -> None:
    """Thirty-two subscriptions of each of 1000 objects: 32,000 deliveries."""
    held = waiting(names_triggers=names_triggers)
    now, posts, good = 0.0, 0, 0
    for number in range(1000):
        now += 0.001
        for trigger in range(32):
            held.put(delivery("flood", number, f"stranger/t{trigger}"))
        held.put(delivery("good", number))
        assert not held.is_full()
        chosen = held.batch(now)
        posts += bool(chosen)
        good += sum(item.account == "/v1/AUTH_good" for item in chosen)
        held.settle(chosen, {item.key: UNKNOWN if item.trigger != "g/t" else ACCEPTED for item in chosen}, now)
    assert posts <= 1000
    assert good == 1000


def test_how_many_unknown_triggers_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "UNKNOWN_MAX", 5)
    held = waiting(*(delivery("a", 0, f"s/t{number}") for number in range(20)), names_triggers=True)
    chosen = held.batch(0.0)
    held.settle(chosen, all_of(chosen, UNKNOWN), 0.0)
    assert len(held._unknown) == 5


# --- answers ---


def test_an_answer_that_names_triggers_tells_deliveries_of_one_event_apart() -> None:
    pair = [delivery("a", 0, "g/t"), delivery("a", 0, "g/u"), delivery("a", 0, "g/v")]
    results = [{"trigger": "g/t", "id": "a/0"}, {"trigger": "g/u", "id": "a/0", "code": "not_found", "reason": "no"}]
    receipt = Receipt.from_document({"accepted": ["a/0"], "rejected": [], "results": results}, pair)
    assert receipt == Receipt({("g/t", "a/0"): ACCEPTED, ("g/u", "a/0"): Verdict("no", is_unknown=True)}, True)


def test_an_answer_that_names_ids_says_nothing_of_an_id_that_two_deliveries_share() -> None:
    sent = [delivery("a", 0, "g/t"), delivery("a", 0, "g/u"), delivery("a", 1), delivery("a", 2)]
    document = {"accepted": ["a/0", "a/1"], "rejected": [{"id": "a/2", "reason": "bad"}]}
    receipt = Receipt.from_document(document, sent)
    assert receipt == Receipt({("g/t", "a/1"): ACCEPTED, ("g/t", "a/2"): Verdict("bad")}, False)


def test_the_platforms_words_for_an_unknown_trigger_are_understood() -> None:
    assert (NotFound.code, str(NotFound())) == (UNKNOWN_CODE, UNKNOWN_REASON)
    document = {"accepted": [], "rejected": [{"id": "a/0", "reason": str(NotFound())}]}
    [verdict] = Receipt.from_document(document, [delivery("a", 0)]).verdicts.values()
    assert verdict.is_unknown
