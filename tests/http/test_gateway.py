"""Published APIs over HTTP: made by the requests that OpenWhisk's clients send, visited by anybody."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from rambla.app.system.seed import seed
from rambla.gateway.api import gateway_id
from rambla.http.web_request import METHODS
from rooms import Rooms

pytestmark = pytest.mark.anyio
ID = gateway_id("guest")
APIMGMT = "http://rambla/api/v1/web/whisk.system/apimgmt"
ABSENT = "The requested resource does not exist."
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH",
    "access-control-allow-headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
}
Publish = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def owner(rooms: Rooms, guest: httpx.AsyncClient) -> httpx.AsyncClient:
    """Who has the web actions `a`, which echoes, and `b`, which answers what its parameter says."""
    await seed(rooms.platform)
    answer = {"statusCode": 201, "headers": {"X-Own": "y", "Access-Control-Allow-Origin": "own"}, "body": "made"}
    for name, code in (("a", "echo"), ("b", "answer")):
        body = {
            "exec": {"kind": "python:3", "code": code},
            "annotations": [{"key": "web-export", "value": True}],
            "parameters": [{"key": "answer", "value": answer}] if name == "b" else [],
        }
        assert (await guest.put(f"actions/{name}", json=body)).status_code == 200
    return guest


def apidoc(path: str = "/path", method: str = "GET", action: str = "a", **more: Any) -> dict[str, Any]:
    url = f"http://rambla/api/v1/web/guest/default/{action}.http"
    backend = {"backendMethod": method, "backendUrl": url, "authkey": "u:s"}
    return {
        "apidoc": {
            "namespace": "_",
            "gatewayBasePath": "/base",
            "gatewayPath": path,
            "gatewayMethod": method,
            "id": "API:_:/base",
            "action": {"name": action, "namespace": "_", **backend},
            **more,
        }
    }


@pytest.fixture
def publish(owner: httpx.AsyncClient) -> Publish:
    """One operation as `wsk api create` does; with `swagger`, a whole document as with `--config-file`."""

    async def create(response_type: str = "json", swagger: Any = None, **operation: Any) -> httpx.Response:
        body = apidoc(**operation) if swagger is None else {"apidoc": {"namespace": "_", "swagger": swagger}}
        query = {"accesstoken": "DUMMY TOKEN", "spaceguid": "uuid", "responsetype": response_type}
        return await owner.post(f"{APIMGMT}/createApi.http", params=query, json=body)

    return create


def document(**fields: Any) -> dict[str, Any]:
    led = {"get": {"x-openwhisk": {"action": "b"}}}
    return {"swagger": "2.0", "basePath": "/base", "info": {"title": "x"}, "paths": {"/path": led}} | fields


def cors(enabled: bool) -> dict[str, Any]:
    return {"x-ibm-configuration": {"cors": {"enabled": enabled}}}


def told(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json().keys() == {"error", "code"}
    return answer.status_code, answer.json()["error"]


# --- management, as clients ask ---


async def test_an_api_is_made_read_and_deleted_with_the_answers_that_clients_expect(
    owner: httpx.AsyncClient, publish: Publish
) -> None:
    made = await publish()
    assert (made.status_code, made.headers["content-type"]) == (200, "application/json")
    value = made.json()
    assert {key: value[key] for key in value if key != "apidoc"} == {
        "namespace": "Not Used",
        "gwApiUrl": f"http://rambla/api/{ID}/base",
        "gwApiActivated": True,
        "tenantId": "Not Used",
    }
    for path in ("getApi", "getApi.http"):
        for query in ({}, {"basepath": "/base"}, {"limit": "30", "skip": "0", "accesstoken": "x", "spaceguid": "y"}):
            found = await owner.get(f"{APIMGMT}/{path}", params=query)
            assert (found.status_code, found.json()) == (
                200,
                {"apis": [{"id": "Not Used", "key": "Not Used", "value": value}]},
            )
    gone = await owner.delete(f"{APIMGMT}/deleteApi.http", params={"basepath": "/base", "force": "true"})
    assert (gone.status_code, gone.json()) == (200, {})
    assert (await owner.get(f"{APIMGMT}/getApi.http")).json() == {"apis": []}


async def test_a_failure_is_502_with_nothing_but_its_text(owner: httpx.AsyncClient, publish: Publish) -> None:
    for answer, text in (
        (await owner.delete(f"{APIMGMT}/deleteApi.http?basepath=/x"), "API deletion failure: API '/x' does not exist."),
        (await publish(swagger="{"), "swagger field cannot be parsed. Ensure it is valid JSON."),
        (await publish(action="absent"), "API creation failure: action /guest/absent does not exist"),
    ):
        assert (answer.status_code, answer.json()) == (502, {"error": text})


async def test_without_a_key_nothing_is_managed(web: httpx.AsyncClient, rooms: Rooms) -> None:
    await seed(rooms.platform)
    for headers in ({}, {"Authorization": "Basic d3Jvbmc6a2V5"}):
        answer = await web.post(f"{APIMGMT}/createApi.http", json=apidoc(), headers=headers)
        assert (answer.status_code, answer.json()) == (502, {"error": "A valid auth key is required."})
    answer = await web.get(f"{APIMGMT}/getApi.http?__ow_user=guest")
    assert told(answer) == (
        400,
        "Request defines parameters that are not allowed (e.g., reserved properties).",
    )


async def test_an_exported_document_can_be_imported_again(owner: httpx.AsyncClient, publish: Publish) -> None:
    await publish("http")
    found = (await owner.get(f"{APIMGMT}/getApi.http")).json()["apis"][0]["value"]["apidoc"]
    await owner.delete(f"{APIMGMT}/deleteApi.http?basepath=/base")
    assert (await publish(swagger=json.dumps(found))).json()["apidoc"] == found
    assert (await owner.get(f"http://rambla/api/{ID}/base/path")).status_code == 204


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "gw.example:8080"}, "http://gw.example:8080"),
        ({"Host": "10.0.0.1", "X-Forwarded-Proto": "https"}, "https://10.0.0.1"),
        ({"X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "HTTPS"}, "https://public.example"),
        ({"X-Forwarded-Host": "a b", "X-Forwarded-Proto": "javascript"}, ""),
    ],
)
async def test_the_gateways_address_is_the_one_that_the_client_used(
    owner: httpx.AsyncClient, publish: Publish, headers: dict[str, str], address: str
) -> None:
    await publish()
    found = await owner.get(f"{APIMGMT}/getApi.http", headers=headers)
    assert found.json()["apis"][0]["value"]["gwApiUrl"] == f"{address}/api/{ID}/base"


# --- visits ---


async def test_anybody_visits_what_was_published(web: httpx.AsyncClient, publish: Publish) -> None:
    url = (await publish()).json()["gwApiUrl"]
    answer = await web.get(f"{url}/path?x=1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert len(answer.headers["x-openwhisk-activation-id"]) == 32
    got = answer.json()
    assert (got["x"], got["__ow_method"], got["__ow_path"]) == ("1", "get", "")
    assert got["__ow_headers"]["x-forwarded-url"] == f"{url}/path?x=1"
    assert "__ow_user" not in got


async def test_the_action_says_status_headers_and_body(web: httpx.AsyncClient, publish: Publish) -> None:
    await publish("http", action="b")
    answer = await web.get(f"/api/{ID}/base/path")
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (201, "made", "y")


@pytest.mark.parametrize("method", METHODS)
async def test_all_methods_are_led(web: httpx.AsyncClient, publish: Publish, method: str) -> None:
    operation = {method.lower(): {"x-openwhisk": {"action": "b"}}}
    await publish(swagger=document(paths={"/path": operation}))
    answer = await web.request(method, f"/api/{ID}/base/path")
    assert answer.status_code == (200 if method == "OPTIONS" else 201)


async def test_what_is_no_route_is_404_and_another_method_405(web: httpx.AsyncClient, publish: Publish) -> None:
    await publish()
    await publish(method="PUT")
    other = gateway_id("other")
    for path in (f"/api/{ID}/base", f"/api/{ID}/base/x", f"/api/{ID}/", f"/api/{other}/base/path"):
        assert told(await web.get(path)) == (404, ABSENT)
    for path in ("/api", "/api/", f"/api/{ID}", f"/api/{ID.upper()}/base/path", "/api/v2/base/path"):
        assert told(await web.get(path)) == (404, "The requested resource could not be found.")
    answer = await web.post(f"/api/{ID}/base/path")
    assert told(answer) == (405, "HTTP method not allowed, supported methods: GET, PUT")
    assert answer.headers["allow"] == "GET, PUT"


async def test_an_unknown_path_of_the_api_is_none_of_the_gateways(web: httpx.AsyncClient) -> None:
    for path in ("/api/v1/absent", "/api/v1/web/a", "/api/v1/namespaces/_/x"):
        answer = await web.request("TRACE", path)
        assert told(answer) == (404, "The requested resource could not be found.")


async def test_too_large_a_body_is_413(web: httpx.AsyncClient, publish: Publish) -> None:
    await publish(method="POST")
    answer = await web.post(f"/api/{ID}/base/path", content=b"x" * (2**20 + 1))
    assert answer.status_code == 413


async def test_a_key_and_a_rate_are_asked_for(web: httpx.AsyncClient, publish: Publish) -> None:
    key = "k" * 32
    settings = {"apiKey": {"keys": [key]}, "rateLimit": {"requests": 1, "unit": "minute"}}
    await publish(swagger=document(**{"x-rambla": settings}, **cors(True)))
    for headers in ({}, {"X-Api-Key": "wrong"}):
        answer = await web.get(f"/api/{ID}/base/path", headers=headers)
        assert told(answer) == (401, "This API asks for a key in the header x-api-key.")
        assert answer.headers["www-authenticate"] == 'ApiKey realm="API"'
        assert CORS.items() <= dict(answer.headers).items()
    assert (await web.get(f"/api/{ID}/base/path", headers={"X-Api-Key": key})).status_code == 201
    answer = await web.get(f"/api/{ID}/base/path", headers={"X-Api-Key": key})
    assert told(answer) == (429, "Rate limit exceeded")
    assert answer.headers["retry-after"] == "60"


# --- scripts of other origins ---


async def test_with_cors_all_answers_may_be_read_and_the_gateway_answers_beforehand(
    web: httpx.AsyncClient, publish: Publish
) -> None:
    await publish(swagger=document(**cors(True)))
    path = f"/api/{ID}/base/path"
    for answer in (await web.get(path), await web.post(path), await web.options(path)):
        assert CORS.items() <= dict(answer.headers).items()
        assert "access-control-allow-credentials" not in answer.headers
    asked = await web.options(path, headers={"Access-Control-Request-Headers": "X-Api-Key"})
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["access-control-allow-headers"] == "X-Api-Key"


async def test_without_cors_no_answer_may_be_read(web: httpx.AsyncClient, publish: Publish) -> None:
    await publish(swagger=document(**cors(False)))
    path = f"/api/{ID}/base/path"
    for answer, status in ((await web.get(path), 201), (await web.post(path), 405), (await web.options(path), 405)):
        assert answer.status_code == status
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("custom", [False, True])
async def test_where_nothing_is_said_of_cors_it_is_as_the_web_action_has_it(
    owner: httpx.AsyncClient, web: httpx.AsyncClient, publish: Publish, custom: bool
) -> None:
    body = {"annotations": [{"key": "web-custom-options", "value": custom}]}
    assert (await owner.put("actions/b?overwrite=true", json=body)).status_code == 200
    await publish(swagger=document())
    answer = await web.get(f"/api/{ID}/base/path")
    assert answer.headers["access-control-allow-origin"] == ("own" if custom else "*")
