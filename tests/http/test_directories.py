"""People of real directories and RADIUS servers at the doors of the API.

`corp` and `shop` are two of a kind, and both know an `alice`. Each is stopped and killed in the middle.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from outside_ldap import BASE, Directory, word_of
from outside_radius import Radius
from rambla.app.edges import EDGES
from rambla.app.identity import open_sources
from rambla.app.settings import Settings
from rambla.domain.errors import BadSettings
from rambla.http.app import build_app
from rambla.kit.clock import Clock, ManualClock
from rambla.kit.tasks import Tasks
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rambla.testing.identity_source import STRANGE
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

GROUPS = f"ou=groups,{BASE}"
ALICE = f"uid=alice,ou=people,{BASE}"
MAPPING = f"""
grants:
  - {{if: {{group: ["cn=direct,{GROUPS}", ops]}}, namespaces: {{guest: [developer]}}}}
"""
SITE = """
layer: site
rules:
  action:invoke: {mode: extend, deny: not caller.trust >= 2}
  identity:login: {mode: extend, deny: caller.subject == "corp/otto" and caller.method != "password+code"}
"""
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}
OTHER_WORD, CACHE_MS, PAUSE_MS = "other-word", 10_000, 5_000
ACTION = "/api/v1/namespaces/guest/actions/a"


@asynccontextmanager
async def ldap(folder: Path, word: str) -> AsyncIterator[Any]:
    server = Directory(folder)
    await server.start()
    server.change(f"dn: {ALICE}", "changetype: modify", "replace: userPassword", f"userPassword: {word}")
    yield server, server.settings(kind="ldap", groups_base=GROUPS, nesting_max=0)
    await server.kill()


@asynccontextmanager
async def radius(folder: Path, word: str) -> AsyncIterator[Any]:
    server = Radius(folder)
    users = folder / "users"
    users.write_text(users.read_text().replace(f'"{word_of("alice")}"', f'"{word}"'))
    await server.start()
    yield server, server.settings(kind="radius", groups="Filter-Id", tries=1, try_ms=10_000)
    await server.kill()


class Town:
    """The API, as somebody uses it who shows a password."""

    def __init__(self, rooms: Rooms, client: httpx.AsyncClient, corp: Any) -> None:
        self.rooms = rooms
        self.client = client
        self.corp = corp

    @property
    def clock(self) -> ManualClock:
        return self.rooms.world.clock

    async def ask(self, user: str, word: str, method: str = "GET", path: str = ACTION, **more: Any) -> httpx.Response:
        shown = base64.b64encode(f"{user}:{word}".encode()).decode()
        with anyio.fail_after(60):
            return await self.client.request(method, path, headers={"Authorization": f"Basic {shown}"}, **more)

    async def status(self, user: str, word: str, method: str = "GET", path: str = ACTION, **more: Any) -> int:
        return (await self.ask(user, word, method, path, **more)).status_code

    async def put(self, user: str, word: str) -> int:
        return await self.status(user, word, "PUT", f"{ACTION}?overwrite=true", json=ECHO)


def table(folder: Path, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The settings of one source."""
    (folder / "mapping.yaml").write_text(MAPPING)
    terms = {"roles": ["developer"], "namespaces": ["guest"], "mapping": str(folder / "mapping.yaml")}
    return {**terms, "timeout_ms": 2_000, "cache_ms": CACHE_MS, "pause_ms": PAUSE_MS, **given, **more}


@pytest.fixture(params=[ldap, radius], ids=lambda make: make.__name__)
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    for name in ("corp", "shop", "rooms"):
        (tmp_path / name).mkdir()
    async with (
        request.param(tmp_path / "corp", word_of("alice")) as (corp, given),
        request.param(tmp_path / "shop", OTHER_WORD) as (_, other),
    ):
        identity = {"corp": table(tmp_path, given, trust=2), "shop": table(tmp_path, other, trust=1)}

        def sources(clock: Clock, tasks: Tasks) -> list[Any]:
            return open_sources(Settings(identity=identity), None, clock, tasks)

        async with open_rooms(tmp_path / "rooms", sources=sources) as rooms:
            rooms.platform.policy.take(InForce(Policies(defaults.policy([layers.read(SITE, "site.yaml")])), 1))
            transport = httpx.ASGITransport(build_app(rooms.platform, EDGES))
            async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as client:
                yield Town(rooms, client, corp)
            await rooms.platform.door.close()


