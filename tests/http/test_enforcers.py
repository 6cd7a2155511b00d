"""Requests of a whole platform whose rules ask a real directory, a real database and a real web service.

Each is stopped and killed in the middle: what hangs on it is refused and says why, no request waits for it twice, and
all else goes on. It is asked again as soon as its pause is over.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from outside_ldap import Directory
from outside_sql import open_postgresql
from outside_web import WebStage
from rambla.app.edges import EDGES
from rambla.domain.access import Caller
from rambla.enforcers.asking import Asking, Terms
from rambla.enforcers.panel import Panel
from rambla.http.app import build_app
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rooms import Rooms, let_in, nobody, open_rooms

PERSONS = {name: Caller(name, "", "key", ("namespace-admin",)) for name in ("alice", "bob", "*)(uid=*", "' OR 1=1 --")}
PAUSE_MS, HOLDS_MS = 60_000, 1_000
TERMS = Terms(timeout_ms=2_000, yes_ms=HOLDS_MS, no_ms=HOLDS_MS, pause_ms=PAUSE_MS)
SITE = """
layer: site
rules:
  namespace:list: {{mode: extend, deny: not ask {asked}}}
"""


class Asked:
    """A platform whose list of namespaces is for those of whom the enforcer says yes."""

    def __init__(self, stage: Any, name: str) -> None:
        self.stage = stage
        self.name = name
        self.rooms: Rooms
        self._client: httpx.AsyncClient

    def panel(self, clock: Clock, tasks: Tasks) -> Panel:
        asking = Asking(self.name, self.stage.enforcer, TERMS, clock, tasks)
        return Panel({self.name: asking}, nobody(clock, tasks)._open_origin)

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[None]:
        async with open_rooms(folder, enforcers=self.panel) as self.rooms:
            platform = self.rooms.platform
            where = f"{self.name}:{self.stage.argument}" if self.stage.argument else self.name
            read = [layers.read(SITE.format(asked=where), "site.yaml")]
            platform.policy.take(InForce(Policies(defaults.policy(read, platform.enforcers)), 1))
            let_in(platform, PERSONS)
            transport = httpx.ASGITransport(build_app(platform, EDGES))
            async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as self._client:
                yield

    async def list(self, person: str) -> httpx.Response:
        with anyio.fail_after(60):
            return await self._client.get("/platform/v1/namespaces", headers={"Authorization": f"Bearer {person}"})

    def health(self) -> dict[str, Any]:
        found: Any = self.rooms.platform.enforcers.health()[self.name]
        return found

    async def refusal(self, person: str) -> str:
        answer = await self.list(person)
        assert answer.status_code == 403, answer.text
        body = answer.json()
        assert body["rule"] == f"enforcer/{self.name}"
        assert self.stage.secret not in answer.text
        reason: str = body["reason"]
        return reason

    async def answers_again(self) -> None:
        """Each failure costs a pause; a server that was just started may cost one."""
        with anyio.fail_after(60):
            while (await self.list("alice")).status_code != 200:
                self.rooms.world.clock.advance(PAUSE_MS)
        answer = await self.list("bob")
        assert (answer.status_code, answer.json()["rule"]) == (403, "site/namespace:list")
        assert "reason" not in answer.json()


@asynccontextmanager
async def web(folder: Path) -> AsyncIterator[Any]:
    stage = WebStage(folder)
    await stage.start()
    stage.open(url="http://{host}/oslo")
    yield stage
    await stage.close()
    await stage.kill()


@asynccontextmanager
async def opa(folder: Path) -> AsyncIterator[Any]:
    stage = WebStage(folder)
    await stage.start()
    stage.argument = "ops"
    stage.open(url="opa+http://{host}/rambla/allow")
    yield stage
    await stage.close()
    await stage.kill()


@asynccontextmanager
async def ldap(folder: Path) -> AsyncIterator[Any]:
    stage = Directory(folder)
    await stage.start()
    stage.open()
    yield stage
    await stage.close()
    await stage.kill()


@asynccontextmanager
async def postgresql(folder: Path) -> AsyncIterator[Any]:
    async with open_postgresql() as stage:
        yield stage


@pytest.fixture(params=[web, opa, ldap, postgresql], ids=lambda make: make.__name__)
async def asked(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asked]:
    make: Callable[[Path], Any] = request.param
    for name in ("stage", "rooms"):
        (tmp_path / name).mkdir()
    async with make(tmp_path / "stage") as stage:
        found = Asked(stage, "named")
        async with found.opened(tmp_path / "rooms"):
            yield found


async def test_its_word_decides_and_a_hostile_name_is_nobodys(asked: Asked) -> None:
    assert (await asked.list("alice")).status_code == 200
    for person in PERSONS.keys() - {"alice"}:
        answer = await asked.list(person)
        assert (answer.status_code, answer.json()["rule"]) == (403, "site/namespace:list"), person
    assert asked.health()["state"] == "answers"
    assert asked.health()["asked"] == len(PERSONS)


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_while_it_is_away_all_is_refused_for_one_time_out_and_then_it_is_asked_again(
    asked: Asked, how: str
) -> None:
    assert (await asked.list("alice")).status_code == 200
    asked.rooms.world.clock.advance(HOLDS_MS)
    await (asked.stage.stop() if how == "stopped" else asked.stage.kill())
    first = await asked.refusal("alice")
    assert "in time" in first or "within" in first if how == "stopped" else first
    for _ in range(100):
        assert f"{first}; it is asked again after {PAUSE_MS} ms" == await asked.refusal("alice")
    for person in PERSONS:
        assert "asked again" in await asked.refusal(person)
    assert asked.health()["asked"] == 2, "only one of them waited"
    assert (asked.health()["state"], asked.health()["reason"]) == ("away", first)
    await (asked.stage.go_on() if how == "stopped" else asked.stage.start())
    assert "asked again" in await asked.refusal("alice"), "its pause is not over"
    asked.rooms.world.clock.advance(PAUSE_MS)
    await asked.answers_again()
    assert asked.health()["state"] == "answers"


async def test_what_does_not_hang_on_it_goes_on(asked: Asked) -> None:
    await asked.stage.stop()
    assert (await asked.list("nobody")).status_code == 401
    waiting: list[str] = []

    async def wait() -> None:
        waiting.append(await asked.refusal("alice"))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        for _ in range(50):
            answer = await asked._client.get("/api/v1")
            assert answer.status_code == 200
        assert waiting == [], "the other requests did not wait behind it"
    assert len(waiting) == 1
    await asked.stage.go_on()
