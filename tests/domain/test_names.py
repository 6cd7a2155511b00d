import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.entities import is_binary
from rambla.domain.errors import BadRequest
from rambla.domain.names import FullName, check_name, parse_full_name

names = st.from_regex(r"\A([a-zA-Z0-9_]|[a-zA-Z0-9_][a-zA-Z0-9_@ .&-]{0,254}[a-zA-Z0-9_@.&-])\Z")


@given(names, names, names)
def test_a_full_name_reads_back_as_what_was_written(namespace: str, package: str, name: str) -> None:
    for full in (FullName(namespace, package, name), FullName(namespace, "", name)):
        if namespace != "_":
            assert parse_full_name(f"/{full}", "mine") == full


@given(names)
def test_an_underscore_or_nothing_means_ones_own_namespace(name: str) -> None:
    assert parse_full_name(f"/_/{name}", "mine") == FullName("mine", "", name)
    assert parse_full_name(name, "mine") == FullName("mine", "", name)


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        assert check_name(text) == text
    except BadRequest:
        return
    assert "/" not in text
    assert text.isascii()
    assert text == text.strip()


@given(st.text())
def test_any_text_is_a_full_name_or_refused(text: str) -> None:
    try:
        full = parse_full_name(text, "mine")
    except BadRequest:
        return
    assert parse_full_name(f"/{full}", "mine") == full


@pytest.mark.parametrize("name", ["", " a", "a ", "-a", "a\n", "a/b", "é", "a\x00", "a" * 257])
def test_these_are_no_names(name: str) -> None:
    with pytest.raises(BadRequest):
        check_name(name)


@given(st.text("abAB01+/= \n", max_size=12))
def test_code_is_binary_if_it_is_whole_base64(code: str) -> None:
    spelled_out = r"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z"
    assert is_binary(code) == (bool(code.strip()) and bool(re.match(spelled_out, code.strip())))
