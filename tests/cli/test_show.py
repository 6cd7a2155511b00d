"""Tables for people, JSON for programs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.cli import show


@given(st.text())
def test_nothing_shown_can_command_a_terminal(text: str) -> None:
    assert not any((ord(char) < 32 and char not in "\t\n") or 127 <= ord(char) < 160 for char in show.clean(text))


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert show.clean("a\x1b[31mb\r\u202e") == "a\\x1b[31mb\\x0d\\x202e"


def test_a_moment_is_in_utc_to_the_millisecond() -> None:
    assert show.moment(1_700_000_000_007) == "2023-11-14 22:13:20.007"
    assert show.moment(None) == ""


def test_nested_objects_become_one_line_a_value() -> None:
    data = {"a": {"b": 1, "c": ["x", "y"]}, "d": [{"e": 2}], "f": []}
    assert show.flatten(data) == [("a.b", 1), ("a.c", "x, y"), ("d.0.e", 2), ("f", "")]


def test_a_table_off_a_terminal_is_plain_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show.print_table(("name", "size"), [("x" * 300, 1), ("[red]y[/red]\x1b[0m", 22)])
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "size"]
    assert first.split() == ["x" * 300, "1"]
    assert second.split() == ["[red]y[/red]\\x1b[0m", "22"]


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show.print_table(("name",), [], empty="no actions")
    assert capsys.readouterr().out == "no actions\n"


@given(st.text(alphabet=st.characters(blacklist_categories=())))
def test_json_is_json_for_any_text(text: str) -> None:
    encoded = json.dumps([text], ensure_ascii=False).encode("utf-8", "backslashreplace")
    assert json.loads(encoded) == json.loads(json.dumps([text]))


def test_json_with_a_lone_surrogate_is_printed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    show.print_json({"a": "\ud800ü"})
    assert json.loads(capsysbinary.readouterr().out) == {"a": "\ud800ü"}
