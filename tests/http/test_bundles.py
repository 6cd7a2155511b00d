"""Policies over HTTP: what is published, shown, refused, and how a refusal reads."""

from collections.abc import AsyncIterator

import httpx
import pytest

from rambla.flow.bundles import FILES_BYTES_MAX
from rambla.flow.platform import Platform
from rambla.http.app import build_app
from rooms import OPERATOR_TOKEN

pytestmark = pytest.mark.anyio
SITE = 'layer: site\nrules:\n  package:list: {mode: extend, deny: caller.source == "key"}\n'


@pytest.fixture
async def policy(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    transport = httpx.ASGITransport(build_app(platform))
    base = "http://rambla/platform/v1/policy"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        yield client


async def test_what_is_published_is_in_force_and_can_be_shown_listed_and_taken_back(
    policy: httpx.AsyncClient, guest: httpx.AsyncClient
) -> None:
    assert (await guest.get("packages")).status_code == 200
    made = await policy.post("/bundles", json={"files": {"site.yaml": SITE}, "note": "no lists"})
    assert (made.status_code, made.json()["number"], made.json()["note"]) == (200, 1, "no lists")
    refused = await guest.get("packages")
    assert refused.status_code == 403
    assert {key: refused.json()[key] for key in ("rule", "layer", "line")} == {
        "rule": "site/package:list",
        "layer": "site",
        "line": 3,
    }
    assert (await policy.get("/bundles")).json() == [made.json()]
    assert (await policy.get("/bundles/1")).json() == {**made.json(), "files": {"site.yaml": SITE}}
    assert (await policy.post("/bundles/0/rollback")).json()["number"] == 2
    assert (await guest.get("packages")).status_code == 200
    assert (await policy.get("/bundles?skip=1")).json() == [made.json()]


async def test_what_is_wrong_is_told_with_place_and_fix(policy: httpx.AsyncClient) -> None:
    refused = await policy.post("/bundles", json={"files": {"site.yaml": "layer: sight\nrulez: {}\n"}})
    assert refused.status_code == 400
    assert [line.partition(": ")[0] for line in refused.json()["error"].splitlines()[1:]] == [
        "site.yaml:1:8",
        "site.yaml:2:8",
    ]
    locked = await policy.post("/bundles", json={"files": {"s": "layer: site\nrules: {policy:publish: nobody}\n"}})
    assert locked.status_code == 409
    assert "--force" in locked.json()["error"]
    assert (await policy.get("/bundles")).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"files": {"../x": ""}}, 400),
        ({"files": {f"f{number}": "" for number in range(101)}}, 400),
        ({"files": {"x": "#" * (FILES_BYTES_MAX + 1)}}, 400),
        ({"files": {"x": "\n" * (FILES_BYTES_MAX + 1)}}, 400),
        ({"files": {"x": "#" * 3 * FILES_BYTES_MAX}}, 413),
        ({"note": "x" * 1001}, 400),
        ({"files": {"x": 1}}, 400),
        ({"files": []}, 400),
    ],
)
async def test_what_is_beyond_the_bounds_is_a_clear_error(policy: httpx.AsyncClient, body: object, status: int) -> None:
    refused = await policy.post("/bundles", json=body)
    assert refused.status_code == status
    assert refused.json()["error"]
    assert (await policy.get("/bundles")).json() == []


@pytest.mark.parametrize("number", ["7", "x", "-1", "9" * 30, "1e3"])
async def test_a_bundle_that_is_not_there_is_not_found(policy: httpx.AsyncClient, number: str) -> None:
    assert (await policy.get(f"/bundles/{number}")).status_code == 404
    assert (await policy.post(f"/bundles/{number}/rollback")).status_code == 404


async def test_keys_are_told_rotated_and_trusted(policy: httpx.AsyncClient) -> None:
    (own,) = (await policy.get("/keys")).json()
    assert (own["signs"], own["upto"]) == (True, None)
    old, new = (await policy.post("/keys")).json()
    assert (old["key"], old["signs"], old["upto"]) == (own["key"], False, 0)
    assert new["signs"]
    other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert other in [one["key"] for one in (await policy.put(f"/keys/{other}")).json()]
    assert (await policy.put("/keys/zz")).status_code == 400


async def test_a_shadow_is_started_watched_and_stopped(policy: httpx.AsyncClient, guest: httpx.AsyncClient) -> None:
    assert (await policy.get("/shadow")).status_code == 404
    started = await policy.put("/shadow", json={"files": {"site.yaml": SITE}, "name": "no lists"})
    assert (started.status_code, started.json()["name"]) == (200, "no lists")
    assert (await guest.get("packages")).status_code == 200
    (one,) = (await policy.get("/shadow")).json()["differences"]
    assert (one["permission"], one["allowed"], one["times"], one["now"]) == (
        "package:list",
        False,
        1,
        "site/package:list",
    )
    assert (await policy.delete("/shadow")).json()["differing"] == 1
    assert (await policy.delete("/shadow")).status_code == 404
    replayed = await policy.post("/journal", json={"files": {"site.yaml": SITE}, "days": 1})
    assert [one["times"] for one in replayed.json()["differences"]] == [1]
    for days in (0, 367, "x"):
        assert (await policy.post("/journal", json={"days": days})).status_code == 400
