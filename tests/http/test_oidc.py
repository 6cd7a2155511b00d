"""People of real OpenID providers at the doors of the API, with the tokens that they got by logging in there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from outside_oidc import AUDIENCE, CLIENT, OidcStage, SigningKey, now
from rambla.app.edges import EDGES
from rambla.app.identity import open_sources
from rambla.app.settings import Settings
from rambla.http.app import build_app
from rambla.identity.ports import Standing
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rooms import Rooms, World, open_rooms

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}
MAPPING = """
groups: groups
grants:
  - {if: {group: analysts}, namespaces: {guest: [developer, reader]}}
  - {if: {group: guests}, namespaces: {guest: [reader]}}
"""
NOT_TRUSTED = "layer: site\nrules: {action:invoke: {mode: extend, deny: not caller.trust >= 2}}"
AWAY_MS = 3_600_000


def table(stage: OidcStage, folder: Path, **more: Any) -> dict[str, Any]:
    mapping = folder / "mapping.yaml"
    mapping.write_text(MAPPING)
    terms = {"roles": ["developer", "reader"], "namespaces": ["guest"], "mapping": str(mapping)}
    return {"kind": "oidc", "issuer": stage.issuer, "audiences": [AUDIENCE, CLIENT], **terms, **more}


class Api:
    def __init__(self, rooms: Rooms, client: httpx.AsyncClient) -> None:
        self.rooms = rooms
        self._client = client

    async def ask(self, token: str, path: str = "actions", method: str = "GET", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://rambla/api/v1/namespaces/guest/{path}"
        return await self._client.request(method, url, headers=headers, **more)

    async def status(self, token: str) -> int:
        return (await self.ask(token)).status_code


@asynccontextmanager
async def served(folder: Path, identity: Mapping[str, dict[str, Any]]) -> AsyncIterator[Api]:
    def sources(clock: Clock, tasks: Tasks) -> list[Any]:
        return open_sources(Settings(identity=dict(identity)), None, clock, tasks)

    world = World(folder)
    world.clock = now()
    async with open_rooms(world, sources=sources) as rooms:
        transport = httpx.ASGITransport(build_app(rooms.platform, EDGES))
        async with httpx.AsyncClient(transport=transport) as client:
            yield Api(rooms, client)
        await rooms.platform.door.close()


@pytest.fixture
async def corp(tmp_path: Path) -> AsyncIterator[OidcStage]:
    async with provider(tmp_path / "corp") as stage:
        yield stage


@asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[OidcStage]:
    folder.mkdir()
    stage = OidcStage(folder)
    await stage.start()
    yield stage
    await stage.kill()


async def test_groups_in_a_token_open_a_namespace_and_trust_goes_with_the_provider(
    corp: OidcStage, tmp_path: Path
) -> None:
    async with provider(tmp_path / "shop") as shop:
        identity = {"corp": table(corp, tmp_path, trust=2), "shop": table(shop, tmp_path, trust=1)}
        async with served(tmp_path / "rooms", identity) as api:
            policy = Policies(defaults.policy([layers.read(NOT_TRUSTED, "site.yaml")]))
            api.rooms.platform.policy.take(InForce(policy, 1))
            for stage, invoked in ((corp, 200), (shop, 403)):
                ada, bob = [(await stage.log_in(user))["access_token"] for user in ("ada", "bob")]
                assert (await api.ask(ada, "actions/a?overwrite=true", "PUT", json=ECHO)).status_code == 200
                assert (await api.ask(ada, "actions/a?blocking=true", "POST", json={})).status_code == invoked
                assert (await api.ask(bob, "actions/a")).status_code == 200
                assert (await api.ask(bob, "actions/a?overwrite=true", "PUT", json=ECHO)).status_code == 403
                assert await api.status(await stage.robot()) == 403
            asked = [each.asked for each in await api.rooms.intents() if each.permission == "action:invoke"]
            assert [(one.subject, one.trust, one.method) for one in asked if one] == [
                ("corp/ada", 2, "oidc"),
                ("shop/ada", 1, "oidc"),
            ]


async def test_what_was_issued_before_a_revocation_opens_nothing_and_what_comes_after_does(
    corp: OidcStage, tmp_path: Path
) -> None:
    async with served(tmp_path / "rooms", {"corp": table(corp, tmp_path)}) as api:
        platform, clock = api.rooms.platform, api.rooms.world.clock
        corp.clock = clock
        groups = ["analysts"]
        before = corp.key.sign(corp.claims(groups=groups))
        assert await api.status(before) == 200
        await platform.accounts.put(Standing(account="corp/ada", revoked_ms=clock.now_ms()))
        platform.door.forget()
        assert await api.status(before) == 401
        clock.advance(1000)
        assert await api.status(corp.key.sign(corp.claims(groups=groups))) == 200
        await platform.accounts.put(Standing(account="corp/ada", blocked=True))
        platform.door.forget()
        assert await api.status(corp.key.sign(corp.claims(groups=groups))) == 401


async def test_nonsense_while_the_provider_is_away_keeps_nobody_out(corp: OidcStage, tmp_path: Path) -> None:
    async with served(tmp_path / "rooms", {"corp": table(corp, tmp_path)}) as api:
        corp.clock = api.rooms.world.clock
        claims = corp.claims(groups=["analysts"])
        assert await api.status(corp.key.sign(claims)) == 200
        await corp.kill()
        corp.clock.advance(60_000)
        stranger = SigningKey("unknown")
        for number in range(20):
            answer = await api.ask(stranger.sign(claims, kid=f"unknown {number}"))
            assert answer.status_code == 503
            assert "corp" in answer.json()["error"]
            assert await api.status(corp.key.sign({**claims, "jti": str(number)})) == 200
        corp.clock.advance(AWAY_MS)
        claims = corp.claims(groups=["analysts"])
        assert await api.status(corp.key.sign(claims)) == 503
        await corp.start()
        corp.clock.advance(10_000)
        assert await api.status(corp.key.sign(claims)) == 200


async def test_a_token_that_proves_nobody_is_told_so_and_is_in_no_log(
    corp: OidcStage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path / "rooms", {"corp": table(corp, tmp_path)}) as api:
        corp.clock = api.rooms.world.clock
        forged = [
            SigningKey("first").sign(corp.claims()),
            corp.key.sign(corp.claims(aud="other")),
            corp.key.sign(corp.claims(iss="https://other.example")),
        ]
        for token in (*forged, "a.b.c", "no token"):
            answer = await api.ask(token)
            assert (answer.status_code, answer.json()["error"]) == (401, "The supplied authentication is invalid")
            assert token not in caplog.text
        told = str(await api.rooms.records())
        assert not any(part in told for token in forged for part in token.split("."))
