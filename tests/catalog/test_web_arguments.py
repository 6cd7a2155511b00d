"""Which arguments a request becomes, by OpenWhisk's rules."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.catalog.web_arguments import FIELDS_MAX, web_arguments
from rambla.domain.entities import Parameter
from rambla.domain.errors import BadRequest, CallerError, MalformedContent
from rambla.domain.names import FullName
from rambla.domain.web import WebRequest

NAME = FullName("guest", "", "a")
PNG = b"\x89PNG\r\n\x1a\n\x00"
RESERVED = "Request defines parameters that are not allowed (e.g., reserved properties)."


def arguments(
    request: dict[str, Any], defaults: tuple[Parameter, ...] = (), *, raw: bool = False, final: bool = False
) -> dict[str, Any]:
    """Those of a request by POST, without what every request gives."""
    whole = WebRequest(name=NAME, **({"method": "POST"} | request))
    given: dict[str, Any] = json.loads(web_arguments(whole, defaults, raw=raw, final=final))
    assert (given.pop("__ow_method"), given.pop("__ow_headers")) == (whole.method.lower(), whole.headers)
    assert given.pop("__ow_path") == whole.path
    return given


def sent(body: bytes, kind: str = "application/json", query: str = "") -> dict[str, Any]:
    return {"headers": {"content-type": kind} if kind else {}, "body": body, "query": query}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (sent(b""), {}),
        (sent(b"{}"), {}),
        (sent(b"[]"), {"__ow_body": []}),
        (sent(b"null"), {"__ow_body": None}),
        (sent(b'"text"'), {"__ow_body": "text"}),
        (sent(b"99"), {"__ow_body": 99}),
        (sent(b'{"a":1}', query="a=b&c=d"), {"a": 1, "c": "d"}),
        (sent(b'{"a":1}', "application/cloudevents+json"), {"a": 1}),
        (sent(b'{"a":1}', "Application/JSON; charset=utf-8"), {"a": 1}),
        (sent(b"a=1&b=x+y%21&a=2&c", "application/x-www-form-urlencoded", "b=q"), {"a": "2", "b": "x y!", "c": ""}),
        (sent(b"1,2,3", "text/html; charset=UTF-8"), {"__ow_body": "1,2,3"}),
        (sent(b"\xff", "text/plain"), {"__ow_body": "\ufffd"}),
        (sent(b"<a/>", "application/xml"), {"__ow_body": "<a/>"}),
        (sent(PNG, "image/png"), {"__ow_body": base64.b64encode(PNG).decode()}),
        (sent(b"who knows", ""), {"__ow_body": base64.b64encode(b"who knows").decode()}),
        (sent(b"", "image/png"), {}),
        ({"user": "other"}, {"__ow_user": "other"}),
        ({"query": "a=1&a=2&%C3%A9=%F0%9F%92%A9&empty="}, {"a": "2", "é": "💩", "empty": ""}),
    ],
)
def test_query_and_body_become_arguments(request_: dict[str, Any], expected: dict[str, Any]) -> None:
    assert arguments(request_) == expected


@pytest.mark.parametrize(
    ("request_", "query", "body"),
    [
        ({}, "", ""),
        (sent(b'{"x": 1}', query="x=1&y=%20"), "x=1&y=%20", base64.b64encode(b'{"x": 1}').decode()),
        (sent(b"not JSON", query="__ow_body=x"), "__ow_body=x", base64.b64encode(b"not JSON").decode()),
        (sent(b"a=1", "application/x-www-form-urlencoded"), "", "a=1"),
        (sent(b'{"a":1}', "application/hal+json"), "", '{"a":1}'),
        (sent(PNG, "image/png"), "", base64.b64encode(PNG).decode()),
    ],
)
def test_raw_http_gets_both_as_they_came(request_: dict[str, Any], query: str, body: str) -> None:
    defaults = (Parameter("x", "kept"),)
    expected = {"__ow_query": query, "__ow_body": body, "x": "kept"}
    assert arguments(request_, defaults, raw=True, final=True) == expected


def test_defaults_are_the_weakest_and_what_is_known_of_the_request_the_strongest() -> None:
    defaults = (Parameter("a", 1), Parameter("b", 1), Parameter("__ow_path", "forged"))
    assert arguments({"query": "a=2", "path": "/rest"}, defaults) == {"a": "2", "b": 1}


@pytest.mark.parametrize("name", ["method", "headers", "path", "user", "query", "body"])
def test_reserved_names_are_refused_in_query_and_body(name: str) -> None:
    for request in (
        {"query": f"__ow_{name}=x"},
        sent(f'{{"__ow_{name}":1}}'.encode()),
        sent(f"__ow_{name}=x".encode(), "application/x-www-form-urlencoded"),
    ):
        with pytest.raises(BadRequest, match=RESERVED[:20]):
            arguments(request)


def test_final_defaults_with_a_value_cannot_be_overridden() -> None:
    defaults = (Parameter("x", 1), Parameter("empty", None))
    for request in ({"query": "x=2"}, sent(b'{"x":2}')):
        with pytest.raises(BadRequest, match=RESERVED[:20]):
            arguments(request, defaults, final=True)
    assert arguments({"query": "empty=2"}, defaults, final=True) == {"x": 1, "empty": "2"}


@pytest.mark.parametrize(
    "request_",
    [
        sent(b"{"),
        sent(b'{"a":"\xff"}'),
        sent(b"NaN"),
        sent(b"[" * 300 + b"]" * 300),
        sent(b"{} {}"),
        {"query": "&".join("a=1" for _ in range(FIELDS_MAX + 1))},
        sent(b"a&" * FIELDS_MAX + b"a", "application/x-www-form-urlencoded"),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_what_cannot_be_read_is_malformed(request_: dict[str, Any]) -> None:
    with pytest.raises(MalformedContent):
        arguments(request_)


def test_numbers_stay_as_they_were_written() -> None:
    number = b"12345678901234567890123456789.10"
    for body in (b'{"a":' + number + b"}", number):
        request = WebRequest(name=NAME, method="POST", **sent(body))
        assert number in web_arguments(request, (), raw=False, final=False)


@given(
    body=st.binary(),
    query=st.text(),
    kind=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", "?"]),
    raw=st.booleans(),
    final=st.booleans(),
)
def test_whatever_is_sent_becomes_one_json_object_or_is_the_callers_fault(
    body: bytes, query: str, kind: str, raw: bool, final: bool
) -> None:
    query = query.encode(errors="replace").decode("latin-1")  # as a door hands it over
    request = WebRequest(name=NAME, method="PUT", headers={"content-type": kind}, body=body, query=query)
    try:
        text = web_arguments(request, (Parameter("a", 1),), raw=raw, final=final)
    except CallerError:
        assert not raw
        return
    given_arguments = json.loads(text)
    assert given_arguments["__ow_method"] == "put"
    assert not raw or {"__ow_body", "__ow_query"} <= given_arguments.keys()
