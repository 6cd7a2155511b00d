"""Which action a path names, and what of the headers an action sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.access import Caller
from rambla.domain.errors import NoSuchRoute
from rambla.domain.names import FullName
from rambla.http.web_request import action_in, headers_of

NOBODY = Caller(subject="", namespace="", source="key")


@pytest.mark.parametrize(
    ("path", "package", "name", "extension", "rest"),
    [
        ("guest/default/a", "", "a", "http", ""),
        ("guest/p/a.json", "p", "a", "json", ""),
        ("guest/p/a.http/", "p", "a", "http", "/"),
        ("guest/p/a.text/x/y%2Fz/", "p", "a", "text", "/x/y%2Fz/"),
        ("guest/p/a.b.html", "p", "a.b", "html", ""),
        ("guest/p/a.svg//", "p", "a", "svg", "//"),
        ("guest/p/a.xyz", "p", "a.xyz", "http", ""),
        ("guest/p/json", "p", "json", "http", ""),
        ("guest/p/two%20words.json", "p", "two words", "json", ""),
    ],
)
def test_a_path_names_action_extension_and_rest(path: str, package: str, name: str, extension: str, rest: str) -> None:
    assert action_in(f"/api/v1/web/{path}") == (FullName("guest", package, name), extension, rest)


@pytest.mark.parametrize(
    "path", ["", "a", "a/b", "a/b/", "a/b/.json", "a/b/c%2Fd", "a%2Fb/c/d", "a/b/%ff", "a/b/-c", "a/%00/c", "a/b/c%0a"]
)
def test_what_can_name_no_action_is_no_route(path: str) -> None:
    with pytest.raises(NoSuchRoute):
        action_in(f"/api/v1/web/{path}")


@given(st.text())
def test_any_path_names_an_action_or_none(path: str) -> None:
    try:
        name, _, rest = action_in(f"/api/v1/web/{path}")
    except NoSuchRoute:
        return
    assert name.name
    assert not rest or rest.startswith("/")


def test_headers_are_lower_case_and_the_last_of_a_name_counts() -> None:
    raw = [(b"X-A", b"1"), (b"x-a", b"2"), (b"Content-Type", b"text/plain"), (b"authorization", b"Bearer token")]
    assert headers_of(raw, NOBODY) == {"x-a": "2", "content-type": "text/plain", "authorization": "Bearer token"}


@pytest.mark.parametrize(
    "visitor",
    [
        Caller(subject="other", namespace="other", source="key"),
        Caller(subject="operator", namespace="", source="operator"),
    ],
)
def test_a_key_of_this_platform_goes_no_further(visitor: Caller) -> None:
    assert headers_of([(b"authorization", b"Basic key"), (b"x-a", b"1")], visitor) == {"x-a": "1"}
