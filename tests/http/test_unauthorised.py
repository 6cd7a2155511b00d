"""Every endpoint, asked by those who may not.

The matrix is the table of endpoints itself. What an endpoint should answer to a stranger follows from its permission;
an endpoint whose permission is not listed here fails, so nobody can add one and forget who may not use it.
"""

import base64

import httpx
import pytest

from http_matrix import PARTS, ask
from rambla.app.edges import EDGES
from rambla.flow.apis import MANAGEMENT
from rambla.gateway.api import VERBS
from rambla.gateway.management import CREATE
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.endpoints import ENDPOINTS
from rooms import EVENTS_TOKEN, OPERATOR_TOKEN, Rooms, op_of

pytestmark = pytest.mark.anyio
OWNERS_ONLY = {
    *(f"{kind}:{verb}" for kind in ("action", "package", "trigger", "rule") for verb in ("read", "write", "delete")),
    *(f"{kind}:list" for kind in ("action", "trigger", "rule", "activation")),
    "action:invoke",
    "trigger:fire",
    "activation:read",
    "namespace:read",
    "audit:read",
    "usage:read",
}
OPERATORS_ONLY = {
    "platform:status",
    *(f"namespace:{verb}" for verb in ("list", "create", "delete", "key", "limits")),
    "platform:program",
    *(f"policy:{verb}" for verb in ("read", "publish", "rollback", "key", "compare", "check", "sync", "fleet")),
    *(f"identity:{verb}" for verb in ("read", "revoke", "block", "alias", "user", "tokens-of-others")),
}
ANYONES_WITH_A_KEY = {"package:list"}  # of others, only what is published: see test_packages.py
ABOUT_ONESELF = {"identity:self", "identity:token"}  # whoever it is, but for an event source's tokens
LOGIN = "/identity/v1/login"  # asks for another proof than the one that requests come with
SOURCES_ONLY = {"trigger:deliver"}
ANYBODYS_IF_EXPORTED = {"action:web"}  # what is not exported is as absent, whoever asks
TABLE = (*ENDPOINTS, *EDGES)
EVERY = pytest.mark.parametrize("endpoint", TABLE, ids=lambda one: f"{one.method} {one.path}")
GUARDED = pytest.mark.parametrize(
    "endpoint",
    [one for one in TABLE if one.permission != PUBLIC and not one.anonymous],
    ids=lambda one: f"{one.method} {one.path}",
)
INSIDE = pytest.mark.parametrize(
    "endpoint",
    [one for one in TABLE if one.permission not in {PUBLIC, *ABOUT_ONESELF} and not one.anonymous],
    ids=lambda one: f"{one.method} {one.path}",
)
ANONYMOUS = pytest.mark.parametrize(
    "endpoint", [one for one in TABLE if one.anonymous], ids=lambda one: f"{one.method} {one.path}"
)


async def publish(rooms: Rooms) -> None:
    """Lead the gateway's door to the action that the other doors are asked about."""
    led = {"x-openwhisk": {"package": "p", "action": "x"}}
    paths = {f"/{PARTS['rest']}": dict.fromkeys(VERBS, led)}
    document = {"swagger": "2.0", "basePath": "/", "info": {"title": "x"}, "paths": paths}
    arguments = {"apidoc": {"namespace": "_", "swagger": document}}
    assert "error" not in await MANAGEMENT[CREATE](rooms.platform, op_of(rooms.platform), arguments)


def assert_absent(answer: httpx.Response) -> None:
    assert answer.status_code == 404
    if answer.request.method != "HEAD":
        assert answer.json()["error"] == "The requested resource does not exist."


@EVERY
def test_each_endpoint_has_its_place_in_the_matrix(endpoint: Endpoint) -> None:
    known = OWNERS_ONLY | OPERATORS_ONLY | SOURCES_ONLY | ANYONES_WITH_A_KEY | ANYBODYS_IF_EXPORTED | ABOUT_ONESELF
    assert endpoint.permission in known | {PUBLIC}
    assert endpoint.anonymous == (endpoint.permission in ANYBODYS_IF_EXPORTED)


@EVERY
async def test_without_a_key_only_public_endpoints_answer(web: httpx.AsyncClient, endpoint: Endpoint) -> None:
    answer = await ask(web, endpoint, None)
    if endpoint.path == LOGIN:
        assert answer.status_code == 400
    elif endpoint.permission == PUBLIC:
        assert answer.status_code == endpoint.gives.status
    elif endpoint.anonymous:
        assert_absent(answer)
    else:
        expected = "The resource requires authentication, which was not supplied with the request"
        assert (answer.status_code, answer.json()["error"]) == (401, expected)
        assert answer.headers["www-authenticate"] == 'Basic realm="OpenWhisk secure realm"'


