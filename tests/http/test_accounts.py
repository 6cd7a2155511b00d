"""Who is revoked or blocked comes in no more, by any way, at once."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import people
from flowkit import full_disk
from people import IDENTITY, PASSWORD, bearer, log_in, token_of
from rambla.kit.clock import ManualClock
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

pytestmark = pytest.mark.anyio
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
WHOAMI = f"{IDENTITY}/whoami"
ADA = f"{IDENTITY}/accounts/corp/ada"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, sources=people.sources) as rooms:
        yield rooms


def basic(user: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()}


async def test_revoking_ends_sessions_and_tokens_at_once_and_lets_in_again_who_proves_it_anew(
    web: httpx.AsyncClient, clock: ManualClock
) -> None:
    session = await bearer(web, "ada")
    token = {"Authorization": f"Bearer {(await token_of(web, session)).json()['token']}"}
    rob = await bearer(web, "rob")
    for headers in (session, token, rob):
        assert (await web.get(WHOAMI, headers=headers)).status_code == 200
    revoked = await web.post(f"{ADA}/revoke", headers=OPERATOR)
    assert revoked.json() == {"account": "corp/ada", "person": "", "blocked": False, "revoked": clock.now_ms()}
    for headers in (session, token):
        assert (await web.get(WHOAMI, headers=headers)).status_code == 401
    assert (await web.get(WHOAMI, headers=rob)).status_code == 200
    clock.advance(1)
    assert (await web.get(WHOAMI, headers=await bearer(web, "ada"))).status_code == 200


async def test_who_is_blocked_gets_in_by_nothing_until_unblocked(web: httpx.AsyncClient) -> None:
    session = await bearer(web, "ada")
    assert (await web.get(WHOAMI, headers=basic("corp/ada"))).status_code == 200
    assert (await web.post(f"{ADA}/block", headers=OPERATOR)).json()["blocked"]
    for headers in (session, basic("corp/ada"), basic("ada")):
        assert (await web.get(WHOAMI, headers=headers)).status_code == 401
    assert (await log_in(web, "ada")).status_code == 401
    assert not (await web.post(f"{ADA}/unblock", headers=OPERATOR)).json()["blocked"]
    for headers in (session, basic("ada")):
        assert (await web.get(WHOAMI, headers=headers)).status_code == 200


async def test_accounts_are_joined_to_a_person_and_parted(web: httpx.AsyncClient, rooms: Rooms) -> None:
    session = await bearer(web, "ada")
    for user in ("ada", "rob"):
        joined = await web.put(f"{IDENTITY}/accounts/corp/{user}/person", json={"person": "Ada L."}, headers=OPERATOR)
        assert joined.json()["person"] == "Ada L."
    assert (await web.get(WHOAMI, headers=session)).json()["person"] == "Ada L."
    listed = (await web.get(f"{IDENTITY}/accounts", headers=OPERATOR)).json()
    assert [(each["account"], each["person"]) for each in listed] == [("corp/ada", "Ada L."), ("corp/rob", "Ada L.")]
    assert (await web.delete(f"{ADA}/person", headers=OPERATOR)).json()["person"] == ""
    assert (await web.get(WHOAMI, headers=session)).json()["person"] == ""
    done = [(intent.permission, intent.target) for intent in await rooms.intents()]
    assert ("identity:alias", "corp/ada") in done


async def test_what_is_said_of_an_account_at_once_is_all_kept(web: httpx.AsyncClient) -> None:
    await web.post(f"{ADA}/block", headers=OPERATOR)
    await web.put(f"{ADA}/person", json={"person": "ada"}, headers=OPERATOR)
    await web.post(f"{ADA}/revoke", headers=OPERATOR)
    (told,) = (await web.get(f"{IDENTITY}/accounts", headers=OPERATOR)).json()
    assert (told["person"], told["blocked"]) == ("ada", True)


@pytest.mark.parametrize("user", ["ada@corp.example", "a/b", "auth0|7", "Ünal", "x" * 255, "a b"])
async def test_a_user_may_be_called_whatever_a_source_calls_them(web: httpx.AsyncClient, user: str) -> None:
    answer = await web.post(httpx.URL(f"http://rambla{IDENTITY}/accounts/corp/{user}/revoke"), headers=OPERATOR)
    assert (answer.status_code, answer.json().get("account")) == (200, f"corp/{user}")


@pytest.mark.parametrize("path", ["corp/a%00b", "corp/" + "x" * 256, "Corp/ada", "co rp/ada", "corp/%0A"])
async def test_what_can_be_nobodys_name_is_not_found(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.post(f"{IDENTITY}/accounts/{path}/revoke", headers=OPERATOR)).status_code == 404


async def test_a_key_of_the_platform_is_revoked_with_its_tokens_but_not_blocked(
    web: httpx.AsyncClient, guest_key: str
) -> None:
    owner = {"Authorization": guest_key}
    token = {"Authorization": f"Bearer {(await token_of(web, owner)).json()['token']}"}
    assert (await web.post(f"{IDENTITY}/accounts/key/guest/block", headers=OPERATOR)).status_code == 400
    assert (await web.post(f"{IDENTITY}/accounts/key/guest/revoke", headers=OPERATOR)).status_code == 200
    assert (await web.get(WHOAMI, headers=token)).status_code == 401
    assert (await web.get(WHOAMI, headers=owner)).status_code == 200


async def test_who_keeps_accounts_sees_nothing_inside_namespaces(web: httpx.AsyncClient) -> None:
    kim = await bearer(web, "kim")
    assert (await web.get(f"{IDENTITY}/accounts", headers=kim)).status_code == 200
    assert (await web.post(f"{ADA}/revoke", headers=kim)).status_code == 200
    refused = await web.get("/api/v1/namespaces/guest/actions", headers=kim)
    assert (refused.status_code, refused.json()["rule"]) == (403, "defaults/role identity-admin")


async def test_a_revocation_that_cannot_be_recorded_is_none(web: httpx.AsyncClient) -> None:
    session = await bearer(web, "ada")
    with full_disk():
        assert (await web.post(f"{ADA}/revoke", headers=OPERATOR)).status_code == 503
    assert (await web.get(WHOAMI, headers=session)).status_code == 200
