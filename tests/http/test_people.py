"""People of a source, over HTTP: what they reach in their namespaces, and what they are told when they do not."""

import base64
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from rambla.drivers.memory.source import MemorySource, Person
from rambla.identity.asking import Asking, Terms
from rambla.identity.mapping import read
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rooms import Rooms, open_rooms

pytestmark = pytest.mark.anyio
MAPPING = """
grants:
  - {if: {group: devs}, namespaces: {guest: [developer], other: [reader]}}
  - {if: {group: makes}, namespaces: {guest: [developer]}}
  - {if: {group: looks}, namespaces: {guest: [reader]}}
  - {if: {group: tends}, roles: [namespace-admin]}
"""
PEOPLE = {
    "dev": Person(password="word", groups=("devs",)),
    "make": Person(password="word", groups=("makes",)),
    "look": Person(password="word", groups=("looks",)),
    "tend": Person(password="word", groups=("tends",)),
    "none": Person(password="word"),
}
TERMS = {"roles": ("developer", "reader", "namespace-admin"), "namespaces": ("guest", "other"), "timeout_ms": 300}
ACTION = {"exec": {"kind": "python:3", "code": "echo"}}


class Company:
    """Two sources of the same people: `corp` is trusted with 3, `shop` with 1."""

    def __init__(self) -> None:
        self.corp, self.shop = (MemorySource(name, PEOPLE) for name in ("corp", "shop"))

    def sources(self, clock: Clock, tasks: Tasks) -> list[Asking]:
        def asking(source: MemorySource, trust: int) -> Asking:
            terms = Terms(trust=trust, attempts_max=2, **TERMS)  # type: ignore[arg-type]  # as Terms has them
            return Asking(source.name, source, terms, read(source.name, MAPPING, terms.ceiling), clock, tasks)

        return [asking(self.corp, 3), asking(self.shop, 1)]


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def rooms(tmp_path: Path, company: Company, anyio_backend: str) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, sources=company.sources) as rooms:
        yield rooms


def as_user(user: str, password: str = "word") -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def status(web: httpx.AsyncClient, method: str, path: str, user: str, **more: object) -> int:
    answer = await web.request(method, f"/api/v1/namespaces/{path}", headers=as_user(user), **more)  # type: ignore[arg-type]  # httpx's own
    return answer.status_code


async def test_roles_count_in_the_namespace_that_is_asked_about(web: httpx.AsyncClient) -> None:
    assert await status(web, "PUT", "guest/actions/a", "corp/dev", json=ACTION) == 200
    assert await status(web, "PUT", "_/actions/b", "corp/dev", json=ACTION) == 200  # the first is the default
    assert await status(web, "POST", "guest/actions/a?blocking=true", "corp/dev", json={}) == 200
    assert await status(web, "PUT", "other/actions/a", "corp/dev", json=ACTION) == 403
    assert await status(web, "GET", "other/actions", "corp/dev") == 200
    assert await status(web, "GET", "guest/actions/a", "corp/look") == 200
    for method, path in (("PUT", "guest/actions/a?overwrite=true"), ("DELETE", "guest/actions/a")):
        assert await status(web, method, path, "corp/look", json=ACTION) == 403
    for user in ("corp/tend", "corp/none"):
        assert await status(web, "GET", "guest/actions", user) == 403


async def test_who_works_somewhere_finds_what_others_publish_and_nothing_else(
    web: httpx.AsyncClient, other_key: str
) -> None:
    owner = {"Authorization": other_key}
    for package, published in (("open", True), ("closed", False)):
        path = f"/api/v1/namespaces/_/packages/{package}"
        await web.put(path, headers=owner, json={"publish": published})
        await web.put(f"/api/v1/namespaces/_/actions/{package}/a", headers=owner, json=ACTION)
    for user, found in (("corp/look", 200), ("corp/none", 403), ("corp/tend", 403)):
        answer = await web.get("/api/v1/namespaces/other/packages", headers=as_user(user))
        assert answer.status_code == found
        assert found == 403 or [package["name"] for package in answer.json()] == ["open"]
        assert await status(web, "GET", "other/packages/open", user) == found
        assert await status(web, "GET", "other/actions/open/a", user) == found
        # To invoke it costs the namespace that they work in, so whoever only looks does not.
        assert await status(web, "POST", "other/actions/open/a?blocking=true", user, json={}) == 403
        assert await status(web, "GET", "other/actions/closed/a", user) == 403
        assert await status(web, "PUT", "other/actions/open/b", user, json=ACTION) == 403
    assert await status(web, "POST", "other/actions/open/a?blocking=true", "corp/make", json={}) == 200


async def test_what_they_do_is_on_record_with_who_they_are_and_how_far_they_are_trusted(
    web: httpx.AsyncClient, rooms: Rooms
) -> None:
    await status(web, "PUT", "guest/actions/a", "shop/dev", json=ACTION)
    intent = (await rooms.intents())[-1]
    assert (intent.subject, intent.source, intent.namespace) == ("shop/dev", "shop", "guest")
    assert intent.asked
    assert (intent.asked.trust, intent.asked.method, intent.asked.groups) == (1, "password", ("devs",))


async def test_trust_counts_in_a_rule(web: httpx.AsyncClient, rooms: Rooms) -> None:
    text = "layer: site\nrules: {action:invoke: {mode: extend, deny: not caller.trust >= 2}}"
    rooms.platform.policy.take(InForce(Policies(defaults.policy([layers.read(text, "site.yaml")])), 1))
    assert await status(web, "PUT", "guest/actions/a", "shop/dev", json=ACTION) == 200
    path = "/api/v1/namespaces/guest/actions/a?blocking=true"
    assert (await web.post(path, headers=as_user("corp/dev"), json={})).status_code == 200
    answer = await web.post(path, headers=as_user("shop/dev"), json={})
    assert (answer.status_code, answer.json()["layer"]) == (403, "site")


async def test_a_source_that_is_away_is_told_to_its_own_people_alone(web: httpx.AsyncClient, company: Company) -> None:
    company.corp.away = True
    answer = await web.get("/api/v1/namespaces/guest/actions", headers=as_user("corp/dev"))
    assert answer.status_code == 503
    assert answer.json()["error"] == "The identity source 'corp' cannot say who you are: it is not there"
    assert await status(web, "GET", "guest/actions", "shop/dev") == 200


async def test_too_many_wrong_passwords_are_a_429_that_says_when_to_come_again(web: httpx.AsyncClient) -> None:
    for number in range(2):
        answer = await web.get("/api/v1/namespaces/guest/actions", headers=as_user("corp/dev", f"no{number}"))
        assert (answer.status_code, answer.json()["error"]) == (401, "The supplied authentication is invalid")
    answer = await web.get("/api/v1/namespaces/guest/actions", headers=as_user("corp/dev"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")


async def test_a_web_action_needs_nobody_though_every_source_is_away(
    web: httpx.AsyncClient, company: Company, guest_key: str
) -> None:
    web_action = {**ACTION, "annotations": [{"key": "web-export", "value": True}]}
    await web.put("/api/v1/namespaces/_/actions/w", headers={"Authorization": guest_key}, json=web_action)
    company.corp.away = company.shop.away = True
    answer = await web.get("/api/v1/web/guest/default/w.json", headers=as_user("corp/dev"))
    assert answer.status_code == 503  # who says who they are shall not be taken for nobody
    assert (await web.get("/api/v1/web/guest/default/w.json")).status_code == 200
