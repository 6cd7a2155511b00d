"""What a feed is asked for is understood, or refused in OpenWhisk's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.errors import BadRequest
from rambla.schedule import wishes
from rambla.schedule.alarm import Cron, Interval, Once

NOW = 1_700_000_000_000  # 2023-11-14T22:13:20Z
LATER = "2030-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"
CRON = {"cron": "* * * * *"}


@pytest.mark.parametrize(
    ("kind", "given_", "text"),
    [
        ("alarm", {}, "alarms trigger feed is missing the cron parameter"),
        ("alarm", {"cron": ""}, "alarms trigger feed is missing the cron parameter"),
        ("alarm", {"cron": "x"}, "cron pattern 'x' is not valid"),
        ("alarm", {**CRON, "timezone": "Mars"}, "Invalid timezone."),
        ("alarm", {**CRON, "startDate": "soon"}, "startDate parameter 'soon' is not a valid Date"),
        ("alarm", {**CRON, "startDate": PAST}, f"startDate parameter '{PAST}' must be in the future"),
        (
            "alarm",
            {**CRON, "startDate": LATER, "stopDate": LATER},
            f"stopDate parameter '{LATER}' must be greater than the startDate parameter '{LATER}'",
        ),
        (
            "alarm",
            {**CRON, "stopDate": LATER, "maxTriggers": 1},
            "maxTriggers is not allowed when the stopDate parameter is specified",
        ),
        ("alarm", {**CRON, "maxTriggers": "many"}, "the maxTriggers parameter must be an integer greater than zero"),
        ("alarm", {"cron": "0 0 1 1 *", "stopDate": NOW + 1000}, wishes.TOO_LATE),
        ("once", {}, "alarms once trigger feed is missing the date parameter"),
        ("once", {"date": True}, "date parameter 'True' is not a valid Date"),
        ("once", {"date": NOW}, f"date parameter '{NOW}' must be in the future"),
        ("once", {"date": 10**18}, f"date parameter '{10**18}' is not a valid Date"),
        (
            "once",
            {"date": LATER, "deleteAfterFire": "maybe"},
            "deleteAfterFire parameter must be one of [false, true, rules].",
        ),
        ("interval", {}, "interval trigger feed is missing the minutes parameter"),
        ("interval", {"minutes": 1.5}, "the minutes parameter must be an integer"),
        ("interval", {"minutes": "soon"}, "the minutes parameter must be an integer"),
        ("interval", {"minutes": True}, "the minutes parameter must be an integer"),
        ("interval", {"minutes": -1}, "the minutes parameter must be an integer greater than zero"),
        (
            "interval",
            {"minutes": 1, "maxTriggers": 1, "stopDate": LATER},
            "maxTriggers is not supported for the interval trigger feed",
        ),
    ],
)
def test_what_is_wrong_is_said_as_openwhisk_says_it(kind: wishes.Kind, given_: dict[str, Any], text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        wishes.created(kind, given_, NOW)
    assert str(refused.value) == text


def test_what_is_right_is_kept_as_it_was_said() -> None:
    assert wishes.created("alarm", {**CRON, "timezone": "Europe/Berlin", "strict": "true"}, NOW) == Cron(
        pattern="* * * * *", timezone="Europe/Berlin", strict="true"
    )
    assert wishes.created("alarm", {**CRON, "maxTriggers": "3"}, NOW) == Cron(pattern="* * * * *", fires_max=3)
    assert wishes.created("alarm", {**CRON, "maxTriggers": -1}, NOW) == Cron(pattern="* * * * *")
    assert wishes.created("once", {"date": LATER, "deleteAfterFire": True}, NOW) == Once(
        date=LATER, delete_after_fire="true"
    )
    assert wishes.created("interval", {"minutes": "5"}, NOW) == Interval(minutes=5, start=NOW + 30_000)
    assert wishes.created("interval", {"minutes": 5.0, "startDate": NOW + 1}, NOW) == Interval(minutes=5, start=NOW + 1)


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    old = Cron(pattern="* * * * *", timezone="Europe/Berlin")
    assert wishes.updated(old, {"cron": "5 * * * *"}, NOW) == Cron(pattern="5 * * * *", timezone="Europe/Berlin")
    assert wishes.updated(old, {"strict": False}, NOW) == Cron(
        pattern="* * * * *", timezone="Europe/Berlin", strict=False
    )
    assert wishes.updated(old, {"minutes": 3, "date": LATER}, NOW) == old
    assert wishes.updated(Interval(minutes=1, start=NOW), {"minutes": 3}, NOW) == Interval(minutes=3, start=NOW)
    assert wishes.updated(Once(date=1), {"date": LATER}, NOW) == Once(date=LATER)


def test_an_update_may_not_put_the_start_behind_the_stop() -> None:
    with pytest.raises(BadRequest, match="must be less than the stopDate parameter"):
        wishes.updated(Cron(pattern="* * * * *", stop="2029-01-01"), {"startDate": LATER}, NOW)


def test_a_payload_is_an_object_and_a_string_becomes_one() -> None:
    assert wishes.payload({"trigger_payload": "hi"}) == {"payload": "hi"}
    assert wishes.payload({"trigger_payload": {"a": 1}}) == {"a": 1}
    assert wishes.payload({}) == wishes.payload({"trigger_payload": None}) == {}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(
    st.sampled_from(["alarm", "once", "interval"]),
    st.dictionaries(
        st.sampled_from(
            ["cron", "timezone", "startDate", "stopDate", "maxTriggers", "strict", "date", "deleteAfterFire", "minutes"]
        ),
        json,
    ),
)
def test_whatever_is_sent_is_understood_or_refused(kind: wishes.Kind, given_: dict[str, Any]) -> None:
    try:
        schedule = wishes.created(kind, {**CRON, "date": LATER, "minutes": 3, **given_}, NOW)
        wishes.updated(schedule, given_, NOW)
    except BadRequest:
        pass
