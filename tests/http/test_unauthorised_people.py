"""Every endpoint, asked by people and by tokens that may not: the table is that of `test_unauthorised.py`.

Who is known and has no role may ask about themselves, and nothing else. A token is good for its scope, whatever its
maker may; one that is revoked is good for nothing.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

import people
from http_matrix import ask
from people import IDENTITY, PASSWORD, bearer, token_of
from rambla.app.edges import EDGES
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.endpoints import ENDPOINTS
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

pytestmark = pytest.mark.anyio
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
ABOUT_ONESELF = {"identity:self", "identity:token"}
GUARDED = pytest.mark.parametrize(
    "endpoint",
    [one for one in (*ENDPOINTS, *EDGES) if one.permission != PUBLIC and not one.anonymous],
    ids=lambda one: f"{one.method} {one.path}",
)


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, sources=people.sources) as rooms:
        yield rooms


async def token(web: httpx.AsyncClient, maker: Mapping[str, str], **wish: object) -> str:
    answer = await token_of(web, maker, **wish)
    assert answer.status_code == 200, answer.text
    return f"Bearer {answer.json()['token']}"


@GUARDED
async def test_who_is_known_and_has_no_role_may_ask_about_themselves_alone(
    web: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    session = (await bearer(web, "una"))["Authorization"]
    basic = httpx.BasicAuth("corp/una", PASSWORD)._auth_header
    for shown in (session, basic):
        answer = await ask(web, endpoint, shown)
        if endpoint.permission in ABOUT_ONESELF:
            assert answer.status_code in (200, 204, 400, 404)
        else:
            assert answer.status_code == 403, answer.text
            assert answer.json()["rule"] == "defaults/deny"


@GUARDED
async def test_a_token_is_good_for_its_scope_alone_whoever_made_it(
    web: httpx.AsyncClient, guest_key: str, endpoint: Endpoint
) -> None:
    ada = await bearer(web, "ada")
    for maker in (ada, {"Authorization": guest_key}, OPERATOR):
        for wish in ({"only": ["nothing:at-all"]}, {"namespaces": ["other"]}):
            answer = await ask(web, endpoint, await token(web, maker, **wish))
            if endpoint.permission == "identity:self":
                assert answer.status_code in (200, 400)
            else:
                assert (answer.status_code, answer.json()["rule"]) == (403, "token/scope"), wish


@GUARDED
async def test_what_was_revoked_blocked_or_ended_is_401_everywhere(web: httpx.AsyncClient, endpoint: Endpoint) -> None:
    ada, rob = await bearer(web, "ada"), await bearer(web, "rob")
    shown = [await token(web, ada), ada["Authorization"], await token(web, rob), rob["Authorization"]]
    ended = await bearer(web, "kim")
    await web.post(f"{IDENTITY}/logout", headers=ended)
    await web.post(f"{IDENTITY}/accounts/corp/ada/revoke", headers=OPERATOR)
    await web.post(f"{IDENTITY}/accounts/corp/rob/block", headers=OPERATOR)
    for authorization in (*shown, ended["Authorization"], httpx.BasicAuth("corp/rob", PASSWORD)._auth_header):
        answer = await ask(web, endpoint, authorization)
        assert (answer.status_code, answer.json()["error"]) == (401, "The supplied authentication is invalid")
