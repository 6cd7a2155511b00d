"""Agents report what their daemons have in force; operators read how the fleet stands."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from rambla.domain.access import Caller
from rambla.fleet import fleet as rooms_fleet
from rambla.flow import bundles, tend
from rambla.flow.platform import Op, Platform
from rambla.http.app import build_app
from rambla.http.metrics import exposition
from rambla.kit.clock import ManualClock
from rooms import OPERATOR_TOKEN, TOKENS, Rooms, let_in
from servicekit import FILES

pytestmark = pytest.mark.anyio
PERSONS = {
    "one": Caller("agent-one", "", "key", ("policy-agent",)),
    "two": Caller("agent-two", "", "key", ("policy-agent",)),
    "auditor": Caller("ann", "", "key", ("auditor",)),
}


@pytest.fixture
def clients(platform: Platform) -> Mapping[str, httpx.AsyncClient]:
    let_in(platform, PERSONS)
    transport = httpx.ASGITransport(build_app(platform))

    def client(token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://rambla/policy/v1", headers=headers)

    return {name: client(name) for name in (*PERSONS, OPERATOR_TOKEN)}


@pytest.fixture
def one(clients: Mapping[str, httpx.AsyncClient]) -> httpx.AsyncClient:
    return clients["one"]


@pytest.fixture
def operator(clients: Mapping[str, httpx.AsyncClient]) -> httpx.AsyncClient:
    return clients[OPERATOR_TOKEN]


def daemon(name: str = "keystone-api", number: int = 0, state: str = "in-force", **more: Any) -> dict[str, Any]:
    return {"daemon": name, "service": "keystone", "mode": "files", "number": number, "state": state, **more}


async def report(client: httpx.AsyncClient, *daemons: dict[str, Any], host: str = "h1") -> int:
    return (await client.post("/fleet", json={"host": host, "daemons": list(daemons)})).status_code


async def publish(platform: Platform) -> bundles.Bundle:
    op = Op(platform.ids.next(), TOKENS[OPERATOR_TOKEN])
    return await bundles.publish(platform, op, bundles.draft(FILES, ""))


async def states(client: httpx.AsyncClient) -> dict[str, str]:
    return {each["daemon"]: each["state"] for each in (await client.get("/fleet")).json()["daemons"]}


async def test_a_report_is_read_back_with_who_made_it_and_when(
    one: httpx.AsyncClient, operator: httpx.AsyncClient, clock: ManualClock
) -> None:
    refused = daemon("glance-api", 0, "refused", detail="line 3: no rule 'x'", mode="plugin", service="glance")
    assert await report(one, daemon(), refused) == 204
    found = (await operator.get("/fleet")).json()
    assert found["bundle"] == 0
    assert found["daemons"][1] == {
        "host": "h1",
        "daemon": "glance-api",
        "service": "glance",
        "mode": "plugin",
        "number": 0,
        "state": "refused",
        "detail": "line 3: no rule 'x'",
        "seen_ms": clock.now_ms(),
        "by": "agent-one",
    }


async def test_a_daemon_is_current_behind_refused_failed_or_silent(
    one: httpx.AsyncClient, operator: httpx.AsyncClient, platform: Platform, clock: ManualClock
) -> None:
    await report(one, daemon("a"), daemon("b", 0, "refused"), daemon("c", 0, "failed"))
    assert await states(operator) == {"a": "current", "b": "refused", "c": "failed"}
    published = await publish(platform)
    assert await states(operator) == {"a": "behind", "b": "refused", "c": "failed"}
    await report(one, daemon("a", 1, hash=published.hash), daemon("b", 1, hash="0" * 64), daemon("c", 2))
    assert await states(operator) == {"a": "current", "b": "behind", "c": "current"}
    clock.advance(60_000)
    assert (await states(operator))["a"] == "current"
    clock.advance(1)
    assert set((await states(operator)).values()) == {"silent"}


async def test_a_heartbeat_that_tells_nothing_new_keeps_a_host_heard_and_leaves_no_record(
    one: httpx.AsyncClient, operator: httpx.AsyncClient, clock: ManualClock, rooms: Rooms
) -> None:
    await report(one, daemon())
    before = len(await rooms.records())
    for _ in range(5):
        clock.advance(50_000)
        assert await report(one, daemon()) == 204
    assert len(await rooms.records()) == before
    assert await states(operator) == {"keystone-api": "current"}
    await report(one, daemon(state="failed"))
    (first, second) = [intent for intent in await rooms.intents() if intent.permission == "policy:sync"]
    assert (first.subject, first.target, second.target) == ("agent-one", "policy/fleet/h1", "policy/fleet/h1")


async def test_when_a_host_was_heard_of_is_written_down_now_and_then(
    one: httpx.AsyncClient, platform: Platform, clock: ManualClock, rooms: Rooms
) -> None:
    await report(one, daemon())
    clock.advance(50_000)
    await report(one, daemon())
    (kept,) = await rooms.world.fleet.all()
    assert kept.seen_ms < clock.now_ms()
    await platform.fleet.save_seen()
    (kept,) = await rooms.world.fleet.all()
    assert kept.seen_ms == clock.now_ms()


async def test_a_host_is_whose_reported_it_first_until_it_is_forgotten(
    clients: Mapping[str, httpx.AsyncClient], operator: httpx.AsyncClient, rooms: Rooms
) -> None:
    one, two = clients["one"], clients["two"]
    assert await report(one, daemon()) == 204
    taken = await two.post("/fleet", json={"host": "h1", "daemons": [daemon(state="failed")]})
    assert taken.status_code == 409
    assert "'agent-one'" in taken.json()["error"]
    assert await report(two, daemon()) == 409, "also with the very same report"
    outcomes = await rooms.outcomes()
    assert outcomes[(await rooms.intents())[-1].id].status == "host_taken"
    assert await states(operator) == {"keystone-api": "current"}
    assert (await one.delete("/fleet/h1")).status_code == 403
    assert (await operator.delete("/fleet/h1")).status_code == 204
    assert (await operator.delete("/fleet/h1")).status_code == 404
    assert await states(operator) == {}
    assert await report(two, daemon()) == 204
    assert await report(one, daemon()) == 409


async def test_what_another_node_was_told_to_forget_is_reported_anew(
    one: httpx.AsyncClient, operator: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    await report(one, daemon())
    await rooms.world.fleet.delete("h1")
    await report(one, daemon())
    assert await states(operator) == {}
    await platform.fleet.save_seen()
    await report(one, daemon())
    assert await states(operator) == {"keystone-api": "current"}


async def test_an_auditor_reads_and_an_agent_does_not(clients: Mapping[str, httpx.AsyncClient]) -> None:
    assert (await clients["auditor"].get("/fleet")).status_code == 200
    assert (await clients["one"].get("/fleet")).status_code == 403
    assert await report(clients["auditor"], daemon()) == 403


@pytest.mark.parametrize(
    "body",
    [
        {"host": "", "daemons": []},
        {"host": "h/1", "daemons": []},
        {"host": "h" * 254, "daemons": []},
        {"host": "h1"},
        {"daemons": []},
        {"host": "h1", "daemons": {}},
        {"host": "h1", "daemons": [daemon(str(number)) for number in range(101)]},
        {"host": "h1", "daemons": [daemon(), daemon()]},
        {"host": "h1", "daemons": [daemon(number=-1)]},
        {"host": "h1", "daemons": [daemon(number=10**18 + 1)]},
        {"host": "h1", "daemons": [daemon(state="current")]},
        {"host": "h1", "daemons": [daemon(mode="magic")]},
        {"host": "h1", "daemons": [daemon(detail="x" * 2001)]},
        {"host": "h1", "daemons": [daemon(hash="x" * 65)]},
        {"host": "h1", "daemons": [daemon("a\nb")]},
    ],
    ids=lambda body: str(body)[:60],
)
async def test_what_is_no_report_within_bounds_is_refused(one: httpx.AsyncClient, body: Any) -> None:
    assert (await one.post("/fleet", json=body)).status_code == 400


async def test_more_hosts_than_there_may_be_are_refused(
    one: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_fleet, "HOSTS_MAX", 2)
    assert [await report(one, daemon(), host=f"h{number}") for number in range(3)] == [204, 204, 409]
    assert await report(one, daemon(state="failed"), host="h1") == 204


async def test_daemons_are_metrics_by_state(one: httpx.AsyncClient, platform: Platform) -> None:
    await report(one, daemon("a"), daemon("b", 0, "refused"))
    lines = exposition(await tend.status(platform, Op("x", TOKENS[OPERATOR_TOKEN]))).splitlines()
    found = {line for line in lines if line.startswith("rambla_fleet_")}
    assert found == {
        "rambla_fleet_daemons_current 1",
        "rambla_fleet_daemons_behind 0",
        "rambla_fleet_daemons_refused 1",
        "rambla_fleet_daemons_failed 0",
        "rambla_fleet_daemons_silent 0",
    }