async def test_two_who_are_called_the_same_are_two_and_trusted_as_far_as_their_source(town: Town) -> None:
    for user, word, invoked in (("corp/alice", word_of("alice"), 200), ("shop/alice", OTHER_WORD, 403)):
        assert await town.put(user, word) == 200
        assert await town.status(user, word, "POST", f"{ACTION}?blocking=true") == invoked
    for user, word in (("corp/alice", OTHER_WORD), ("shop/alice", word_of("alice")), ("corp/nobody", OTHER_WORD)):
        assert await town.put(user, word) == 401
    asked = [intent.asked for intent in await town.rooms.intents() if intent.permission == "action:invoke"]
    assert [(one.subject, one.trust, one.method) for one in asked if one] == [
        ("corp/alice", 2, "password"),
        ("shop/alice", 1, "password"),
    ]


async def test_without_a_source_each_password_finds_its_own(town: Town) -> None:
    for word in (word_of("alice"), OTHER_WORD):
        assert await town.put("alice", word) == 200
    asked = {intent.subject for intent in await town.rooms.intents() if intent.permission.startswith("action:")}
    assert asked == {"corp/alice", "shop/alice"}
    written = repr(await town.rooms.records())
    assert word_of("alice") not in written
    assert OTHER_WORD not in written


async def test_a_source_gives_no_role_beyond_those_that_it_may(tmp_path: Path) -> None:
    beyond = table(tmp_path, {"kind": "ldap", "url": "ldaps://127.0.0.1", "base": BASE}, roles=["reader"])
    with pytest.raises(BadSettings, match="the role 'developer', which the source may not give"):
        open_sources(Settings(identity={"shop": beyond}), None, ManualClock(), Tasks())


async def test_strange_names_and_passwords_are_nobodys(town: Town) -> None:
    for text in STRANGE:
        if "\ud800" not in text:
            for user, word in ((f"corp/{text}", word_of("alice")), ("corp/bob", text), (text, word_of("alice"))):
                assert await town.status(user, word) in (401, 429, 431), ascii(text[:100])
    assert await town.put("corp/alice", word_of("alice")) == 200
    assert town.rooms.platform.door.health()["corp"]["failed"] == 0


async def test_guessing_locks_a_name_whether_anybody_has_it_or_not(town: Town) -> None:
    for user in ("corp/alice", "corp/nobody"):
        told = [await town.status(user, f"guess {number}") for number in range(7)]
        assert told == [401] * 5 + [429] * 2
    assert await town.status("corp/alice", word_of("alice")) == 429
    assert await town.put("shop/alice", OTHER_WORD) == 200


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_while_one_is_away_its_people_are_told_and_nobody_else_notices(town: Town, how: str) -> None:
    assert await town.put("corp/alice", word_of("alice")) == 200
    assert await town.put("shop/alice", OTHER_WORD) == 200
    await (town.corp.stop() if how == "stopped" else town.corp.kill())
    told: list[httpx.Response] = []

    async def wait() -> None:
        told.append(await town.ask("corp/bob", "word"))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        town.clock.advance(CACHE_MS)
        for _ in range(20):
            assert await town.status("shop/alice", OTHER_WORD) == 200
            assert await town.status("guest", "word") in (401, 503)
    assert (told[0].status_code, "'corp'" in told[0].json()["error"]) == (503, True)
    for _ in range(50):
        assert await town.status("corp/bob", "word") == 503
    assert town.rooms.platform.door.health()["corp"]["state"] == "away"
    await (town.corp.go_on() if how == "stopped" else town.corp.start())
    with anyio.fail_after(60):
        while await town.put("corp/alice", word_of("alice")) != 200:
            town.clock.advance(PAUSE_MS)


@pytest.mark.parametrize("town", [ldap], indirect=True, ids=["ldap"])
async def test_a_change_of_groups_is_felt_when_the_cache_is_over_or_the_account_is_revoked(town: Town) -> None:
    group = (f"dn: cn=direct,{GROUPS}", "changetype: modify")

    async def put() -> int:
        return await town.put("corp/alice", word_of("alice"))

    assert await put() == 200
    town.corp.change(*group, "delete: member", f"member: {ALICE}")
    assert await put() == 200
    town.clock.advance(CACHE_MS)
    assert await put() == 403
    town.corp.change(*group, "add: member", f"member: {ALICE}")
    assert await put() == 403
    operator = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    assert (await town.client.post("/identity/v1/accounts/corp/alice/revoke", headers=operator)).status_code == 200
    assert await put() == 200


@pytest.mark.parametrize("town", [radius], indirect=True, ids=["radius"])
async def test_a_rule_may_want_a_second_factor(town: Town) -> None:
    body = {"method": "password", "source": "corp", "user": "otto", "password": word_of("otto")}
    for more, status in (({}, 401), ({"code": "123457"}, 401), ({"code": "123456"}, 200)):
        answer = await town.client.post("/identity/v1/login", json={**body, **more})
        assert answer.status_code == status, answer.text
    assert answer.json()["method"] == "password+code"
