"""Web actions over HTTP, behaviour by behaviour as OpenWhisk's own suite names them, by visitors known and unknown."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from rambla.http.web_request import METHODS
from rooms import Rooms

pytestmark = pytest.mark.anyio
WEB = "/api/v1/web/guest"
ABSENT = "The requested resource does not exist."
NO_ROUTE = "The requested resource could not be found."
RESERVED = "Request defines parameters that are not allowed (e.g., reserved properties)."
ALLOWED_METHODS = "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"
ALLOWED_HEADERS = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
INVOKING = [method for method in METHODS if method != "OPTIONS"]
Put = Callable[..., Awaitable[None]]


@pytest.fixture(params=["", "other"], ids=["unknown", "known"])
def user(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def visitor(web: httpx.AsyncClient, other_key: str, user: str) -> httpx.AsyncClient:
    """Without any credentials, or with the key of `other`."""
    if user:
        web.headers["Authorization"] = other_key
    return web


@pytest.fixture
def put(guest: httpx.AsyncClient) -> Put:
    """Writes a web action, which runs `code` and has `annotations` and `parameters`."""

    async def put_action(name: str, code: str = "echo", parameters: Any = None, **annotations: Any) -> None:
        if "/" in name:
            await guest.put(f"packages/{name.partition('/')[0]}?overwrite=true", json={})
        named = {key.replace("_", "-"): value for key, value in ({"web_export": True} | annotations).items()}
        body = {
            "exec": {"kind": "python:3", "code": code},
            "annotations": [{"key": key, "value": value} for key, value in named.items()],
            "parameters": [{"key": key, "value": value} for key, value in (parameters or {}).items()],
        }
        assert (await guest.put(f"actions/{name}?overwrite=true", json=body)).status_code == 200

    return put_action


def told(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json().keys() == {"error", "code"}
    assert answer.json()["code"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json()["error"]


# --- routes ---


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["", "/", "/a", "/a/", "/p/%2F", "//a"])
async def test_does_not_match_invalid_routes(visitor: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await visitor.request(method, f"{WEB}{path}")
    assert answer.status_code == 404
    assert method == "HEAD" or told(answer) == (404, NO_ROUTE)


@pytest.mark.parametrize("method", METHODS)
async def test_rejects_when_namespace_package_or_action_is_absent_or_not_exported(
    visitor: httpx.AsyncClient, put: Put, method: str
) -> None:
    await put("p/a")
    await put("p/hidden", web_export=False)
    for path in ("absent/p/a", "guest/absent/a", "guest/default/a", "guest/p/absent", "guest/p/hidden", "_/p/a"):
        for ending in ("", ".json", ".xyz", ".json/rest"):
            answer = await visitor.request(method, f"/api/v1/web/{path}{ending}")
            assert answer.status_code == 404
            assert method == "HEAD" or told(answer) == (404, ABSENT)


async def test_rejects_unknown_extensions(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("p/a")
    for ending in (".xyz", ".xyz/", ".xyzz/content", ".jsonx"):
        assert told(await visitor.get(f"{WEB}/p/a{ending}")) == (404, ABSENT)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
async def test_other_methods_are_405(visitor: httpx.AsyncClient, method: str) -> None:
    answer = await visitor.request(method, f"{WEB}/p/a")
    text = f"HTTP method not allowed, supported methods: {', '.join(METHODS)}"
    assert told(answer) == (405, text)


# --- arguments ---


@pytest.mark.parametrize("method", INVOKING)
async def test_invokes_and_merges_query_and_body_parameters(
    visitor: httpx.AsyncClient, put: Put, user: str, method: str
) -> None:
    await put("p/a", parameters={"y": "default", "z": "default"})
    answer = await visitor.request(method, f"{WEB}/p/a.json/content?a=b&x=q", json={"x": True, "z": "body"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert len(answer.headers["x-openwhisk-activation-id"]) == 32
    if method == "HEAD":
        return
    got = answer.json()
    headers = got.pop("__ow_headers")
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    expected = {
        "a": "b",
        "x": True,
        "y": "default",
        "z": "body",
        "__ow_method": method.lower(),
        "__ow_path": "/content",
    }
    assert got == (expected | {"__ow_user": user} if user else expected)


@pytest.mark.parametrize(("ending", "path"), [("", ""), ("/", "/"), ("/x%20y//z%2F", "/x%20y//z%2F")])
async def test_passes_the_unmatched_segment_to_the_action(
    visitor: httpx.AsyncClient, put: Put, ending: str, path: str
) -> None:
    await put("a")
    answer = await visitor.get(f"{WEB}/default/a.json{ending}")
    assert answer.json()["__ow_path"] == path


async def test_supports_formdata(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a")
    got = (await visitor.post(f"{WEB}/default/a.json", data={"field1": "value1", "field2": "value 2"})).json()
    assert (got["field1"], got["field2"]) == ("value1", "value 2")


@pytest.mark.parametrize("sent", ["this is a string", [1, "str str", False], True, 99, None])
async def test_inlines_a_body_that_is_no_object(visitor: httpx.AsyncClient, put: Put, sent: object) -> None:
    await put("a")
    headers = {"Content-Type": "application/json"}
    answer = await visitor.post(f"{WEB}/default/a.json", content=json.dumps(sent), headers=headers)
    assert answer.json()["__ow_body"] == sent


async def test_encodes_a_binary_body(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a")
    answer = await visitor.post(f"{WEB}/default/a.json", content=b"\x89PNG", headers={"Content-Type": "image/png"})
    assert base64.b64decode(answer.json()["__ow_body"]) == b"\x89PNG"


@pytest.mark.parametrize("name", ["method", "headers", "path", "user", "query", "body"])
async def test_rejects_a_request_that_overrides_reserved_properties(
    visitor: httpx.AsyncClient, put: Put, name: str
) -> None:
    await put("a")
    assert told(await visitor.get(f"{WEB}/default/a.json?__ow_{name}=x")) == (400, RESERVED)
    assert told(await visitor.post(f"{WEB}/default/a.json", json={f"__ow_{name}": "x"})) == (400, RESERVED)


async def test_rejects_a_request_that_overrides_final_parameters(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a", parameters={"x": 1, "empty": None}, final=True)
    assert told(await visitor.get(f"{WEB}/default/a.json?x=2")) == (400, RESERVED)
    assert told(await visitor.post(f"{WEB}/default/a.json", json={"x": 2})) == (400, RESERVED)
    assert (await visitor.get(f"{WEB}/default/a.json?empty=2")).json()["empty"] == "2"


async def test_a_raw_http_action_gets_query_and_body_as_they_came(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a", parameters={"x": 1}, final=True, raw_http=True)
    got = (await visitor.post(f"{WEB}/default/a.json?x=2&__ow_body=y", json={"x": 2})).json()
    assert (got["x"], got["__ow_query"]) == (1, "x=2&__ow_body=y")
    assert json.loads(base64.b64decode(got["__ow_body"])) == {"x": 2}
    got = (await visitor.post(f"{WEB}/default/a.json")).json()
    assert (got["__ow_query"], got["__ow_body"]) == ("", "")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "image/png"])
async def test_rejects_an_entity_that_is_too_large(visitor: httpx.AsyncClient, put: Put, kind: str) -> None:
    await put("a", "answer", {"answer": {}})
    size = 2**20 + 9
    content = b'{"a":"' + b"a" * (size - 8) + b'"}'
    answer = await visitor.post(f"{WEB}/default/a.json", content=content, headers={"Content-Type": kind})
    assert told(answer) == (413, f"Request larger than allowed: {size} > {2**20} bytes.")
    answer = await visitor.post(f"{WEB}/default/a.json", content=content[9:], headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200


async def test_malformed_json_is_400(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a")
    answer = await visitor.post(f"{WEB}/default/a.json", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The request content was malformed:\n")


# --- answers ---


@pytest.mark.parametrize("method", INVOKING)
async def test_uses_status_code_and_headers_of_the_action(visitor: httpx.AsyncClient, put: Put, method: str) -> None:
    answer_ = {
        "statusCode": 302,
        "headers": {"location": "http://openwhisk.org", "Set-Cookie": ["a=b", "c=d; Path = /"]},
    }
    await put("a", "answer", {"answer": answer_})
    for ending in ("", ".http"):
        answer = await visitor.request(method, f"{WEB}/default/a{ending}")
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["location"] == "http://openwhisk.org"
        assert answer.headers.get_list("set-cookie") == ["a=b", "c=d; Path = /"]


async def test_an_error_of_the_action_is_its_answer(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a", "answer", {"answer": {"error": {"statusCode": 418, "body": "no hello for you"}}})
    answer = await visitor.get(f"{WEB}/default/a")
    assert (answer.status_code, answer.text) == (418, "no hello for you")


async def test_a_crash_of_the_action_is_400_and_its_activation_is_named(
    visitor: httpx.AsyncClient, guest: httpx.AsyncClient, put: Put
) -> None:
    await put("a", "crash")
    answer = await visitor.get(f"{WEB}/default/a.json")
    assert told(answer) == (400, "There was an error processing your request.")
    record = (await guest.get(f"activations/{answer.headers['x-openwhisk-activation-id']}")).json()
    assert (record["response"]["status"], record["subject"]) == ("action developer error", "guest")


async def test_an_action_that_takes_long_is_202(
    visitor: httpx.AsyncClient, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rambla.flow.web.WAIT_MS", 1)
    await put("a", "sleep")
    answer = await visitor.get(f"{WEB}/default/a.json")
    assert told(answer) == (202, "Response not yet ready.")
    assert len(answer.headers["x-openwhisk-activation-id"]) == 32


async def test_a_client_that_takes_nothing_of_the_kind_is_406_and_the_action_runs_once(
    visitor: httpx.AsyncClient, put: Put, rooms: Rooms
) -> None:
    await put("a", "answer", {"answer": {"html": "<p/>"}})
    answer = await visitor.get(f"{WEB}/default/a.html", headers={"Accept": "text/xml"})
    text = "Resource representation is only available with these types:\ntext/html; charset=UTF-8"
    assert told(answer) == (406, text)
    assert len([intent for intent in await rooms.intents() if intent.work]) == 1


# --- who may, and from where ---


@pytest.mark.parametrize("method", METHODS)
async def test_require_whisk_auth_wants_any_key(visitor: httpx.AsyncClient, put: Put, user: str, method: str) -> None:
    await put("a", require_whisk_auth=True)
    answer = await visitor.request(method, f"{WEB}/default/a.json")
    assert answer.status_code == (200 if user or method == "OPTIONS" else 401)
    assert answer.headers["access-control-allow-origin"] == "*"
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Basic realm="OpenWhisk secure realm"'
    elif method in ("GET", "POST"):
        assert answer.json()["__ow_user"] == user


@pytest.mark.parametrize("method", METHODS)
async def test_require_whisk_auth_wants_its_secret(visitor: httpx.AsyncClient, put: Put, method: str) -> None:
    await put("a", require_whisk_auth="secret")
    for header, status in (("secret", 200), ("secret-bad", 401), ("", 401), (None, 401)):
        headers = {} if header is None else {"X-Require-Whisk-Auth": header}
        answer = await visitor.request(method, f"{WEB}/default/a.json", headers=headers)
        assert answer.status_code == (200 if method == "OPTIONS" else status)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("asked", [None, "x-custom-header"])
async def test_responds_with_default_options_headers(
    visitor: httpx.AsyncClient, put: Put, rooms: Rooms, method: str, asked: str | None
) -> None:
    await put("a")
    headers = {"Access-Control-Request-Headers": asked} if asked else {}
    answer = await visitor.request(method, f"{WEB}/default/a.json", headers=headers)
    assert answer.status_code == 200
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert answer.headers["access-control-allow-methods"] == ALLOWED_METHODS
    assert answer.headers["access-control-allow-headers"] == (asked or ALLOWED_HEADERS)
    ran = [intent for intent in await rooms.intents() if intent.work]
    assert (len(ran), bool(answer.content)) == ((0, False) if method == "OPTIONS" else (1, method != "HEAD"))


async def test_responds_with_custom_options_even_when_authentication_is_missing(
    web: httpx.AsyncClient, put: Put
) -> None:
    answer_ = {"headers": {"Access-Control-Allow-Methods": "OPTIONS, GET, PATCH"}}
    await put("a", "answer", {"answer": answer_}, web_custom_options=True, require_whisk_auth=True)
    asked = {"Access-Control-Request-Headers": "x-custom-header"}
    answer = await web.options(f"{WEB}/default/a.http", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-methods"]) == (204, "OPTIONS, GET, PATCH")
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-headers" not in answer.headers
    assert (await web.get(f"{WEB}/default/a.http")).status_code == 401


async def test_errors_of_ours_can_be_read_from_other_origins(visitor: httpx.AsyncClient, put: Put) -> None:
    await put("a")
    for path in ("a.json?__ow_user=x", "absent"):
        answer = await visitor.get(f"{WEB}/default/{path}", headers={"Access-Control-Request-Headers": "x-a"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-headers"] == "x-a"


async def test_wrong_credentials_are_none(web: httpx.AsyncClient, put: Put) -> None:
    await put("a")
    for wrong in ("Basic wrong", "Bearer a-token-of-its-own"):
        got = (await web.get(f"{WEB}/default/a.json", headers={"Authorization": wrong})).json()
        assert "__ow_user" not in got
        assert got["__ow_headers"]["authorization"] == wrong
