"""Who logs in gets a session that is as good as what they showed, and no better."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import people
from flowkit import full_disk
from people import IDENTITY, PASSWORD, bearer, log_in
from rambla.domain.records import Intent
from rambla.flow.sessions import SESSIONS_MAX
from rambla.kit.clock import ManualClock
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

pytestmark = pytest.mark.anyio
HOURS_8_MS = 8 * 3_600_000
ACTIONS = "/api/v1/namespaces/guest/actions"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, sources=people.sources) as rooms:
        yield rooms


async def test_a_session_stands_for_who_logged_in(web: httpx.AsyncClient, clock: ManualClock) -> None:
    answer = await log_in(web, "ada", source="corp")
    told = answer.json()
    assert told.pop("token").startswith(f"rbl_{told.pop('id')}_")
    assert told == {
        "expires": clock.now_ms() + HOURS_8_MS,
        "subject": "corp/ada",
        "person": "",
        "source": "corp",
        "method": "password",
        "trust": 2,
        "namespace": "guest",
    }
    session = await bearer(web, "ada")
    assert (await web.get(ACTIONS, headers=session)).status_code == 200
    assert (await web.get(ACTIONS.replace("guest", "other"), headers=session)).status_code == 403
    clock.advance(HOURS_8_MS)
    assert (await web.get(ACTIONS, headers=session)).status_code == 401


async def test_what_proves_nobody_gets_no_session_and_is_counted(web: httpx.AsyncClient, rooms: Rooms) -> None:
    for user, password, source in (("ada", "wrong", ""), ("eve", PASSWORD, ""), ("ada", PASSWORD, "north")):
        answer = await log_in(web, user, password, source=source)
        assert (answer.status_code, answer.json()["error"]) == (401, "The supplied authentication is invalid")
    assert rooms.platform.door.health()["corp"]["refused"] == 2
    assert await rooms.world.tokens.of("") == []


async def test_too_many_wrong_passwords_are_429_until_somebody_unlocks(web: httpx.AsyncClient) -> None:
    for number in range(5):
        assert (await log_in(web, "ada", f"wrong {number}")).status_code == 401
    locked = await log_in(web, "ada")
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "300")
    unlocked = await web.post(
        f"{IDENTITY}/accounts/corp/ada/unlock", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    )
    assert unlocked.status_code == 204
    assert (await log_in(web, "ada")).status_code == 200


async def test_one_may_ask_for_a_namespace_of_ones_own_and_for_no_other(web: httpx.AsyncClient) -> None:
    for namespace in ("guest", "other"):
        session = await bearer(web, "rob", namespace=namespace)
        told = (await web.get(f"{IDENTITY}/whoami", headers=session)).json()
        assert told["namespace"] == namespace
        assert {each["namespace"] for each in told["namespaces"]} == {"guest", "other"}
    refused = await log_in(web, "ada", namespace="other")
    assert (refused.status_code, refused.json()["error"]) == (400, "The namespace 'other' is not one of yours.")


async def test_a_login_is_on_record_before_the_session_and_tells_no_secret(
    web: httpx.AsyncClient, rooms: Rooms
) -> None:
    token = (await log_in(web, "ada")).json()["token"]
    (intent,) = await rooms.intents()
    assert (intent.permission, intent.target, intent.subject) == ("identity:login", "corp/ada", "corp/ada")
    assert (await rooms.outcomes())[intent.id].status == "ok"
    written = repr(await rooms.records())
    assert PASSWORD not in written
    assert token not in written
    with full_disk():
        refused = await log_in(web, "ada")
    assert refused.status_code == 503
    assert len(await rooms.world.tokens.of("")) == 1


async def test_logging_out_ends_that_session_at_once_and_no_other(web: httpx.AsyncClient) -> None:
    one, other = await bearer(web, "ada"), await bearer(web, "ada")
    assert (await web.get(ACTIONS, headers=one)).status_code == 200
    assert (await web.post(f"{IDENTITY}/logout", headers=one)).status_code == 204
    assert (await web.get(ACTIONS, headers=one)).status_code == 401
    assert (await web.get(ACTIONS, headers=other)).status_code == 200


async def test_what_is_no_session_is_not_logged_out(web: httpx.AsyncClient, guest_key: str) -> None:
    for headers in ({"Authorization": guest_key}, {"Authorization": f"Bearer {OPERATOR_TOKEN}"}):
        assert (await web.post(f"{IDENTITY}/logout", headers=headers)).status_code == 400


async def test_whoever_is_known_may_ask_who_they_are(web: httpx.AsyncClient, guest_key: str) -> None:
    told = (await web.get(f"{IDENTITY}/whoami", headers={"Authorization": guest_key})).json()
    assert (told["subject"], told["source"], told["method"], told["namespace"]) == ("guest", "key", "key", "guest")
    told = (await web.get(f"{IDENTITY}/whoami", headers=await bearer(web, "rob"))).json()
    assert told["groups"] == ["readers"]
    assert told["roles"] == ["reader"]
    assert (told["source"], told["trust"], told["onBehalfOf"]) == ("corp", 2, "")
    assert told["expires"]
    none = (await web.get(f"{IDENTITY}/whoami", headers=await bearer(web, "una"))).json()
    assert (none["namespace"], none["namespaces"], none["roles"]) == ("", [], [])


async def test_sources_are_told_to_everybody(web: httpx.AsyncClient) -> None:
    assert (await web.get(f"{IDENTITY}/sources")).json() == [
        {"name": "corp", "kind": "memory", "methods": ["password"], "public": {}}
    ]


async def test_who_logs_in_again_and_again_loses_the_oldest_sessions(
    web: httpx.AsyncClient, rooms: Rooms, clock: ManualClock
) -> None:
    first = await bearer(web, "ada")
    for _ in range(SESSIONS_MAX):
        clock.advance(1)
        last = await bearer(web, "ada")
    assert len(await rooms.world.tokens.of("corp/ada")) == SESSIONS_MAX
    assert (await web.get(ACTIONS, headers=first)).status_code == 401
    assert (await web.get(ACTIONS, headers=last)).status_code == 200


async def test_members_get_what_is_published_in_other_namespaces_and_a_reader_runs_nothing(
    web: httpx.AsyncClient, other_key: str
) -> None:
    owner = {"Authorization": other_key}
    there = "/api/v1/namespaces/other"
    await web.put(f"{there}/packages/p", json={"publish": True}, headers=owner)
    await web.put(f"{there}/packages/q", json={}, headers=owner)
    for package in ("p", "q"):
        body = {"exec": {"kind": "python:3", "code": "echo"}}
        await web.put(f"{there}/actions/{package}/x", json=body, headers=owner)

    async def statuses(user: str) -> list[int]:
        session = await bearer(web, user)
        asked = [await web.get(f"{there}/actions/{package}/x", headers=session) for package in ("p", "q")]
        ran = [await web.post(f"{there}/actions/{package}/x", headers=session) for package in ("p", "q")]
        return [answer.status_code for answer in (*asked, *ran)]

    assert await statuses("ada") == [200, 403, 202, 403]
    assert await statuses("rob") == [200, 200, 403, 403]  # who reads all that is in `other`
    assert await statuses("una") == [403] * 4


_FIELDS = ("source", "user", "password", "code", "domain", "project", "token", "id", "secret", "namespace")
_VALUE = st.text(st.characters(codec=None), max_size=40) | st.none() | st.integers() | st.lists(st.text(max_size=3))
_METHODS = ("password", "token", "keystone-token", "application-credential", "certificate")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUE), st.sampled_from(_METHODS) | st.text(max_size=9), st.binary())
async def test_no_body_whatever_logs_anybody_in_or_is_a_fault_of_ours(
    web: httpx.AsyncClient, body: dict[str, object], method: str, noise: bytes
) -> None:
    for content in (json.dumps({**body, "method": method}).encode(), noise):
        answer = await web.post(f"{IDENTITY}/login", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 401, 429), answer.text


async def test_a_login_is_an_intent_of_who_came(web: httpx.AsyncClient, rooms: Rooms) -> None:
    await log_in(web, "kim")
    asked = [record.asked for record in await rooms.records() if isinstance(record, Intent)]
    assert asked[0] is not None
    assert (asked[0].method, asked[0].trust, asked[0].groups) == ("password", 2, ("keepers", "developers"))
