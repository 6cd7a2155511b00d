"""What a Content-Type says, and whether its content is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.media import MediaType, parse_media_type


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text/html", "text/html; charset=UTF-8"),
        (" Text/HTML ; level=1", "text/html; charset=UTF-8; level=1"),
        ("text/plain; charset=iso-8859-1", "text/plain; charset=UTF-8"),
        ('multipart/form-data; boundary="a b"', 'multipart/form-data; boundary="a b"'),
        ("application/json; charset=utf-8", "application/json"),
        ("application/hal+json", "application/hal+json"),
        ("image/png", "image/png"),
    ],
)
def test_a_media_type_is_said_again_with_text_in_utf_8(text: str, said: str) -> None:
    assert str(parse_media_type(text)) == said


@pytest.mark.parametrize("text", ["", "xyzbar", "text/", "/html", "a/b/c", "text/html;", "text/html; x", "te xt/a"])
def test_what_is_no_media_type_is_none(text: str) -> None:
    assert parse_media_type(text) is None


@pytest.mark.parametrize(
    ("text", "is_text"),
    [
        ("text/csv", True),
        ("application/json", True),
        ("application/cloudevents+json", True),
        ("application/atom+xml", True),
        ("application/javascript", True),
        ("application/octet-stream; charset=utf-8", True),
        ("application/octet-stream", False),
        ("image/svg+xml", False),
        ("multipart/form-data; boundary=x", False),
    ],
)
def test_what_is_text_is_told_from_bytes(text: str, is_text: bool) -> None:
    found = parse_media_type(text)
    assert found is not None
    assert found.is_text == is_text


@given(st.text())
def test_any_text_is_a_media_type_or_none_and_what_is_said_can_be_read_again(text: str) -> None:
    found = parse_media_type(text)
    if found is not None:
        again = parse_media_type(str(found))
        assert isinstance(again, MediaType)
        assert (again.essence, again.parameters) == (found.essence, found.parameters)
