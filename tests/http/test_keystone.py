"""People of a real Keystone at the doors of the API: in their projects' namespaces, and in nobody else's."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from keystone_cloud import Keystone, running_keystone
from outside_keystone import ADA_WORD, BOB_WORD, People
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
from rooms import Rooms, World, open_rooms

pytestmark = pytest.mark.anyio
BASE = "http://rambla/api/v1/namespaces/"
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}
MAPPING = "projects: {member: [developer], reader: [reader]}"
OPEN = 'layer: site\nrules:\n  project:open: caller.source in ["north", "south"]\n'
NOT_TRUSTED = OPEN + "  action:invoke: {mode: extend, deny: not caller.trust >= 2}\n"


@pytest.fixture(scope="module")
def people(keystone: Keystone) -> People:
    return People(keystone)


@pytest.fixture(scope="module")
def southern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """People of another Keystone, some of whom are called the same."""
    with running_keystone(tmp_path_factory.mktemp("south") / "keystone") as keystone:
        yield People(keystone)


class Street:
    """The API, as somebody uses it who shows a token."""

    def __init__(self, rooms: Rooms, client: httpx.AsyncClient) -> None:
        self.rooms = rooms
        self._client = client

    @property
    def clock(self) -> ManualClock:
        return self.rooms.world.clock

    async def ask(self, token: str, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        headers = {"X-Auth-Token": token, **more.pop("headers", {})}
        return await self._client.request(method, BASE + path, headers=headers, **more)

    async def put(self, token: str, path: str) -> httpx.Response:
        return await self.ask(token, f"{path}?overwrite=true", "PUT", json=ECHO)

    async def comes_in(self, token: str) -> bool:
        """Whether they do, as soon as Keystone answers in time: a busy machine may take longer."""
        with anyio.fail_after(120):
            while (answer := await self.ask(token, "_/actions")).status_code == 503:
                self.clock.advance(5001)
        return answer.status_code == 200

    async def log_in(self, **body: str) -> dict[str, Any]:
        answer = await self._client.post("http://rambla/identity/v1/login", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def names(self) -> set[str]:
        """Of the namespaces that were made for projects."""
        return {found.name for found in await self.rooms.platform.namespaces.all() if found.owner}


def table(people: People, folder: Path, mapping: str = MAPPING, **more: Any) -> dict[str, Any]:
    """The settings of one source."""
    folder.mkdir(exist_ok=True)
    (folder / "mapping.yaml").write_text(mapping)
    terms = {"roles": ["developer", "reader"], "namespaces": ["*"], "mapping": str(folder / "mapping.yaml")}
    patience = {"timeout_ms": 60_000}  # a busy machine is no reason to fail
    return {"kind": "keystone", **terms, **patience, **people.settings(folder), **more}


@asynccontextmanager
async def street(folder: Path, identity: Mapping[str, dict[str, Any]], policy: str = OPEN) -> AsyncIterator[Street]:
    def sources(clock: Clock, tasks: Tasks) -> list[Any]:
        return open_sources(Settings(identity=dict(identity)), None, clock, tasks)

    world = World(folder)
    world.clock.ms = time.time_ns() // 1_000_000  # as Keystone says when tokens expire
    async with open_rooms(world, sources=sources) as rooms:
        in_force = Policies(defaults.policy([layers.read(policy, "site.yaml")]))
        rooms.platform.policy.take(InForce(in_force, 1))
        transport = httpx.ASGITransport(build_app(rooms.platform, EDGES))
        async with httpx.AsyncClient(transport=transport) as client:
            yield Street(rooms, client)
        await rooms.platform.door.close()


async def test_members_of_a_project_share_a_namespace_that_readers_only_read(people: People, tmp_path: Path) -> None:
    colleague = people.keystone.create_user("colleague", "word", people.domain)
    people.keystone.assign("member", colleague, project=people.project)
    people.keystone.assign("reader", people.bob, project=people.project)
    ada, reader = people.token(), people.token("bob", BOB_WORD)
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        assert (await found.put(ada, "_/actions/a")).status_code == 200
        assert (await found.ask(people.token("colleague", "word"), "_/actions/a")).json()["namespace"] == "street"
        assert (await found.ask(ada, "street/actions/a?blocking=true", "POST")).status_code == 200
        assert (await found.ask(reader, "street/actions/a")).status_code == 200
        assert (await found.put(reader, "street/actions/b")).status_code == 403
        assert (await found.ask(ada, "guest/actions")).status_code == 403
        assert await found.names() == {"street"}


async def test_who_has_no_role_in_a_project_has_no_namespace(people: People, tmp_path: Path) -> None:
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        await found.put(people.token(), "_/actions/a")
        other = People(people.keystone)
        for token in (other.token("bob", BOB_WORD, ""), other.token()):
            assert (await found.ask(token, "street/actions/a")).status_code == 403


async def test_a_namespace_is_made_only_if_the_policy_lets_them(people: People, tmp_path: Path) -> None:
    async with street(tmp_path, {"north": table(people, tmp_path)}, "layer: site\nrules: {}\n") as found:
        assert (await found.put(people.token(), "_/actions/a")).status_code == 403
        assert await found.names() == set()


async def test_a_project_gets_no_namespace_by_being_called_like_one(people: People, tmp_path: Path) -> None:
    """Neither the platform's, nor that of a project of the same name in another domain."""
    others = [People(people.keystone) for _ in range(2)]
    for other in others:
        guest = other.keystone.create_project("guest", other.domain)
        other.keystone.assign("member", other.ada, project=guest)
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        for project in ("guest", "street"):
            for other in others:
                token = other.token(project=project)
                assert (await found.put(token, f"_/actions/of-{other.ada}")).status_code == 200
                listed = (await found.ask(token, "_/actions")).json()
                assert [each["name"] for each in listed] == [f"of-{other.ada}"]
                assert (await found.ask(token, "guest/actions")).status_code == 403
        assert len(await found.names()) == 4
        assert "guest" not in await found.names()


