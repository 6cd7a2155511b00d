"""Parameters as `wsk` reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.cli.errors import CliError
from rambla.cli.options import arguments_of, key_values, value_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_is_parsed(value: Any) -> None:
    assert value_of(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["hello", "", "NaN", "-Infinity", "{broken", "007", "1,5", "[" * 100_000])
def test_what_is_not_json_is_a_string(text: str) -> None:
    assert value_of(text) == text


def test_parameters_of_the_line_go_before_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text('{"a": 1, "b": 2}')
    assert arguments_of([("b", "3"), ("c", "x")], file) == {"a": 1, "b": 3, "c": "x"}


@pytest.mark.parametrize("text", ["[1]", "3", "{", '{"a": NaN}', "[" * 100_000])
def test_a_file_without_a_json_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.json"
    file.write_text(text)
    with pytest.raises(CliError, match=r"p\.json"):
        arguments_of([], file)


def test_key_values_are_openwhisks() -> None:
    assert key_values({"a": [1]}) == [{"key": "a", "value": [1]}]
