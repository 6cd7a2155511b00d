"""Whatever is sent, the answer is a stated error, and the next request is served."""

from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import Message

from rambla.flow.platform import Platform
from rambla.http.app import build_app
from rambla.http.body import DISCARDED_BYTES_MAX

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
MALFORMED = "The request content was malformed:\n"
MB = 2**20


NO_OBJECTS = [b"{", b"[]", b"null", b'"text"', b"{} {}", b"\xef\xbb\xbf{}", b"\x00"]
NO_VALUES = [
    b"NaN",
    b"1e999",
    b'"\xff"',
    b'"\\ud800"',
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 250 + b"]" * 250,
    b'{"a":' * 250 + b"1" + b"}" * 250,
]


@pytest.mark.parametrize(
    "content",
    [*NO_OBJECTS, *(b'{"annotations":[{"key":"k","value":' + value + b"}]}" for value in NO_VALUES)],
    ids=lambda content: repr(content[-48:][:24]),
)
@pytest.mark.parametrize("path", ["actions/x", "triggers/x"])
async def test_what_is_no_json_object_is_malformed(guest: httpx.AsyncClient, path: str, content: bytes) -> None:
    for method in ("PUT", "POST"):
        answer = await guest.request(method, path, content=content, headers=JSON)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(MALFORMED)
        assert answer.json()["code"] == answer.headers["x-request-id"]


async def test_deep_values_within_bounds_come_back_whole(guest: httpx.AsyncClient) -> None:
    deep: object = 1
    for _ in range(150):
        deep = [deep]
    await guest.put("triggers/t", json={"annotations": [{"key": "deep", "value": deep}]})
    assert (await guest.get("triggers/t")).json()["annotations"][0]["value"] == deep


async def test_a_body_of_another_type_is_415(guest: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "é"):
        answer = await guest.put("packages/p", content=b"{}", headers={b"Content-Type": kind.encode()})
        assert answer.status_code == 415
        expected = "The request's Content-Type is not supported. Expected:\napplication/json"
        assert answer.json()["error"] == expected
    for kind in ("application/json; charset=UTF-8", "Application/JSON"):
        answer = await guest.put("packages/p?overwrite=true", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["actions/x", "triggers/x"])