async def test_keystones_roles_are_those_that_the_mapping_makes_of_them(people: People, tmp_path: Path) -> None:
    people.keystone.assign("policy-admin", people.ada, project=people.project)
    token = people.token()
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        assert (await found.put(token, "_/actions/a")).status_code == 200
        intents = await found.rooms.intents()
        assert {role for intent in intents if intent.asked for role in intent.asked.roles} == {"developer", "reader"}
    beyond = table(people, tmp_path, "projects: {member: [developer, policy-admin]}")
    with pytest.raises(BadSettings, match="policy-admin"):
        open_sources(Settings(identity={"north": beyond}), None, ManualClock(), Tasks())


async def test_people_of_two_sources_who_are_called_the_same_are_two_and_trusted_as_far_as_their_source(
    people: People, southern: People, tmp_path: Path
) -> None:
    named = f"user: name\n{MAPPING}"
    identity = {
        "north": table(people, tmp_path / "north", named, trust=2),
        "south": table(southern, tmp_path / "south", named, trust=1),
    }
    async with street(tmp_path, identity, NOT_TRUSTED) as found:
        for side, invoked in ((people, 200), (southern, 403)):
            token = side.token()
            assert (await found.put(token, "_/actions/a")).status_code == 200
            assert (await found.ask(token, "_/actions/a?blocking=true", "POST")).status_code == invoked
        invokes = [intent for intent in await found.rooms.intents() if intent.permission == "action:invoke"]
        assert [(intent.subject, intent.source, intent.asked and intent.asked.trust) for intent in invokes] == [
            ("north/ada", "north", 2),
            ("south/ada", "south", 1),
        ]
        assert len(await found.names()) == 2


async def test_who_acts_for_another_is_on_record_with_whom_they_act_for(people: People, tmp_path: Path) -> None:
    deny = OPEN + '  action:read: {mode: extend, deny: caller.on_behalf_of != ""}\n'
    async with street(tmp_path, {"north": table(people, tmp_path)}, deny) as found:
        token = people.trusted_token(impersonation=True)
        assert (await found.put(token, "_/actions/a")).status_code == 200
        assert (await found.ask(token, "_/actions/a")).status_code == 403
        assert (await found.ask(people.token(), "_/actions/a")).status_code == 200
        asked = [intent.asked for intent in await found.rooms.intents() if intent.permission == "action:read"]
        assert [(one.subject, one.on_behalf_of) for one in asked if one] == [
            (f"north/{people.bob}", f"north/{people.ada}"),
            (f"north/{people.ada}", ""),
        ]


async def test_a_revoked_token_opens_nothing_once_it_is_not_remembered_any_more(people: People, tmp_path: Path) -> None:
    token = people.token()
    async with street(tmp_path, {"north": table(people, tmp_path, cache_ms=1000)}) as found:
        assert (await found.put(token, "_/actions/a")).status_code == 200
        people.keystone.revoke(token)
        found.clock.advance(1001)
        assert (await found.ask(token, "_/actions/a")).status_code == 401


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_while_keystone_is_away_its_people_are_told_and_nobody_else_notices(
    people: People, tmp_path: Path, how: str
) -> None:
    keystone, tokens = people.keystone, [people.token() for _ in range(2)]
    async with street(tmp_path, {"north": table(people, tmp_path, timeout_ms=2000)}) as found:
        assert await found.comes_in(tokens[0])
        await (keystone.stop() if how == "stopped" else keystone.kill())
        try:
            away = await found.ask(tokens[1], "_/actions")
            assert away.status_code == 503
            assert "identity source 'north'" in away.json()["error"]
            guest = await found.rooms.platform.namespaces.get("guest")
            assert guest is not None
            by_key = httpx.BasicAuth(*guest.key.split(":"))
            assert (await found.ask("", "_/actions", auth=by_key)).status_code == 200
            assert (await found.ask(tokens[0], "_/actions")).status_code == 200, "it is remembered"
        finally:
            await (keystone.go_on() if how == "stopped" else keystone.start())
        assert await found.comes_in(tokens[1])


async def test_a_person_may_come_with_a_password_by_name_of_the_source(people: People, tmp_path: Path) -> None:
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        for word, status in ((ADA_WORD, 403), ("wrong-word", 401)):  # they are known, and have no namespace to act in
            by_password = httpx.BasicAuth("north/ada", word)
            assert (await found.ask("", "street/actions", auth=by_password)).status_code == status


async def test_who_logs_in_gets_a_session_in_their_project_that_ends_with_what_keystone_gave_them(
    people: People, tmp_path: Path
) -> None:
    credential = people.application_credential()
    password = {"user": "ada", "password": ADA_WORD, "domain": people.domain_name, "project": "street"}
    async with street(tmp_path, {"north": table(people, tmp_path)}) as found:
        for method, proof in (
            ("password", password),
            ("keystone-token", {"token": people.token()}),
            ("application-credential", {"id": credential.id, "secret": credential.secret}),
        ):
            session = await found.log_in(method=method, **proof)
            assert (session["subject"], session["namespace"]) == (f"north/{people.ada}", "street")
            assert session["method"] == ("application-credential" if len(proof) == 2 else "password")
            assert 3_500_000 < session["expires"] - found.clock.now_ms() < 4_000_000
            bearer = {"Authorization": f"Bearer {session['token']}"}
            assert (await found.ask("", "_/actions", headers=bearer)).status_code == 200
        found.clock.advance(4_000_000)
        assert (await found.ask("", "_/actions", headers=bearer)).status_code == 401
