"""Which arguments a run gets, for any parameters and any payload."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.catalog.arguments import defaults_of, environment_of, merge
from rambla.domain.entities import Action, Exec, Package, Parameter
from rambla.domain.errors import BadRequest, MalformedContent
from rambla.domain.names import FullName

KEYS = st.sampled_from(["a", "b", "c", "", "é", 'quo"te'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PARAMETERS = st.lists(
    st.builds(Parameter, KEYS, VALUES, st.booleans()), max_size=5, unique_by=lambda parameter: parameter.key
).map(tuple)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def plain(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    return {parameter.key: parameter.value for parameter in parameters if not parameter.init}


def an_action(parameters: tuple[Parameter, ...]) -> Action:
    return Action(name=FullName("guest", "p", "a"), exec=Exec(kind="python:3"), parameters=parameters)


@given(of_package=PARAMETERS, of_action=PARAMETERS, given=OBJECTS)
def test_the_callers_win_over_the_actions_and_those_over_the_packages(
    of_package: tuple[Parameter, ...], of_action: tuple[Parameter, ...], given: dict[str, Any]
) -> None:
    package = Package(name=FullName("guest", "", "p"), parameters=of_package)
    defaults = defaults_of(an_action(of_action), package)
    chosen = {parameter.key: parameter for parameter in (*of_package, *of_action)}
    assert {parameter.key: parameter for parameter in defaults} == chosen
    assert len(defaults) == len(chosen)
    merged = msgspec.json.decode(merge(defaults, msgspec.json.encode(given)))
    assert merged == plain(tuple(chosen.values())) | given


@given(defaults=PARAMETERS, given=OBJECTS)
def test_a_final_value_is_never_another_and_one_that_is_none_is_free(
    defaults: tuple[Parameter, ...], given: dict[str, Any]
) -> None:
    fixed = {key for key, value in plain(defaults).items() if value is not None}
    payload = msgspec.json.encode(given)
    if fixed & given.keys():
        with pytest.raises(BadRequest, match="reserved properties"):
            merge(defaults, payload, final=True)
    else:
        assert merge(defaults, payload, final=True) == merge(defaults, payload)


@given(defaults=PARAMETERS)
def test_an_empty_payload_is_an_empty_object(defaults: tuple[Parameter, ...]) -> None:
    assert merge(defaults, b"") == merge(defaults, b"{}")
    assert msgspec.json.decode(merge(defaults, b"")) == plain(defaults)


@given(defaults=PARAMETERS)
def test_a_parameter_is_an_argument_or_a_variable_and_never_both(defaults: tuple[Parameter, ...]) -> None:
    environment = environment_of(defaults)
    assert environment.keys() | plain(defaults).keys() == {parameter.key for parameter in defaults}
    assert not environment.keys() & plain(defaults).keys()
    for parameter in defaults:
        if parameter.init:
            text = environment[parameter.key]
            assert text == parameter.value or json.loads(text) == parameter.value


@given(payload=OBJECTS)
def test_what_the_caller_gave_stays_as_it_was_written(payload: dict[str, Any]) -> None:
    """Numbers too: 1.0 is not 1, and large ones lose nothing."""
    raw = b'{"x":1.0,"y":12345678901234567890123,"z":1e2}'
    merged = merge((Parameter("d", 1),), raw)
    assert b'"x":1.0' in merged
    assert b'"y":12345678901234567890123' in merged
    assert b'"z":1e2' in merged
    assert merge((), msgspec.json.encode(payload)) == msgspec.json.encode(payload)


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b"1", b'"a"', b"{", b'{"a"}', b'{"\xff":1}', b"\xff", b'{"a":' * 100_000]
)
def test_what_is_no_object_cannot_be_merged(payload: bytes) -> None:
    with pytest.raises(MalformedContent):
        merge((Parameter("d", 1),), payload)


def test_an_action_without_a_package_has_its_own_parameters() -> None:
    own = (Parameter("a", 1),)
    assert defaults_of(an_action(own), None) == own
