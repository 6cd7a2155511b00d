"""What a result becomes: OpenWhisk's table of transcoders, and that nothing an action answers breaks anything."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from rambla.domain.activation import STATUS_CODES, Activation, Status
from rambla.domain.names import FullName
from rambla.domain.web import EXTENSIONS, Extension, WebRequest
from rambla.http.web_message import HEADERS_BYTES_MAX, HEADERS_MAX
from rambla.http.web_response import respond

PNG = b"\x89PNG\r\n\x1a\n\x00"
PNG_TEXT = base64.b64encode(PNG).decode()
ID = "a" * 32
MESSAGE, HTML, SVG, JSON = (
    f"Response is not valid '{kind}'." for kind in ("message/http", "text/html", "image/svg+xml", "application/json")
)
MISSING = "Response does not include requested property."
UNKNOWN = "Response did not specify a known content-type."
WRONG = "Response type in header did not match generated content type."
FAILED = "There was an error processing your request."


def activation(result: bytes, status: Status = "success") -> Activation:
    return Activation(
        id=ID,
        namespace="guest",
        name="a",
        version="0.0.1",
        subject="guest",
        start_ms=1,
        end_ms=2,
        status=status,
        result=result,
    )


def responded(
    result: object, extension: Extension = "http", *, status: Status = "success", accept: str | None = None
) -> Response:
    request = WebRequest(
        name=FullName("guest", "", "a"),
        method="GET",
        extension=extension,
        headers={} if accept is None else {"accept": accept},
    )
    text = result if isinstance(result, bytes) else json.dumps(result).encode()
    response = respond(activation(text, status), request, "request")
    assert response.headers["x-openwhisk-activation-id"] == ID
    return response


def error_of(response: Response) -> tuple[int, str]:
    told = json.loads(bytes(response.body))
    assert told.keys() == {"error", "code"}
    assert (told["code"], response.headers["content-type"]) == ("request", "application/json")
    return response.status_code, told["error"]


@pytest.mark.parametrize(
    ("result", "status", "kind", "body"),
    [
        ({}, 204, None, b""),
        ({"body": ""}, 204, None, b""),
        ({"body": None}, 204, None, b""),
        ({"statusCode": 200}, 200, None, b""),
        ({"statusCode": 201, "headers": {"content-type": "application/json"}}, 201, None, b""),
        ({"statusCode": "200"}, 200, None, b""),
        ({"statusCode": 200.0}, 200, None, b""),
        ({"statusCode": 444}, 444, None, b""),
        ({"statusCode": "444", "body": "x"}, 444, "text/html; charset=UTF-8", b"x"),
        ({"body": "hello wörld"}, 200, "text/html; charset=UTF-8", "hello wörld".encode()),
        ({"statusCode": 201, "body": '{"a":1}'}, 201, "text/html; charset=UTF-8", b'{"a":1}'),
        ({"body": {"a": 1}}, 200, "application/json", b'{\n  "a": 1\n}'),
        ({"body": [1]}, 200, "application/json", b"[\n  1\n]"),
        ({"body": 3}, 200, "application/json", b"3"),
        ({"body": False}, 200, "application/json", b"false"),
        ({"headers": {"Content-Type": "application/hal+json"}, "body": {"a": 1}}, 200, "application/hal+json", None),
        ({"headers": {"content-type": "application/json"}, "body": '{"a":1}'}, 200, "application/json", b'{"a":1}'),
        ({"headers": {"content-type": "application/json"}, "body": "hello!"}, 200, "application/json", b"hello!"),
        ({"headers": {"content-type": "text/csv"}, "body": "abcd"}, 200, "text/csv; charset=UTF-8", b"abcd"),
        ({"headers": {"content-type": "image/png"}, "body": PNG_TEXT}, 200, "image/png", PNG),
        ({"headers": {"content-type": "image/png"}, "body": PNG_TEXT.rstrip("=")}, 200, "image/png", PNG),
        (
            {"headers": {"content-type": "application/json-patch+json"}, "body": base64.b64encode(b'{"a":1}').decode()},
            200,
            "application/json-patch+json",
            b'{"a":1}',
        ),
        ({"statusCode": 204, "body": "must not be there"}, 204, "text/html; charset=UTF-8", b""),
        ({"statusCode": 304, "body": "must not be there"}, 304, "text/html; charset=UTF-8", b""),
    ],
)
def test_http_is_status_headers_and_body(result: Any, status: int, kind: str | None, body: bytes | None) -> None:
    response = responded(result)
    assert (response.status_code, response.headers.get("content-type")) == (status, kind)
    assert body is None or bytes(response.body) == body


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([], MESSAGE),
        (b'"text"', MESSAGE),
        ({"statusCode": "xyz"}, MESSAGE),
        ({"statusCode": None}, MESSAGE),
        ({"statusCode": 200.5}, MESSAGE),
        ({"statusCode": 100}, MESSAGE),
        ({"statusCode": 101}, MESSAGE),
        ({"statusCode": 600}, MESSAGE),
        ({"statusCode": -200}, MESSAGE),
        ({"statusCode": "٢٠٠"}, MESSAGE),
        ({"headers": None}, MESSAGE),
        ({"headers": []}, MESSAGE),
        ({"headers": {"a": None}}, MESSAGE),
        ({"headers": {"a": {}}}, MESSAGE),
        ({"headers": {"a": "b\r\nSet-Cookie: c=d"}}, MESSAGE),
        ({"headers": {"a": "b\n"}}, MESSAGE),
        ({"headers": {"a": ["b", "c\r"]}}, MESSAGE),
        ({"headers": {"a": "b\0"}}, MESSAGE),
        ({"headers": {"a": "💩"}}, MESSAGE),
        ({"headers": {"a:b": "c"}}, MESSAGE),
        ({"headers": {"a\r\nb": "c"}}, MESSAGE),
        ({"headers": {"": "c"}}, MESSAGE),
        ({"headers": {"a": ["b"] * (HEADERS_MAX + 1)}}, MESSAGE),
        ({"headers": {"a": "b" * HEADERS_BYTES_MAX}}, MESSAGE),
        ({"headers": {"content-type": "xyzbar"}, "body": "hello world"}, UNKNOWN),
        ({"headers": {"content-type": "text/html"}, "body": {"a": 1}}, WRONG),
        ({"headers": {"content-type": "xyzbar"}, "body": {"a": 1}}, WRONG),
        ({"headers": {"content-type": "image/png"}, "body": "no base64!"}, WRONG),
    ],
    ids=lambda one: str(one)[:50],
)
def test_what_is_no_http_message_is_400(result: Any, text: str) -> None:
    assert error_of(responded(result)) == (400, text)


@pytest.mark.parametrize(
    ("extension", "result", "kind", "body"),
    [
        ("json", {"foobar": "foobar"}, "application/json", b'{\n  "foobar": "foobar"\n}'),
        ("json", [1], "application/json", b"[\n  1\n]"),
        ("html", {"html": "<p>hé</p>"}, "text/html; charset=UTF-8", "<p>hé</p>".encode()),
        ("html", {"body": "b", "html": "h"}, "text/html; charset=UTF-8", b"b"),
        ("html", b'"<p/>"', "text/html; charset=UTF-8", b"<p/>"),
        ("svg", {"svg": "<svg/>"}, "image/svg+xml", b"<svg/>"),
        ("svg", {"body": "<svg/>"}, "image/svg+xml", b"<svg/>"),
        ("text", {"text": "default text"}, "text/plain; charset=UTF-8", b"default text"),
        ("text", {"body": {"a": "A"}}, "text/plain; charset=UTF-8", b'{\n  "a": "A"\n}'),
        ("text", {"body": ["a"]}, "text/plain; charset=UTF-8", b'[\n  "a"\n]'),
        ("text", {"body": "a"}, "text/plain; charset=UTF-8", b"a"),
        ("text", {"body": True}, "text/plain; charset=UTF-8", b"true"),
        ("text", {"body": 1}, "text/plain; charset=UTF-8", b"1"),
        ("text", {"body": None}, "text/plain; charset=UTF-8", b"null"),
        ("text", [1], "text/plain; charset=UTF-8", b"[\n  1\n]"),
        ("text", b'{"body":12345678901234567890.10}', "text/plain; charset=UTF-8", b"12345678901234567890.10"),
    ],
)
def test_an_extension_projects_its_field(extension: Extension, result: Any, kind: str, body: bytes) -> None:
    response = responded(result, extension)
    assert (response.status_code, response.headers["content-type"], bytes(response.body)) == (200, kind, body)


@pytest.mark.parametrize(
    ("extension", "result", "expected"),
    [
        ("json", b'"text"', (400, JSON)),
        ("json", b"1", (400, JSON)),
        ("html", {}, (400, HTML)),
        ("html", {"body": None, "html": "h"}, (400, HTML)),
        ("html", [], (400, HTML)),
        ("svg", {"svg": 1}, (400, SVG)),
        ("text", {"foobar": 1}, (404, MISSING)),
    ],
)
def test_what_has_not_the_field_is_told_so(extension: Extension, result: Any, expected: tuple[int, str]) -> None:
    assert error_of(responded(result, extension)) == expected


def test_the_error_of_an_action_goes_through_the_same_transcoder() -> None:
    failed: Status = "application error"
    response = responded({"error": {"statusCode": 403, "body": "no hello for you"}}, status=failed)
    assert (response.status_code, bytes(response.body)) == (403, b"no hello for you")
    assert error_of(responded({"error": "bad response type"}, "json", status=failed)) == (400, JSON)
    assert error_of(responded({"error": "text"}, status=failed)) == (400, MESSAGE)
    assert bytes(responded({"error": "text"}, "text", status=failed).body) == b"text"
    assert error_of(responded({}, status=failed)) == (404, MISSING)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("status", ["action developer error", "whisk internal error"])
def test_the_failure_of_code_or_platform_is_not_shown(extension: Extension, status: Status) -> None:
    assert error_of(responded({"error": {"body": "secret"}}, extension, status=status)) == (400, FAILED)


def test_what_is_not_ready_is_202() -> None:
    request = WebRequest(name=FullName("guest", "", "a"), method="GET")
    response = respond(ID, request, "request")
    assert error_of(response) == (202, "Response not yet ready.")
    assert response.headers["x-openwhisk-activation-id"] == ID


def test_headers_reach_the_client_each_value_on_its_own() -> None:
    cookies = ["a=b", "c=d; Path = /"]
    response = responded({"headers": {"Set-Cookie": cookies, "X-Number": 2.50, "x-flag": True, "Location": " /x "}})
    assert response.headers.getlist("set-cookie") == cookies
    assert (response.headers["x-number"], response.headers["x-flag"]) == ("2.5", "true")
    assert response.headers["location"] == "/x"


def test_what_belongs_to_the_connection_never_reaches_it() -> None:
    framing = {
        "Connection": "close",
        "Transfer-Encoding": "chunked",
        "CONTENT-LENGTH": "1",
        "Upgrade": "h2c",
        "TE": "x",
    }
    response = responded({"headers": framing | {"X-OpenWhisk-Activation-Id": "forged"}, "body": "hello"})
    assert set(response.headers) == {"content-length", "content-type", "x-openwhisk-activation-id"}
    assert response.headers["content-length"] == "5"


def test_a_client_that_takes_nothing_of_the_kind_is_406() -> None:
    text = "Resource representation is only available with these types:\ntext/html; charset=UTF-8"
    assert error_of(responded({"body": "Plain text"}, accept="application/json")) == (406, text)
    assert error_of(responded({"html": "<p/>"}, "html", accept="text/xml")) == (406, text)
    assert responded({"html": "<p/>"}, "html", accept="text/html").status_code == 200


def test_where_there_is_no_content_or_an_error_accept_does_not_matter() -> None:
    assert responded({"statusCode": 200}, accept="application/json").status_code == 200
    assert error_of(responded([], accept="text/html")) == (400, MESSAGE)


ANY_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
LIKE_HTTP = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": st.integers(0, 1000) | ANY_JSON,
        "headers": st.dictionaries(st.text() | st.sampled_from(["content-type", "Connection"]), ANY_JSON | st.text()),
        "body": ANY_JSON | st.sampled_from([PNG_TEXT, "abcd"]),
        "error": ANY_JSON,
    },
)
_NAME, _LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+"), re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


@given(
    result=st.one_of(LIKE_HTTP, st.fixed_dictionaries({"error": LIKE_HTTP}), ANY_JSON).map(
        lambda value: json.dumps(value).encode(errors="surrogatepass")
    )
    | st.binary(),
    extension=st.sampled_from(EXTENSIONS),
    status=st.sampled_from(list(STATUS_CODES)),
    accept=st.text(),
)
def test_whatever_an_action_answers_out_comes_a_valid_response(
    result: bytes, extension: Extension, status: Status, accept: str
) -> None:
    response = responded(result, extension, status=status, accept=accept)
    assert 200 <= response.status_code < 600
    names = [name for name, _ in response.raw_headers]
    assert all(_NAME.fullmatch(name) and _LINE.fullmatch(value) for name, value in response.raw_headers)
    assert not {b"connection", b"transfer-encoding", b"upgrade"} & set(names)
    assert names.count(b"content-length") <= 1
    assert names.count(b"content-type") <= 1


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"body":', b'{"headers":{"a":', b'{"headers":{"a":['])
def test_depth_without_end_is_answered(extension: Extension, opening: bytes) -> None:
    deep = 100_000
    closing = bytes(opening[::-1]).translate(bytes.maketrans(b"[{", b"]}"), delete=b'":abdehorsy')
    assert responded(opening * deep + b"1" + closing * deep, extension).status_code < 500
    assert responded(opening * deep, extension).status_code < 500
