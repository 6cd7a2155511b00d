"""Records, matching and the shipper's memory: pure, so every promise is a property."""

import json
from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla_openstack import subscriptions
from rambla_openstack.pending import Found, Open, Queue, verdict
from rambla_openstack.records import Intent, Mark, cloud_event, event_id, event_time, sequencer
from rambla_openstack.subscriptions import EVENTS, PATTERNS, Subscription, matches

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
STAMPS = st.integers(0, 10**15).map(lambda n: f"{n // 100_000:010d}.{n % 100_000:05d}")
PATTERN_TUPLES = st.lists(st.sampled_from(sorted(PATTERNS)).map("s3:".__add__), min_size=1, max_size=3).map(tuple)
TARGETS = st.lists(st.tuples(st.just("guest/t"), PATTERN_TUPLES), max_size=3).map(tuple)
INTENTS = st.builds(
    Intent, st.integers(1, 10**9), NAMES, NAMES, NAMES, st.sampled_from(EVENTS), STAMPS, TARGETS, user=NAMES
)
MARKS = st.builds(
    Mark,
    st.integers(1, 10**9),
    st.sampled_from(["done", "void", "ask"]),
    size=st.none() | st.integers(0, 10**12),
    etag=st.text("0123456789abcdef", max_size=32),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def an_intent(event: str = "ObjectCreated:Put", timestamp: str = "1700000000.00000") -> Intent:
    return Intent(1, "AUTH_guest", "box", "a", event, timestamp, (("guest/t", ("s3:ObjectCreated:*",)),))


@given(INTENTS, MARKS)
def test_records_survive_the_outbox(intent: Intent, mark: Mark) -> None:
    assert Intent.from_record(json.loads(json.dumps(intent.to_record()))) == intent
    assert Mark.from_record(json.loads(json.dumps(mark.to_record()))) == mark


@given(st.dictionaries(st.sampled_from(["intent", "mark"]), JSON, min_size=1))
def test_what_no_filter_wrote_is_counted_and_left_out(record: dict[str, object]) -> None:
    queue = Queue()
    queue.take("w", [record], 0.0)
    assert queue.nonsense == 1
    assert not queue.open


@given(INTENTS, MARKS)
def test_a_cloud_event_has_what_the_specification_demands(intent: Intent, mark: Mark) -> None:
    event = cloud_event(intent, mark, "guest/t")
    assert event["specversion"] == "1.0"
    assert all(isinstance(event[name], str) and event[name].isprintable() for name in ("id", "source", "type", "time"))
    record = event["data"]["Records"][0]
    assert unquote_plus(record["s3"]["object"]["key"]) == intent.name
    assert unquote(event["source"]) == f"/v1/{intent.account}/{intent.container}"
    assert json.loads(json.dumps(event)) == event


@given(INTENTS, INTENTS)
def test_different_changes_have_different_ids(one: Intent, two: Intent) -> None:
    facts = [(item.account, item.container, item.name, item.timestamp, item.event) for item in (one, two)]
    if "/" not in one.account + one.container + two.account + two.container:
        assert (event_id(one) == event_id(two)) == (facts[0] == facts[1])


@given(STAMPS, STAMPS)
def test_sequencers_sort_as_the_timestamps_do(one: str, two: str) -> None:
    assert (sequencer(one) < sequencer(two)) == (float(one) < float(two))


def test_a_timestamp_with_an_offset_comes_after_the_one_without() -> None:
    plain, later = "1700000000.12345", "1700000000.12345_0000000000000001"
    assert sequencer(plain) < sequencer(later) < sequencer("1700000000.12346")
    assert event_time(later) == "2023-11-14T22:13:20.123Z"


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ("s3:ObjectCreated:*", "ObjectCreated:Put", True),
        ("s3:ObjectCreated:Put", "ObjectCreated:Put", True),
        ("s3:ObjectCreated:Put", "ObjectCreated:Post", False),
        ("s3:ObjectRemoved:*", "ObjectCreated:Put", False),
        ("s3:ObjectRemoved:*", "ObjectRemoved:DeleteMarkerCreated", True),
    ],
)
def test_event_patterns(pattern: str, event: str, expected: bool) -> None:
    assert matches((pattern,), event) is expected


@given(NAMES, NAMES, NAMES)
def test_names_are_chosen_by_prefix_and_suffix(prefix: str, middle: str, suffix: str) -> None:
    assert Subscription("a/b", prefix=prefix, suffix=suffix).wants_name(prefix + middle + suffix)
    assert Subscription("a/b", prefix=prefix).wants_name(middle) == middle.startswith(prefix)


