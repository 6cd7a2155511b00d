from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.errors import CallerError, MalformedContent
from rambla.domain.json_text import decode
from rambla.http import bodies

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["exec", "parameters", "annotations", "limits", "publish", "version", "trigger", "action", "status", "binding"]
PARSERS: dict[Any, Callable[[Any], object]] = {
    bodies.ActionBody: lambda body: bodies.action_change(body, "mine"),
    bodies.PackageBody: lambda body: bodies.package_change(body, "mine"),
    bodies.TriggerBody: bodies.trigger_change,
    bodies.RuleBody: lambda body: bodies.rule_change(body, "mine"),
    bodies.StatusBody: bodies.rule_status,
}


@pytest.mark.parametrize("kind", PARSERS, ids=lambda kind: kind.__name__)
@given(body=st.dictionaries(st.sampled_from(FIELDS), json))
def test_any_json_is_a_change_or_a_stated_error(kind: Any, body: dict[str, object]) -> None:
    with suppress(CallerError):
        PARSERS[kind](decode(msgspec.json.encode(body), kind))


@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_a_stated_error(raw: bytes) -> None:
    with suppress(MalformedContent):
        assert decode(raw, bytes) == raw


def test_of_two_parameters_with_one_key_the_last_counts() -> None:
    pairs = (bodies.KeyValue("a", 1), bodies.KeyValue("b", 2), bodies.KeyValue("a", 3))
    change = bodies.trigger_change(bodies.TriggerBody(parameters=pairs))
    assert change.parameters is not None
    assert [(one.key, one.value) for one in change.parameters] == [("a", 3), ("b", 2)]


def test_a_jar_is_code_and_binary_is_worked_out() -> None:
    body = bodies.ActionBody(exec=bodies.ExecBody(kind="python:3", jar="UEsDBA=="))
    change = bodies.action_change(body, "mine")
    assert change.exec is not None
    assert change.exec.code == "UEsDBA=="