async def test_a_payload_of_2_mb_is_413(guest: httpx.AsyncClient, path: str) -> None:
    content = b'{"a":"' + b"x" * (2 * MB - 8) + b'"}'
    answer = await guest.post(path, content=content, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"] == f"Request larger than allowed: {2 * MB} > {MB} bytes."


async def in_chunks(size: int, counted: list[int]) -> AsyncIterator[bytes]:
    for _ in range(size // MB):
        counted.append(MB)
        yield b" " * MB


async def test_a_body_without_a_stated_length_is_counted_as_it_comes(guest: httpx.AsyncClient) -> None:
    answer = await guest.post("triggers/x", content=in_chunks(3 * MB, []), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"] == f"Request larger than allowed: {3 * MB} > {MB} bytes."


async def test_an_endless_body_is_not_read_to_its_end(guest: httpx.AsyncClient) -> None:
    sent: list[int] = []
    answer = await guest.post("triggers/x", content=in_chunks(1000 * MB, sent), headers=JSON)
    assert answer.status_code == 413
    assert sum(sent) <= DISCARDED_BYTES_MAX + 3 * MB


async def test_a_client_that_asks_first_is_told_before_it_sends(guest: httpx.AsyncClient) -> None:
    sent: list[int] = []
    headers = JSON | {"Content-Length": str(5 * MB), "Expect": "100-continue"}
    answer = await guest.post("triggers/x", content=in_chunks(5 * MB, sent), headers=headers)
    assert answer.status_code == 413
    assert not sent


async def test_a_client_that_sends_less_than_it_says_is_not_believed(guest: httpx.AsyncClient) -> None:
    headers = JSON | {"Content-Length": str(5 * MB)}
    answer = await guest.post("triggers/x", content=in_chunks(MB // 2, []), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n" * 300, "Name segement longer than allowed: 300 > 256."),
        ("-n", "The name of the entity contains illegal characters."),
        ("n ", "The name of the entity contains illegal characters."),
        ("n%0A", "The name of the entity contains illegal characters."),
        ("n%00", "The name of the entity contains illegal characters."),
        ("%F0%9F%92%A9", "The name of the entity contains illegal characters."),
        ("%FF", "The name of the entity contains illegal characters."),
        ("a;drop", "The name of the entity contains illegal characters."),
    ],
)
@pytest.mark.parametrize("collection", ["actions", "packages", "triggers", "rules"])
async def test_names_that_are_not_allowed_are_refused(
    guest: httpx.AsyncClient, collection: str, name: str, text: str
) -> None:
    body = {"exec": {"kind": "python:3", "code": "echo"}, "trigger": "/_/t", "action": "/_/a"}
    answer = await guest.put(f"{collection}/{name}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)


async def test_a_namespace_that_is_not_allowed_is_refused(guest: httpx.AsyncClient) -> None:
    answer = await guest.get("http://rambla/api/v1/namespaces/a%20%24b/actions")
    assert (answer.status_code, answer.json()["error"]) == (400, "The namespace contains illegal characters.")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/namespaces/_/actions/../../guest/actions/a", 200),
        ("/api/v1/namespaces/_/actions/../actions/a", 200),
        ("/api/v1/namespaces/other/../guest/actions/a", 200),
        ("/api/v1/namespaces/_/actions/../../other/actions/a", 403),
        ("/api/v1/namespaces/_/actions/%2e%2e/%2e%2e/guest/actions/a", 404),
        ("/api/v1/namespaces/../api-docs", 404),
        ("/api/v1/namespaces/../../../platform/v1/status", 404),
        ("/api/v1/namespaces/../../../../../ping", 404),
        ("/other/../api/v1/namespaces", 404),
    ],
)
async def test_dots_lead_from_one_namespace_to_another_and_nowhere_else(
    guest: httpx.AsyncClient, guest_key: str, platform: Platform, path: str, status: int
) -> None:
    await guest.put("actions/a", json={"exec": {"kind": "python:3", "code": "echo"}})
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": b""}
    await build_app(platform)({**scope, "headers": [(b"authorization", guest_key.encode())]}, receive, send)
    assert sent[0]["status"] == status


async def test_huge_headers_are_431(guest: httpx.AsyncClient) -> None:
    answer = await guest.get("actions", headers={"X-Large": "x" * 70_000})
    assert answer.status_code == 431
    assert answer.json()["error"].startswith("Request header fields larger than allowed: ")


@pytest.mark.parametrize("given", ["sid_internal", "x" * 200, "a b", "é"])
async def test_a_request_id_that_we_would_not_log_is_not_adopted(web: httpx.AsyncClient, given: str) -> None:
    answer = await web.get("/ping", headers={b"X-Request-ID": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_a_fault_of_our_own_tells_nothing_of_itself(
    platform: Platform, guest_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = object.__new__(Platform)
    for field in Platform.__slots__:
        object.__setattr__(broken, field, getattr(platform, field) if field != "entities" else None)
    transport = httpx.ASGITransport(build_app(broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as client:
        answer = await client.get("/api/v1/namespaces/_/actions", headers={"Authorization": guest_key})
    assert answer.status_code == 500
    expected = {"error": "There was an internal server error.", "code": answer.headers["x-request-id"]}
    assert answer.json() == expected
    assert "NoneType" in caplog.text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"x":[' + b"{}," * 49_000 + b"{}]}", 200),
        (b'{"x":[' + b"{}," * 51_000 + b"{}]}", 400),
        (b'{"x":' + b"[" * 199 + b"]" * 199 + b"}", 200),
        (b'{"x":' + b"[" * 201 + b"]" * 201 + b"}", 400),
        (b'{"x":"' + b"[{" * 100_000 + rb"\"[" + b'"}', 200),
    ],
    ids=["many", "too many", "deep", "too deep", "brackets in strings"],
)
async def test_a_body_may_hold_many_values_but_not_without_bound(
    guest: httpx.AsyncClient, content: bytes, status: int
) -> None:
    await guest.put("actions/echo", json={"exec": {"kind": "python:3", "code": "echo"}})
    answer = await guest.post("actions/echo?blocking=true&result=true", content=content, headers=JSON)
    assert answer.status_code == status, answer.text[:200]
