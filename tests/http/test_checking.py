"""The policy asked over HTTP: in JSON, and as oslo.policy's HttpCheck asks."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from rambla.domain.access import Caller
from rambla.flow import tend
from rambla.flow.platform import Op, Platform
from rambla.http.app import build_app
from rambla.http.metrics import exposition
from rooms import OPERATOR_TOKEN, TOKENS, Rooms, let_in
from servicekit import FILES

pytestmark = pytest.mark.anyio
PERSONS = {
    "enforcer": Caller("keystone", "", "key", ("policy-enforcer",)),
    "agent": Caller("host-1", "", "key", ("policy-agent",)),
    "nobody": Caller("nobody", "", "key"),
}
ADMIN = {"roles": ["admin"], "user_id": "u1"}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def client_of(platform: Platform, token: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_app(platform))
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://rambla/policy/v1", headers=headers)


@pytest.fixture
async def enforcer(platform: Platform) -> httpx.AsyncClient:
    """Who may ask, after FILES were published."""
    let_in(platform, {**TOKENS, **PERSONS})
    async with client_of(platform, OPERATOR_TOKEN) as operator:
        published = await operator.post("http://rambla/platform/v1/policy/bundles", json={"files": FILES})
        assert published.status_code == 200, published.text
    return client_of(platform, "enforcer")


def question(rule: str = "identity:get_user", **more: Any) -> dict[str, Any]:
    return {"service": "keystone", "rule": rule, "target": {}, "credentials": ADMIN, **more}


def form(**fields: Any) -> bytes:
    asked = {"rule": "identity:get_user", "target": {}, "credentials": ADMIN, **fields}
    return urlencode({name: json.dumps(value) for name, value in asked.items()}).encode()


async def http_check(
    client: httpx.AsyncClient, content: bytes, kind: str = FORM, service: str = "keystone"
) -> httpx.Response:
    return await client.post(f"/openstack/{service}", content=content, headers={"Content-Type": kind})


async def test_the_decision_names_its_rule_its_file_and_the_bundle(enforcer: httpx.AsyncClient) -> None:
    allowed = await enforcer.post("/check", json=question())
    assert allowed.json() == {
        "allowed": True,
        "rule": "identity:get_user",
        "layer": "in code",
        "line": 0,
        "reason": "",
        "bundle": 1,
    }
    denied = (await enforcer.post("/check", json=question("identity:list_users"))).json()
    assert (denied["allowed"], denied["layer"], denied["line"]) == (
        False,
        "openstack/keystone/policy.d/10-auditors.yaml",
        1,
    )
    unknown = (await enforcer.post("/check", json=question("identity:fly"))).json()
    assert (unknown["allowed"], unknown["rule"]) == (False, "identity:fly")


async def test_without_a_service_the_platforms_own_policy_is_asked(enforcer: httpx.AsyncClient) -> None:
    caller = {"source": "key", "namespace": "guest", "subject": "guest", "roles": []}
    asked = {"rule": "package:read", "credentials": caller, "target": {"namespace": "guest", "name": "guest/p"}}
    assert (await enforcer.post("/check", json=asked)).json()["allowed"] is True
    asked["rule"] = "package:list"
    denied = (await enforcer.post("/check", json={**asked, "service": ""})).json()
    assert (denied["allowed"], denied["layer"], denied["line"]) == (False, "site", 3)


async def test_many_questions_are_decided_by_one_bundle_in_their_order(enforcer: httpx.AsyncClient) -> None:
    checks = [question(), question("identity:fly"), question("baremetal:node:get", service="ironic.api")]
    found = (await enforcer.post("/checks", json={"checks": checks})).json()
    assert found["bundle"] == 1
    assert [one["allowed"] for one in found["decisions"]] == [True, False, False]
    assert (await enforcer.post("/checks", json={"checks": []})).json() == {"bundle": 1, "decisions": []}
    assert (await enforcer.post("/checks", json={"checks": checks[:1] * 1001})).status_code == 400


@pytest.mark.parametrize("path", ["/check", "/checks", "/openstack/nova"])
async def test_a_service_that_the_bundle_has_no_files_of_is_not_found(enforcer: httpx.AsyncClient, path: str) -> None:
    asked = question(service="nova")
    answer = await enforcer.post(path, json={**asked, "checks": [question(), asked]})
    assert answer.status_code == 404
    assert "'nova'" in answer.json()["error"]


async def test_http_check_is_answered_with_one_word_for_form_and_json(enforcer: httpx.AsyncClient) -> None:
    for kind, asked in ((FORM, form()), (JSON, json.dumps(question()).encode()), (f"{FORM}; charset=utf-8", form())):
        answer = await http_check(enforcer, asked, kind)
        assert (answer.status_code, answer.text) == (200, "True")
        assert answer.headers["content-type"].startswith("text/plain")
    for rule in ("identity:fly", "identity:list_users"):
        assert (await http_check(enforcer, form(rule=rule))).text == "False"


HOSTILE = {
    "no-object": (JSON, b"[]", 400),
    "no-json": (JSON, b"{", 400),
    "nothing": (JSON, b"", 400),
    "no-rule": (JSON, b'{"target":{},"credentials":{}}', 400),
    "no-target": (JSON, b'{"rule":"a","credentials":{}}', 400),
    "null-target": (JSON, b'{"rule":"a","credentials":{},"target":null}', 400),
    "list-of-credentials": (JSON, b'{"rule":"a","credentials":[],"target":{}}', 400),
    "rule-is-no-text": (JSON, b'{"rule":1,"credentials":{},"target":{}}', 400),
    "empty-rule": (JSON, b'{"rule":"","credentials":{},"target":{}}', 400),
    "long-rule": (JSON, b'{"rule":"%s","credentials":{},"target":{}}' % (b"a" * 501), 400),
    "rule-twice": (JSON, b'{"rule":"a","rule":"b","credentials":{},"target":{}}', 400),
    "roles-twice": (JSON, b'{"rule":"a","credentials":{"roles":[],"roles":["admin"]},"target":{}}', 400),
    "deep": (JSON, b'{"rule":"a","credentials":{},"target":{"a":%s}}' % (b"[" * 300 + b"]" * 300), 400),
    "many": (JSON, b'{"rule":"a","credentials":{},"target":{"a":[%s]}}' % b",".join([b"[]"] * 60_000), 400),
    "large": (JSON, b'{"rule":"a","credentials":{},"target":{"a":"%s"}}' % (b"a" * 2**20), 413),
    "other-media": ("text/plain", form(), 415),
    "no-media": ("", form(), 415),
    "form-without-target": (FORM, b"rule=%22a%22&credentials=%7B%7D", 400),
    "form-with-bare-rule": (FORM, b"rule=a&credentials=%7B%7D&target=%7B%7D", 400),
    "form-with-rule-twice": (FORM, form() + b"&rule=%22a%22", 400),
    "form-with-roles-twice": (FORM, b"rule=%22a%22&target=%7B%7D&credentials=%7B%22a%22%3A1%2C%22a%22%3A2%7D", 400),
    "form-with-many-fields": (FORM, form() + b"&a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8", 400),
    "form-that-is-no-text": (FORM, form() + b"&a=\xff", 400),
    "form-with-half-a-letter": (FORM, form() + b"&a=%ff", 400),
    "form-without-values": (FORM, b"rule&target&credentials", 400),
    "empty-form": (FORM, b"", 400),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_whatever_is_no_question_is_refused_and_nothing_is_decided(
    enforcer: httpx.AsyncClient, platform: Platform, name: str
) -> None:
    kind, content, status = HOSTILE[name]
    answer = await http_check(enforcer, content, kind)
    assert answer.status_code == status, answer.text
    assert answer.text != "True"
    if kind == JSON:
        checked = await enforcer.post("/check", content=content, headers={"Content-Type": kind})
        lenient = name in ("no-target",)  # may be left out there
        assert checked.status_code == (200 if lenient else status)
    assert not platform.tally.sums().get("keystone")


async def test_who_may_not_ask_is_refused_on_record_and_learns_nothing_of_services(
    enforcer: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    async with client_of(platform, "nobody") as nobody:
        for path in ("/check", "/checks", "/openstack/keystone", "/openstack/nova"):
            refused = await nobody.post(path, json={**question(), "checks": [question()]})
            assert (refused.status_code, refused.json()["rule"]) == (403, "defaults/deny")
    refusals = [one for one in await rooms.intents() if one.permission == "policy:check"]
    assert [one.target for one in refusals] == [
        *["policy/openstack/keystone"] * 3,
        "policy/openstack/nova",
    ]


async def test_what_is_asked_is_counted_and_leaves_no_record(
    enforcer: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    before = len(await rooms.records())
    for _ in range(3):
        await enforcer.post("/check", json=question())
        await http_check(enforcer, form(rule="identity:fly"))
    await enforcer.post("/check", json={"rule": "package:read"})
    assert len(await rooms.records()) == before
    operator = Op(platform.ids.next(), TOKENS[OPERATOR_TOKEN])
    lines = exposition(await tend.status(platform, operator)).splitlines()
    assert "rambla_policy_checks_keystone_allowed 3" in lines
    assert "rambla_policy_checks_keystone_denied 3" in lines
    assert "rambla_policy_checks_platform_denied 1" in lines


async def test_an_agent_may_ask_too(enforcer: httpx.AsyncClient, platform: Platform) -> None:
    async with client_of(platform, "agent") as agent:
        assert (await agent.post("/check", json=question())).json()["allowed"] is True