SUBSCRIPTIONS = st.lists(st.builds(Subscription, st.just("a/b"), PATTERN_TUPLES, NAMES, NAMES), max_size=4).map(tuple)


@given(SUBSCRIPTIONS)
def test_subscriptions_survive_the_sysmeta(found: tuple[Subscription, ...]) -> None:
    text = subscriptions.render(found)
    assert text.isascii()
    assert text.isprintable()
    assert subscriptions.stored(text) == found


@given(JSON)
def test_any_other_document_is_refused_with_a_reason(document: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        subscriptions.parse(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("event", "mark", "found", "expected"),
    [
        ("ObjectCreated:Put", None, "1700000000.00000", "told with facts"),
        ("ObjectCreated:Put", None, "1700000001.00000", "told"),
        ("ObjectCreated:Put", None, "1699999999.00000", "nothing"),
        ("ObjectCreated:Put", None, None, "nothing"),
        ("ObjectCreated:Put", Mark(1, "ask"), None, "nothing"),
        ("ObjectCreated:Copy", Mark(1, "done"), None, "told"),
        ("ObjectCreated:Copy", Mark(1, "done"), "1700000000.00000", "told with facts"),
        ("ObjectCreated:Copy", Mark(1, "done"), "1700000001.00000", "told"),
        ("ObjectRemoved:Delete", None, None, "told"),
        ("ObjectRemoved:Delete", None, "1699999999.00000", "nothing"),
        ("ObjectRemoved:Delete", Mark(1, "ask"), "1700000001.00000", "nothing"),
    ],
)
def test_swifts_answer_decides_what_is_told(event: str, mark: Mark | None, found: str | None, expected: str) -> None:
    entry = Open(an_intent(event), mark, 0.0, 0.0)
    result = verdict(entry, Found(found, 7, "e", "") if found else None)
    told = "nothing" if result is None else "told" if result.size is None else "told with facts"
    assert told == expected


def test_an_open_intent_of_a_living_writer_is_asked_about_later_and_later() -> None:
    queue = Queue(grace_s=10)
    queue.take("w", [an_intent().to_record()], 0.0)
    assert list(queue.due(9.9)) == []
    [(key, _)] = queue.due(10.0)
    queue.ask_later(key, 10.0)
    assert list(queue.due(29.9)) == []
    assert len(list(queue.due(30.0))) == 1
    queue.orphan("w", 11.0)
    assert len(list(queue.due(11.0))) == 1


def test_one_that_swift_cannot_answer_does_not_stop_the_others() -> None:
    queue = Queue(grace_s=0)
    for number in (1, 2):
        queue.take("w", [{"intent": an_intent().to_record()["intent"] | {"number": number}}], 0.0)
    queue.ask_later(("w", 1), 0.0, 0.0)
    assert [key for key, _ in queue.due(0.0)] == [("w", 2), ("w", 1)]


def test_marks_settle_their_intents() -> None:
    queue = Queue()
    intent = an_intent().to_record()
    queue.take("w", [intent, Mark(1, "void").to_record()], 0.0)
    assert not queue.open
    queue.take("w", [intent, Mark(1, "done", size=3).to_record(), Mark(99, "done").to_record()], 0.0)
    assert not queue.open
    assert [item.trigger for item in queue.ready] == ["guest/t"]


def test_an_event_that_turned_out_to_be_another_goes_only_to_who_wants_that_one() -> None:
    intent = Intent(1, "a", "c", "o", "ObjectRemoved:Delete", "1.00000", (("g/t", ("s3:ObjectRemoved:Delete",)),))
    queue = Queue()
    marker = Mark(1, "done", "ObjectRemoved:DeleteMarkerCreated").to_record()
    queue.take("w", [intent.to_record(), marker], 0.0)
    assert not queue.ready


@given(st.lists(st.tuples(INTENTS, st.none() | MARKS), max_size=8))
def test_the_memory_is_loaded_as_it_was_saved(items: list[tuple[Intent, Mark | None]]) -> None:
    queue = Queue()
    queue.positions = {"w": ("00000001.log", 17)}
    for intent, mark in items:
        queue.take("w", [intent.to_record()], 0.0)
        if mark is not None:
            queue.take("w", [mark.numbered(intent.number).to_record()], 0.0)
    document = json.loads(json.dumps(queue.to_document()))
    loaded = Queue()
    loaded.load(document, 0.0)
    assert loaded.to_document() == queue.to_document()


@given(JSON)
def test_a_broken_memory_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="memory"):
        Queue().load(document, 0.0)  # type: ignore[arg-type]  # that is the point
