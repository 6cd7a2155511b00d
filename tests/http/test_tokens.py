"""A token may what its maker may, or less; never more, and never for longer."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import people
from people import IDENTITY, bearer, token_of
from rambla.flow.tokens import DAY_MS, LONGEST_MS, TOKENS_MAX, USUAL_MS
from rambla.kit.clock import ManualClock
from rooms import OPERATOR_TOKEN, Rooms, open_rooms

pytestmark = pytest.mark.anyio
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
GUEST = "/api/v1/namespaces/guest"
TOKENS = f"{IDENTITY}/tokens"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, sources=people.sources) as rooms:
        yield rooms


@pytest.fixture
async def ada(web: httpx.AsyncClient) -> dict[str, str]:
    return await bearer(web, "ada")


def header(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_a_token_of_ones_own_is_good_for_what_one_may(
    web: httpx.AsyncClient, ada: dict[str, str], clock: ManualClock
) -> None:
    made = await token_of(web, ada)
    told = made.json()
    assert (told["account"], told["kind"], told["name"]) == ("corp/ada", "api", "robot")
    assert told["expires"] == clock.now_ms() + USUAL_MS
    assert (await web.get(f"{GUEST}/actions", headers=header(made))).status_code == 200
    assert (await web.get("/api/v1/namespaces/other/actions", headers=header(made))).status_code == 403
    listed = (await web.get(TOKENS, headers=ada)).json()
    assert {each["kind"] for each in listed} == {"api", "session"}
    assert all("token" not in each and "digest" not in each for each in listed)


async def test_a_scoped_token_is_good_for_its_scope_alone(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    robot = header(await token_of(web, ada, only=["action:list"], namespaces=["guest"]))
    assert (await web.get(f"{GUEST}/actions", headers=robot)).status_code == 200
    refused = await web.get(f"{GUEST}/triggers", headers=robot)
    assert (refused.status_code, refused.json()["rule"]) == (403, "token/scope")
    for method, path in (("GET", TOKENS), ("POST", TOKENS)):
        answer = await web.request(method, path, headers=robot, **({"json": {"name": "x"}} if method == "POST" else {}))
        assert answer.status_code == 403
    told = (await web.get(f"{IDENTITY}/whoami", headers=robot)).json()
    assert (told["only"], told["goodIn"]) == (["action:list"], ["guest"])


async def test_a_token_makes_none_that_may_more_or_lives_longer(
    web: httpx.AsyncClient, ada: dict[str, str], clock: ManualClock
) -> None:
    maker = header(await token_of(web, ada, only=["identity:token", "action:*"], lifetime=DAY_MS))
    for wish in ({"only": ["*"]}, {"only": ["trigger:list"]}, {"only": ["action:read", "*"]}, {"lifetime": DAY_MS + 1}):
        refused = await token_of(web, maker, **wish)
        assert refused.status_code == 400, wish
    clock.advance(DAY_MS // 2)
    made = await token_of(web, maker)
    assert made.json()["expires"] == clock.now_ms() + DAY_MS // 2
    assert made.json()["only"] == ["identity:token", "action:*"]
    assert (await token_of(web, maker, only=["action:read"])).json()["only"] == ["action:read"]
    rotated = await web.post(f"{TOKENS}/{made.json()['id']}/rotate", headers=maker)
    assert rotated.json()["expires"] == made.json()["expires"]


async def test_a_token_that_is_good_in_one_namespace_makes_none_for_another(
    web: httpx.AsyncClient, rooms: Rooms
) -> None:
    rob = await bearer(web, "rob")
    here = header(await token_of(web, rob, namespaces=["other"]))
    assert (await web.get("/api/v1/namespaces/other/actions", headers=here)).status_code == 200
    assert (await web.get(f"{GUEST}/actions", headers=here)).status_code == 403
    assert (await token_of(web, here, namespaces=["guest"])).status_code == 403
    assert (await web.get(f"{IDENTITY}/whoami", headers=here)).json()["namespace"] == "other"


@pytest.mark.parametrize(
    "permission", ["action", "action:", ":read", "act*:read", "action:re*", "?", "[a-z]*", "", "a:b:c"]
)
async def test_what_is_no_permission_is_refused(web: httpx.AsyncClient, ada: dict[str, str], permission: str) -> None:
    assert (await token_of(web, ada, only=[permission])).status_code == 400


async def test_a_namespaces_key_makes_tokens_that_end_with_it(web: httpx.AsyncClient, guest_key: str) -> None:
    owner = {"Authorization": guest_key}
    made = await token_of(web, owner, only=["action:*"])
    robot = header(made)
    assert made.json()["account"] == "key/guest"
    assert (await web.get(f"{GUEST}/actions", headers=robot)).status_code == 200
    rotated = await web.put("/platform/v1/namespaces/guest/key", headers=OPERATOR)
    assert rotated.status_code == 200
    assert (await web.get(f"{GUEST}/actions", headers=robot)).status_code == 401


async def test_one_ends_and_rotates_ones_own_and_nobody_elses(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    made = await token_of(web, ada)
    rob = await bearer(web, "rob")
    mine = f"{TOKENS}/{made.json()['id']}"
    for path in (mine, f"{TOKENS}/{'0' * 16}", f"{TOKENS}/x"):
        assert (await web.delete(path, headers=rob)).status_code == 404
        assert (await web.post(f"{path}/rotate", headers=rob)).status_code == 404
    rotated = await web.post(f"{mine}/rotate", headers=ada)
    assert (await web.get(f"{GUEST}/actions", headers=header(made))).status_code == 401
    assert (await web.get(f"{GUEST}/actions", headers=header(rotated))).status_code == 200
    assert (await web.delete(mine, headers=ada)).status_code == 204
    assert (await web.get(f"{GUEST}/actions", headers=header(rotated))).status_code == 401
    assert (await web.delete(mine, headers=ada)).status_code == 404


async def test_one_token_is_no_way_to_another_that_may_more(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    whole = await token_of(web, ada)
    part = header(await token_of(web, ada, only=["identity:token", "action:list"]))
    elsewhere = header(await token_of(web, ada, namespaces=["other"]))
    other = await token_of(web, ada, only=["trigger:list"])
    assert (await web.post(f"{TOKENS}/{other.json()['id']}/rotate", headers=part)).status_code == 400
    assert (await web.post(f"{TOKENS}/{whole.json()['id']}/rotate", headers=elsewhere)).status_code == 403
    rotated = await web.post(f"{TOKENS}/{whole.json()['id']}/rotate", headers=part)
    assert rotated.json()["only"] == ["identity:token", "action:list"]
    assert (await web.get(f"{GUEST}/triggers", headers=header(rotated))).status_code == 403


async def test_a_session_is_not_prolonged(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    (session,) = (await web.get(TOKENS, headers=ada)).json()
    assert (await web.post(f"{TOKENS}/{session['id']}/rotate", headers=ada)).status_code == 404


async def test_the_operator_sees_and_ends_everybodys_tokens(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    made = await token_of(web, ada)
    everybodys = (await web.get(f"{TOKENS}/all", headers=OPERATOR)).json()
    assert {each["account"] for each in everybodys} == {"corp/ada"}
    assert (await web.get(f"{TOKENS}/all?limit=1", headers=OPERATOR)).json() == everybodys[:1]
    assert (await web.delete(f"{TOKENS}/all/{made.json()['id']}", headers=OPERATOR)).status_code == 204
    assert (await web.get(f"{GUEST}/actions", headers=header(made))).status_code == 401
    assert (await web.delete(f"{TOKENS}/all/{made.json()['id']}", headers=OPERATOR)).status_code == 404


async def test_a_programs_token_has_nobody_behind_it_and_the_roles_it_was_given(web: httpx.AsyncClient) -> None:
    body = {"name": "agent-1", "roles": ["policy-agent"], "actsIn": {"guest": ["reader"]}, "trust": 4}
    made = await web.post(f"{IDENTITY}/programs", json=body, headers=OPERATOR)
    robot = header(made)
    told = (await web.get(f"{IDENTITY}/whoami", headers=robot)).json()
    assert (told["subject"], told["source"], told["trust"]) == ("token/agent-1", "token", 4)
    assert (told["namespace"], told["roles"]) == ("guest", ["reader", "policy-agent"])
    assert (await web.get("/policy/v1/newest", headers=robot)).status_code == 200
    assert (await web.get(f"{GUEST}/actions", headers=robot)).status_code == 200
    assert (await web.get("/platform/v1/status", headers=robot)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [{"name": "A"}, {"name": "../x"}, {"actsIn": {"nowhere": []}}, {"trust": 10}, {"lifetime": LONGEST_MS + 1}],
)
async def test_a_program_that_cannot_be_is_refused(web: httpx.AsyncClient, change: dict[str, object]) -> None:
    made = await web.post(f"{IDENTITY}/programs", json={"name": "agent", **change}, headers=OPERATOR)
    assert made.status_code == 400


async def test_who_keeps_accounts_gives_no_roles_to_programs(web: httpx.AsyncClient) -> None:
    made = await web.post(
        f"{IDENTITY}/programs", json={"name": "x", "roles": ["auditor"]}, headers=await bearer(web, "kim")
    )
    assert made.status_code == 403


async def test_an_account_has_a_bounded_number_of_tokens(web: httpx.AsyncClient, ada: dict[str, str]) -> None:
    for _ in range(TOKENS_MAX):
        assert (await token_of(web, ada)).status_code == 200
    assert (await token_of(web, ada)).status_code == 409


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["*", "action:*", "action:read", "identity:token"]), max_size=4),
    st.integers(-(2**70), 2**70) | st.text(max_size=3),
    st.text(max_size=300),
)
async def test_whatever_is_wished_for_is_within_what_the_maker_has_or_refused(
    web: httpx.AsyncClient, only: list[str], lifetime: object, name: str
) -> None:
    session = await bearer(web, "ada")
    maker = header(await token_of(web, session, only=["identity:token", "action:read"], lifetime=DAY_MS))
    made = await token_of(web, maker, only=only, lifetime=lifetime, name=name)
    assert made.status_code in (200, 400, 409)
    if made.status_code == 200:
        assert set(made.json()["only"]) <= {"identity:token", "action:read"}
        assert made.json()["expires"] <= made.json()["created"] + DAY_MS
    for answer in (await web.get(TOKENS, headers=session)).json():
        await web.delete(f"{TOKENS}/{answer['id']}", headers=session)