@GUARDED
async def test_wrong_credentials_are_401(web: httpx.AsyncClient, guest_key: str, endpoint: Endpoint) -> None:
    key = base64.b64decode(guest_key.removeprefix("Basic ")).decode()
    wrong: list[str | bytes] = [
        "Basic " + base64.b64encode(f"{key}x".encode()).decode(),
        "Basic " + base64.b64encode(b"nobody:nothing").decode(),
        "Basic no-base64!",
        "Basic",
        "Bearer wrong",
        "Digest " + guest_key,
        b"\xff" * 9,
    ]
    for authorization in wrong:
        answer = await ask(web, endpoint, authorization)
        assert (answer.status_code, answer.json()["error"]) == (401, "The supplied authentication is invalid")


@INSIDE
async def test_anothers_key_is_403(web: httpx.AsyncClient, other_key: str, endpoint: Endpoint) -> None:
    answer = await ask(web, endpoint, other_key)
    about_oneself = endpoint.permission == "namespace:read" and "{namespace}" not in endpoint.path
    if about_oneself or endpoint.permission in ANYONES_WITH_A_KEY:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert answer.json()["error"].startswith("The supplied authentication is not authorized to access '")
        body = answer.json()
        assert (body["rule"], body["layer"], body["line"]) == ("defaults/deny", "defaults", 0)


@INSIDE
async def test_the_operator_sees_nothing_inside_a_namespace(web: httpx.AsyncClient, endpoint: Endpoint) -> None:
    answer = await ask(web, endpoint, f"Bearer {OPERATOR_TOKEN}")
    assert (answer.status_code == 403) == (endpoint.permission not in OPERATORS_ONLY)


@GUARDED
async def test_an_event_source_may_only_deliver(web: httpx.AsyncClient, endpoint: Endpoint) -> None:
    answer = await ask(web, endpoint, f"Bearer {EVENTS_TOKEN}")
    if endpoint.permission == "identity:self":
        assert answer.status_code in (200, 400)
    else:
        assert answer.status_code == (200 if endpoint.permission in SOURCES_ONLY else 403)


@INSIDE
async def test_what_exists_and_what_does_not_look_the_same_to_others(
    guest: httpx.AsyncClient, web: httpx.AsyncClient, other_key: str, endpoint: Endpoint
) -> None:
    before = await ask(web, endpoint, other_key)
    await guest.put("packages/p", json={})
    await guest.put("actions/p/x", json={"exec": {"kind": "python:3", "code": "echo"}})
    await guest.put(f"{'triggers' if 'trigger' in endpoint.path else 'packages'}/x", json={})
    after = await ask(web, endpoint, other_key)
    assert (before.status_code, before.json().get("error") if before.status_code > 399 else "") == (
        after.status_code,
        after.json().get("error") if after.status_code > 399 else "",
    )


@INSIDE
async def test_every_refusal_is_on_record_with_the_permission_that_the_table_states(
    web: httpx.AsyncClient, other_key: str, rooms: Rooms, endpoint: Endpoint
) -> None:
    await ask(web, endpoint, other_key)
    assert (await rooms.intents())[-1].permission == endpoint.permission


@ANONYMOUS
async def test_an_anonymous_door_shows_to_nobody_what_is_not_exported(
    guest: httpx.AsyncClient, web: httpx.AsyncClient, rooms: Rooms, other_key: str, endpoint: Endpoint
) -> None:
    await guest.put("packages/p", json={})
    guest_key = guest.headers["Authorization"]
    for annotations in ([], [{"key": "web-export", "value": "true"}]):
        body = {"exec": {"kind": "python:3", "code": "echo"}, "annotations": annotations}
        await guest.put("actions/p/x?overwrite=true", json=body)
        await publish(rooms)
        for who in (None, guest_key, other_key, "Basic wrong", f"Bearer {OPERATOR_TOKEN}", f"Bearer {EVENTS_TOKEN}"):
            assert_absent(await ask(web, endpoint, who))


@ANONYMOUS
async def test_an_anonymous_door_takes_wrong_credentials_for_none(
    guest: httpx.AsyncClient, web: httpx.AsyncClient, rooms: Rooms, endpoint: Endpoint
) -> None:
    await guest.put("packages/p", json={})
    annotations = [{"key": "web-export", "value": True}, {"key": "web-custom-options", "value": True}]
    body = {"exec": {"kind": "python:3", "code": "echo"}, "annotations": annotations}
    await guest.put("actions/p/x", json=body)
    await publish(rooms)
    for who in (None, "Basic wrong", f"Bearer {OPERATOR_TOKEN}", f"Bearer {EVENTS_TOKEN}", b"\xff" * 9):
        assert (await ask(web, endpoint, who)).status_code == 204
