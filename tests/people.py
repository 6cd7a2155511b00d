"""People that a source of the tests knows, as whom they log in and what they then come with."""

from collections.abc import Mapping

import httpx

from rambla.drivers.memory.source import MemorySource, Person
from rambla.identity.asking import Asking, Terms
from rambla.identity.mapping import read
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks

IDENTITY = "/identity/v1"
PASSWORD = "word-of-ada"  # marked, so that it can be looked for
MAPPING = """
grants:
  - {if: {group: developers}, namespaces: {guest: [developer]}}
  - {if: {group: readers}, namespaces: {guest: [reader], other: [reader]}}
  - {if: {group: keepers}, roles: [identity-admin]}
"""
PEOPLE: Mapping[str, Person] = {
    "ada": Person(password=PASSWORD, groups=("developers",)),
    "rob": Person(password=PASSWORD, groups=("readers",)),
    "kim": Person(password=PASSWORD, groups=("keepers", "developers")),
    "una": Person(password=PASSWORD),
}


def sources(clock: Clock, tasks: Tasks) -> list[Asking]:
    """`corp` alone: ada develops in `guest`, rob reads in `guest` and `other`, kim keeps accounts, una has nothing."""
    terms = Terms(
        kind="memory", trust=2, roles=("developer", "reader", "identity-admin"), namespaces=("guest", "other")
    )
    translation = read("corp", MAPPING, terms.ceiling)
    return [Asking("corp", MemorySource("corp", PEOPLE), terms, translation, clock, tasks)]


async def log_in(web: httpx.AsyncClient, user: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    body = {"method": "password", "user": user, "password": password, **more}
    return await web.post(f"{IDENTITY}/login", json=body)


async def bearer(web: httpx.AsyncClient, user: str, **more: str) -> dict[str, str]:
    """The header of a session."""
    answer = await log_in(web, user, **more)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def token_of(web: httpx.AsyncClient, headers: Mapping[str, str], **wish: object) -> httpx.Response:
    return await web.post(f"{IDENTITY}/tokens", json={"name": "robot", **wish}, headers=headers)
