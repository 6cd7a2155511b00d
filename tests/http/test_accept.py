"""Content negotiation: what an Accept header takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.media import MediaType
from rambla.http.accept import accepts

HTML = MediaType("text", "html")


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("", True),
        ("*/*", True),
        ("text/html", True),
        ("TEXT/HTML;level=1;q=0.5", True),
        ("text/*", True),
        ("application/json, text/*;q=0.1", True),
        ("application/json", False),
        ("text/xml", False),
        ("text/html;q=0", False),
        ("text/html;q=0.000, */*", False),
        ("text/*;q=0, text/html", True),
        ("*/*;q=0.0", False),
        ("nonsense", True),
    ],
)
def test_the_most_specific_range_decides(accept: str, taken: bool) -> None:
    assert accepts(accept, HTML) == taken


@given(st.text())
def test_any_header_is_answered(accept: str) -> None:
    assert accepts(accept, HTML) in (True, False)
