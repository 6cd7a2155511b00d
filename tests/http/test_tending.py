import base64
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from rambla.flow.platform import Op, Platform
from rambla.http.app import build_app
from rambla.http.bodies import StatusBody
from rambla.http.body import Body
from rambla.http.endpoint import Endpoint, handing_to
from rooms import OPERATOR_TOKEN, Rooms

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    transport = httpx.ASGITransport(build_app(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://rambla/platform/v1", headers=headers) as client:
        yield client


async def test_a_namespace_that_the_operator_makes_can_be_used_with_its_key(
    operator: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    made = await operator.put("/namespaces/third")
    assert made.status_code == 200
    key = (await operator.get("/namespaces/third/key")).json()["key"]
    assert made.json()["key"] == key
    headers = {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
    assert (await web.get("/api/v1/namespaces", headers=headers)).json() == ["third"]
    assert [one["name"] for one in (await operator.get("/namespaces")).json()] == ["guest", "other", "third"]
    assert "key" not in (await operator.get("/namespaces")).text
    assert (await operator.put("/namespaces/third")).status_code == 409
    assert (await operator.delete("/namespaces/third")).status_code == 204
    assert (await web.get("/api/v1/namespaces", headers=headers)).status_code == 401


async def test_nobody_gets_the_name_of_a_deleted_namespace_and_what_is_left_under_it(
    operator: httpx.AsyncClient,
) -> None:
    await operator.put("/namespaces/third")
    await operator.delete("/namespaces/third")
    refused = await operator.put("/namespaces/third")
    assert refused.status_code == 409
    assert "choose another name" in refused.json()["error"]
    assert (await operator.get("/namespaces/third/key")).status_code == 404
    assert [one["name"] for one in (await operator.get("/namespaces")).json()] == ["guest", "other"]


async def test_a_name_that_an_object_store_would_refuse_is_refused_without_one_too(
    operator: httpx.AsyncClient, platform: Platform
) -> None:
    assert platform.objects is None
    refused = await operator.put("/namespaces/AUTH_guest")
    assert refused.status_code == 400
    assert "AUTH_" in refused.json()["error"]
    assert (await operator.put("/namespaces/AUTHOR")).status_code == 200


async def test_a_rotated_key_opens_nothing_any_more(operator: httpx.AsyncClient, guest: httpx.AsyncClient) -> None:
    assert (await guest.get("actions")).status_code == 200
    rotated = (await operator.put("/namespaces/guest/key")).json()["key"]
    assert (await guest.get("actions")).status_code == 401
    assert (await operator.get("/namespaces/guest/key")).json()["key"] == rotated


async def test_the_status_is_told(operator: httpx.AsyncClient) -> None:
    status = (await operator.get("/status")).json()
    assert status["isolation"] == "none"
    assert status["dispatch"]["queued"] == 0


async def test_an_owner_reads_audit_and_usage(rooms: Rooms, guest: httpx.AsyncClient) -> None:
    await guest.put("actions/a", json={"exec": {"kind": "python:3", "code": "echo"}})
    await guest.post("actions/a?blocking=true", json={})
    await guest.get("actions/none")
    while await rooms.platform.index.cursor() < rooms.journal.durable_seq:
        await anyio.sleep(0.01)
    audit = (await guest.get("http://rambla/platform/v1/namespaces/_/audit?since=0&limit=3")).json()
    assert [(one["permission"], one["target"], one["status"]) for one in audit] == [
        ("action:read", "guest/none", "not_found"),
        ("action:invoke", "guest/a", "success"),
        ("action:write", "guest/a", "ok"),
    ]
    (row,) = (await guest.get("http://rambla/platform/v1/namespaces/_/usage")).json()
    assert (row["namespace"], row["action"], row["activations"]) == ("guest", "a", 1)


@pytest.mark.parametrize("part", ["audit", "usage"])
async def test_a_time_that_is_none_is_refused(guest: httpx.AsyncClient, part: str) -> None:
    assert (await guest.get(f"http://rambla/platform/v1/namespaces/_/{part}?since=x")).status_code == 400


async def test_another_edge_can_add_a_row_to_the_table(platform: Platform, guest_key: str) -> None:
    async def tell(platform: Platform, op: Op, body: StatusBody) -> dict[str, str | None]:
        return {"subject": op.caller.subject, "status": body.status}

    row = Endpoint("POST", "/more/v1/things", "trigger:deliver", handing_to(tell), "what it was", Body(StatusBody))
    transport = httpx.ASGITransport(build_app(platform, [row]))
    async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as client:
        answer = await client.post("/more/v1/things", json={"status": "x"}, headers={"Authorization": guest_key})
        assert answer.json() == {"subject": "guest", "status": "x"}
        assert (await client.post("/more/v1/things", json={})).status_code == 401
