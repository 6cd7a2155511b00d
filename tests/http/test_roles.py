"""Whoever creates, lists and deletes namespaces sees nothing inside them, at any endpoint and whatever else they are.

A namespace is filled with words that are nowhere else, and each endpoint of the table is asked for them.
"""

from collections.abc import Mapping

import httpx
import pytest

from http_matrix import PARTS, ask
from rambla.app.edges import EDGES
from rambla.domain.access import Caller
from rambla.flow.platform import Platform
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.endpoints import ENDPOINTS
from rooms import OPERATOR_TOKEN, let_in

pytestmark = pytest.mark.anyio
TENDS = {"namespace:list", "namespace:create", "namespace:delete"}
SECRETS = ("word-of-code", "word-of-parameter", "word-of-argument", "word-of-annotation")
PERSONS = {
    "tends": Caller("ada", "", "key", ("namespace-admin",)),
    "tends-and-owns": Caller("guest", "guest", "key", ("namespace-admin",)),
    "tends-and-develops": Caller("ada", "guest", "key", ("namespace-admin", "developer", "auditor")),
    "tends-and-operates": Caller("operator", "", "operator", ("Namespace-Admin",)),
}
NAMED = {"packages": "p", "triggers": "t", "rules": "r", "actions": "a"}
TELLING = {"action:read", "package:read", "trigger:read", "activation:read"}
TABLE = (*ENDPOINTS, *EDGES)
EVERY = pytest.mark.parametrize("endpoint", TABLE, ids=lambda one: f"{one.method} {one.path}")


@pytest.fixture
async def filled(guest: httpx.AsyncClient) -> dict[str, str]:
    """Something with secret words in it behind every name; the id of an activation that has one too."""
    words = {
        "parameters": [{"key": "p", "value": "word-of-parameter"}],
        "annotations": [{"key": "n", "value": "word-of-annotation"}],
    }
    await guest.put("packages/p", json=words)
    await guest.put("triggers/t", json=words)
    await guest.put("actions/p/x", json={"exec": {"kind": "python:3", "code": "word-of-code"}, **words})
    await guest.put("actions/a", json={"exec": {"kind": "python:3", "code": "echo"}, **words})
    await guest.put("rules/r", json={"trigger": "/_/t", "action": "/_/a", **words})
    answer = await guest.post("actions/a?blocking=true", json={"r": "word-of-argument"})
    return {**PARTS, "activation_id": answer.json()["activationId"]}


def parts_for(endpoint: Endpoint, filled: Mapping[str, str]) -> dict[str, str]:
    """The names of things that are there."""
    named = next((name for kind, name in NAMED.items() if f"/{kind}/" in endpoint.path), "x")
    return {**filled, "name": "x" if "{package}" in endpoint.path else named}


@pytest.fixture(params=PERSONS)
def person(request: pytest.FixtureRequest, platform: Platform) -> str:
    """The name of somebody, which is their token too."""
    let_in(platform, PERSONS)
    return str(request.param)


@EVERY
async def test_who_tends_namespaces_reads_nothing_in_them(
    web: httpx.AsyncClient, filled: dict[str, str], person: str, endpoint: Endpoint
) -> None:
    answer = await ask(web, endpoint, f"Bearer {person}", parts_for(endpoint, filled))
    assert not [word for word in SECRETS if word in answer.text]
    if endpoint.permission in TENDS:
        assert answer.status_code != 403
        assert "key" not in answer.text
    elif endpoint.anonymous:
        assert answer.status_code == 404
    elif endpoint.permission.split(":")[0] not in ("", "identity", "namespace", "policy", "platform"):
        assert answer.status_code == 403


@EVERY
async def test_the_words_are_there_to_be_found_by_their_owner(
    web: httpx.AsyncClient, filled: dict[str, str], guest_key: str, endpoint: Endpoint
) -> None:
    """Else the test above would find nothing for want of anything to find."""
    answer = await ask(web, endpoint, guest_key, parts_for(endpoint, filled))
    if endpoint.permission in TELLING and not endpoint.path.endswith("/logs"):
        assert [word for word in SECRETS if word in answer.text]


async def test_who_tends_namespaces_is_not_told_the_key_of_what_they_create(
    web: httpx.AsyncClient, person: str
) -> None:
    made = await web.put("/platform/v1/namespaces/one", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})
    assert made.json()["key"].count(":") == 1
    made = await web.put("/platform/v1/namespaces/two", headers={"Authorization": f"Bearer {person}"})
    assert (made.status_code, sorted(made.json())) == (200, ["created", "name"])
    refused = await web.get("/platform/v1/namespaces/two/key", headers={"Authorization": f"Bearer {person}"})
    assert (refused.status_code, refused.json()["rule"]) == (403, "defaults/role namespace-admin")
    assert refused.json()["line"] > 0


def test_only_public_endpoints_ask_for_no_permission() -> None:
    assert {one.path for one in TABLE if one.permission == PUBLIC} == {
        "/",
        "/ping",
        "/api/v1",
        "/api/v1/",
        "/api/v1/api-docs",
        "/api/v1/docs",
        "/api/v1/docs/index.html",
        "/identity/v1/login",
        "/identity/v1/sources",
    }
