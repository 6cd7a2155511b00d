"""Local users log in with what they were given last, and with nothing from before."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pyotp
import pytest

from people import IDENTITY, log_in
from rambla.drivers.local.source import open_source
from rambla.drivers.memory.identity import MemoryUserStore
from rambla.identity.asking import Asking, Terms
from rambla.identity.mapping import read
from rambla.kit.clock import Clock, ManualClock
from rambla.kit.tasks import Tasks
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

pytestmark = pytest.mark.anyio
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
USERS = f"{IDENTITY}/users/local"
WHOAMI = f"{IDENTITY}/whoami"
FIRST, SECOND = "first long word", "second long word"
MAPPING = "grants: [{if: {group: developers}, namespaces: {guest: [developer]}}]"
NEW = {"user": "ada", "password": FIRST, "groups": ["developers"]}


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    def sources(clock: Clock, tasks: Tasks) -> list[Asking]:
        given = {"key_file": str(tmp_path / "key"), "memory_kib": 64, "passes": 1, "lanes": 1}
        source = open_source("local", given, SimpleNamespace(users=MemoryUserStore()), clock)
        terms = Terms(kind="local", trust=1, trust_totp=5, roles=("developer",), namespaces=("guest",))
        return [Asking("local", source, terms, read("local", MAPPING, terms.ceiling), clock, tasks)]

    async with open_rooms(tmp_path, sources=sources) as rooms:
        yield rooms


@pytest.fixture
async def ada(web: httpx.AsyncClient) -> dict[str, str]:
    assert (await web.post(USERS, json=NEW, headers=OPERATOR)).status_code == 200
    return await session(web)


async def session(web: httpx.AsyncClient, password: str = FIRST, **more: str) -> dict[str, str]:
    answer = await log_in(web, "ada", password, **more)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_a_user_is_made_and_listed_without_secrets(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    (told,) = (await web.get(USERS, headers=OPERATOR)).json()
    assert told.pop("changed")
    assert told == {"user": "ada", "groups": ["developers"], "disabled": False, "secondFactor": False}
    assert (await web.get(WHOAMI, headers=ada)).json()["namespace"] == "guest"
    assert (await web.post(USERS, json=NEW, headers=OPERATOR)).status_code == 409
    assert (await web.get(f"{IDENTITY}/users/corp", headers=OPERATOR)).status_code == 404


async def test_a_new_password_ends_what_the_old_one_gave(
    web: httpx.AsyncClient, ada: dict[str, str], clock: ManualClock
) -> None:
    assert (await web.put(f"{USERS}/ada/password", json={"password": SECOND}, headers=OPERATOR)).status_code == 200
    assert (await web.get(WHOAMI, headers=ada)).status_code == 401
    clock.advance(1)
    assert (await log_in(web, "ada", FIRST)).status_code == 401
    assert (await web.get(WHOAMI, headers=await session(web, SECOND))).status_code == 200


async def test_who_is_disabled_or_deleted_is_out_at_once(
    web: httpx.AsyncClient, ada: dict[str, str], clock: ManualClock
) -> None:
    assert (await web.post(f"{USERS}/ada/disable", headers=OPERATOR)).json()["disabled"]
    assert (await web.get(WHOAMI, headers=ada)).status_code == 401
    assert (await log_in(web, "ada", FIRST)).status_code == 401
    assert not (await web.post(f"{USERS}/ada/enable", headers=OPERATOR)).json()["disabled"]
    clock.advance(1)
    again = await session(web)
    await web.put(f"{IDENTITY}/accounts/local/ada/person", json={"person": "Ada L."}, headers=OPERATOR)
    assert (await web.delete(f"{USERS}/ada", headers=OPERATOR)).status_code == 204
    assert (await web.get(WHOAMI, headers=again)).status_code == 401
    assert (await web.delete(f"{USERS}/ada", headers=OPERATOR)).status_code == 404
    clock.advance(1)
    await web.post(USERS, json=NEW, headers=OPERATOR)
    assert (await web.get(WHOAMI, headers=await session(web))).json()["person"] == ""


async def test_who_shows_a_second_factor_is_trusted_further(
    web: httpx.AsyncClient, ada: dict[str, str], clock: ManualClock
) -> None:
    assert (await web.get(WHOAMI, headers=ada)).json()["trust"] == 1
    address = (await web.post(f"{USERS}/ada/totp", headers=OPERATOR)).json()["address"]
    assert (await web.get(WHOAMI, headers=ada)).status_code == 401
    assert (await log_in(web, "ada", FIRST)).status_code == 401
    clock.advance(30_000)
    code = pyotp.parse_uri(address).at(clock.now_ms() // 1000)
    told = (await web.get(WHOAMI, headers=await session(web, code=code))).json()
    assert (told["trust"], told["method"]) == (5, "password+totp")
    assert (await log_in(web, "ada", FIRST, code=code)).status_code == 401
    assert (await web.delete(f"{USERS}/ada/totp", headers=OPERATOR)).status_code == 204
    clock.advance(1)
    assert (await web.get(WHOAMI, headers=await session(web))).json()["trust"] == 1


async def test_no_secret_of_a_user_is_in_the_journal(web: httpx.AsyncClient, ada: dict[str, str], rooms: Rooms) -> None:
    await web.put(f"{USERS}/ada/password", json={"password": SECOND}, headers=OPERATOR)
    address = (await web.post(f"{USERS}/ada/totp", headers=OPERATOR)).json()["address"]
    written = repr(await rooms.records())
    assert all(secret not in written for secret in (FIRST, SECOND, pyotp.parse_uri(address).secret))
    done = {(intent.permission, intent.target) for intent in await rooms.intents()}
    assert ("identity:user", "local/ada") in done
