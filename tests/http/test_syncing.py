"""Whoever decides elsewhere hears of a new bundle at once, and can prove what they got."""

import hashlib
from typing import Any

import anyio
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import json

from rambla.domain.access import Caller
from rambla.domain.errors import StorageFailed
from rambla.drivers.memory.bundles import MemoryBundleStore
from rambla.flow import bundles, sync
from rambla.flow.platform import Op, Platform
from rambla.http.app import build_app
from rambla.policy.policies import NO_FILES
from rooms import OPERATOR_TOKEN, TOKENS, Rooms, let_in
from servicekit import FILES

pytestmark = pytest.mark.anyio
AGENT = Caller("host-1", "", "key", ("policy-agent",))


@pytest.fixture
async def agent(platform: Platform) -> httpx.AsyncClient:
    let_in(platform, {**TOKENS, "agent": AGENT})
    transport = httpx.ASGITransport(build_app(platform))
    headers = {"Authorization": "Bearer agent"}
    return httpx.AsyncClient(transport=transport, base_url="http://rambla/policy/v1", headers=headers)


async def publish(platform: Platform, files: dict[str, str] = FILES) -> None:
    op = Op(platform.ids.next(), TOKENS[OPERATOR_TOKEN])
    await bundles.publish(platform, op, bundles.draft(files, "why"))


def verify(said: dict[str, Any], *signed: Any) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["key"]))
    key.verify(bytes.fromhex(said["signature"]), json.encode(signed))


async def test_what_is_in_force_is_told_at_once_to_whoever_knows_another(
    agent: httpx.AsyncClient, platform: Platform
) -> None:
    said = (await agent.get("/newest?known=7&wait_ms=30000")).json()
    assert (said["number"], said["hash"], said["at_ms"]) == (0, NO_FILES, platform.clock.now_ms())
    await publish(platform)
    said = (await agent.get("/newest?known=0&wait_ms=30000")).json()
    assert said["number"] == 1
    verify(said, "rambla policy newest 1", 1, said["hash"], said["at_ms"])


async def test_a_bundle_is_given_as_it_was_signed(agent: httpx.AsyncClient, platform: Platform) -> None:
    await publish(platform)
    said = (await agent.get("/bundles/1")).json()
    assert said["files"] == [list(pair) for pair in sorted(FILES.items())]
    assert said["hash"] == hashlib.sha256(json.encode(said["files"])).hexdigest()
    named = [said[name] for name in ("number", "at_ms", "author", "note", "hash", "files")]
    verify(said, "rambla policy bundle 1", *named)
    assert (said["author"], said["note"]) == ("operator", "why")
    assert (await agent.get("/bundles/2")).status_code == 404
    assert (await agent.get("/bundles/x")).status_code == 404


async def test_all_who_wait_are_told_as_soon_as_a_bundle_is_in_force(
    agent: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    heard: list[dict[str, Any]] = []

    async def wait() -> None:
        heard.append((await agent.get("/newest?known=0&wait_ms=30000")).json())

    async with anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert heard == []
        await publish(platform)
    assert {(said["number"], said["signature"]) for said in heard} == {(1, heard[0]["signature"])}
    assert [one.permission for one in await rooms.intents()] == ["policy:publish"], "waiting leaves no record"


async def test_no_more_than_so_many_wait_and_others_are_told_to_come_back(
    agent: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "WAITING_MAX", 1)
    async with anyio.create_task_group() as group:
        group.start_soon(agent.get, "/newest?wait_ms=30000")
        await anyio.wait_all_tasks_blocked()
        assert (await agent.get("/newest?wait_ms=30000")).status_code == 429
        assert (await agent.get("/newest")).status_code == 200, "who does not wait is answered"
        assert (await agent.get("/newest?known=7&wait_ms=30000")).status_code == 200
        group.cancel_scope.cancel()
    assert platform.news.waiting == 0


async def test_who_waits_in_vain_is_told_what_holds_still(agent: httpx.AsyncClient) -> None:
    assert (await agent.get("/newest?wait_ms=1")).json()["number"] == 0
    assert (await agent.get("/newest")).json()["number"] == 0


async def test_nobody_is_told_what_is_the_newest_while_the_store_does_not_say(
    agent: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    """Else a host would believe for ever that it has the newest, of a node that has lost its database."""

    class Gone(MemoryBundleStore):
        async def newest(self) -> int:
            raise StorageFailed(detail="it is gone")

    await publish(platform)
    said = (await agent.get("/newest")).json()
    object.__setattr__(platform, "bundles", Gone())
    rooms.world.clock.advance(999)
    assert (await agent.get("/newest")).json() == said, "it was true a moment ago, and says when"
    rooms.world.clock.advance(1)
    assert (await agent.get("/newest")).status_code == 503


async def test_nobody_waits_on_while_the_platform_stops(agent: httpx.AsyncClient, platform: Platform) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(agent.get, "/newest?wait_ms=30000")
        await anyio.wait_all_tasks_blocked()
        platform.news.close()
    assert (await agent.get("/newest?wait_ms=30000")).status_code == 200


async def test_who_hangs_up_does_not_wait_on(agent: httpx.AsyncClient, platform: Platform) -> None:
    """Spoken in ASGI, as a client that only stops reading says nothing."""
    came = anyio.Event()

    async def receive() -> dict[str, Any]:
        if not came.is_set():
            came.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/policy/v1/newest",
        "raw_path": b"/policy/v1/newest",
        "query_string": b"known=0&wait_ms=30000",
        "headers": [(b"authorization", b"Bearer agent")],
    }
    with anyio.fail_after(20):
        await build_app(platform)(scope, receive, send)


@pytest.mark.parametrize(
    "query", ["known=-1", "known=x", "known=1e3", f"known={10**18}", "wait_ms=30001", "wait_ms=-1", "wait_ms="]
)
async def test_what_is_no_number_within_bounds_is_refused(agent: httpx.AsyncClient, query: str) -> None:
    assert (await agent.get(f"/newest?{query}")).status_code == 400


async def test_who_is_given_a_bundle_leaves_a_record(
    agent: httpx.AsyncClient, platform: Platform, rooms: Rooms
) -> None:
    await publish(platform)
    await agent.get("/bundles/1")
    (intent,) = [one for one in await rooms.intents() if one.permission == "policy:sync"]
    assert (intent.subject, intent.target) == ("host-1", "policy/1")
