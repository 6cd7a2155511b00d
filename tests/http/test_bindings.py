"""Packages that are bindings of others, and packages that are shared."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}
OTHERS = "/api/v1/namespaces/guest"


def pairs(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def values(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in listed}


@pytest.fixture
async def other(web: httpx.AsyncClient, other_key: str) -> httpx.AsyncClient:
    """Somebody else's client; its paths are whole."""
    web.headers["Authorization"] = other_key
    return web


@pytest.fixture
async def shared(guest: httpx.AsyncClient) -> httpx.AsyncClient:
    """`guest`, who publishes package `p` with action `a`."""
    await guest.put("packages/p", json={"publish": True, "parameters": pairs(base="p", both="p")})
    await guest.put("actions/p/a", json=ECHO | {"parameters": pairs(own="a")})
    return guest


async def bind(client: httpx.AsyncClient, below: str = "", **more: Any) -> httpx.Response:
    return await client.put(f"{below}packages/b", json={"binding": {"namespace": "guest", "name": "p"}, **more})


async def test_a_binding_shows_its_providers_actions_and_its_own_parameters_on_top(shared: httpx.AsyncClient) -> None:
    made = await bind(shared, parameters=pairs(both="b"))
    assert made.json()["binding"] == {"namespace": "guest", "name": "p"}
    got = (await shared.get("packages/b")).json()
    assert values(got["parameters"]) == {"base": "p", "both": "b"}
    assert values(got["annotations"])["binding"] == {"namespace": "guest", "name": "p"}
    assert [one["name"] for one in got["actions"]] == ["a"]
    listed = {one["name"]: one["binding"] for one in (await shared.get("packages")).json()}
    assert listed == {"b": {"namespace": "guest", "name": "p"}, "p": False}
    assert [one["name"] for one in (await shared.get("actions/b/")).json()] == ["a"]


async def test_only_the_platform_says_by_an_annotation_what_is_a_binding(shared: httpx.AsyncClient) -> None:
    binding = {"namespace": "guest", "name": "p"}
    made = await bind(shared, annotations=pairs(x=1, binding="nonsense"))
    assert values(made.json()["annotations"]) == {"x": 1, "binding": binding}
    plain = await shared.put("packages/plain", json={"annotations": pairs(y=2, binding="nonsense")})
    assert values(plain.json()["annotations"]) == {"y": 2}
    listed = {one["name"]: values(one["annotations"]) for one in (await shared.get("packages")).json()}
    assert listed == {"b": {"x": 1, "binding": binding}, "plain": {"y": 2}, "p": {}}
    assert values((await shared.delete("packages/b")).json()["annotations"]) == {"x": 1, "binding": binding}


async def test_an_action_through_a_binding_gets_the_parameters_of_all_three(shared: httpx.AsyncClient) -> None:
    await bind(shared, parameters=pairs(both="b"))
    got = (await shared.get("actions/b/a")).json()
    assert (got["namespace"], values(got["parameters"])) == ("guest/p", {"base": "p", "both": "b", "own": "a"})
    answer = await shared.post("actions/b/a?blocking=true", json={"own": "given"})
    record = answer.json()
    assert record["response"]["result"] == {"base": "p", "both": "b", "own": "given"}
    annotations = values(record["annotations"])
    assert (annotations["path"], annotations["binding"]) == ("guest/p/a", "guest/b")
    assert [one["name"] for one in (await shared.get("activations?name=b/a")).json()] == ["a"]


async def test_a_binding_is_changed_but_nothing_is_put_into_it(shared: httpx.AsyncClient) -> None:
    await bind(shared)
    for answer in (await shared.put("actions/b/x", json=ECHO), await shared.delete("actions/b/a")):
        assert (answer.status_code, answer.json()["error"]) == (400, "Operation not permitted on package binding.")
    changed = await shared.put("packages/b?overwrite=true", json={"parameters": pairs(k=1)})
    assert changed.json()["binding"] == {"namespace": "guest", "name": "p"}
    assert (await shared.delete("packages/b")).status_code == 200
    assert (await shared.get("actions/p/a")).status_code == 200


async def test_what_cannot_be_bound_is_refused_with_the_reason(shared: httpx.AsyncClient) -> None:
    await shared.put("packages/plain", json={})
    await shared.put("actions/a", json=ECHO)
    await bind(shared)
    for name, target, status, text in (
        ("n", "absent", 400, "Binding references a package that does not exist."),
        ("n", "b", 400, "Cannot bind to another package binding."),
        ("n", "a", 409, "Cannot bind to a resource that is not a package."),
        ("plain", "p", 409, "Resource is a package and cannot be converted into a binding."),
    ):
        body = {"binding": {"namespace": "_", "name": target}}
        answer = await shared.put(f"packages/{name}?overwrite=true", json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, text)


async def test_a_binding_whose_provider_became_one_is_422(shared: httpx.AsyncClient) -> None:
    await bind(shared)
    await shared.delete("packages/p?force=true")
    assert (await shared.get("packages/b")).status_code == 404
    await shared.put("packages/q", json={})
    await shared.put("packages/p", json={"binding": {"namespace": "_", "name": "q"}})
    answer = await shared.get("actions/b/a")
    assert (answer.status_code, answer.json()["error"]) == (422, "Package binding 'b' contains a circular reference.")


async def test_others_read_and_invoke_what_is_published(shared: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    assert (await other.get(f"{OTHERS}/packages/p")).json()["publish"] is True
    assert [one["name"] for one in (await other.get(f"{OTHERS}/actions/p/")).json()] == ["a"]
    assert (await other.get(f"{OTHERS}/actions/p/a")).json()["exec"]["code"] == "echo"
    answer = await other.post(f"{OTHERS}/actions/p/a?blocking=true", json={})
    assert (answer.json()["namespace"], values(answer.json()["annotations"])["path"]) == ("other", "guest/p/a")


@pytest.mark.parametrize("published", [True, False])
async def test_others_change_nothing_whatever_is_published(
    shared: httpx.AsyncClient, other: httpx.AsyncClient, published: bool
) -> None:
    await shared.put("packages/p?overwrite=true", json={"publish": published})
    for answer in (
        await other.put(f"{OTHERS}/actions/p/a?overwrite=true", json=ECHO),
        await other.delete(f"{OTHERS}/actions/p/a"),
        await other.put(f"{OTHERS}/packages/p?overwrite=true", json={}),
        await other.delete(f"{OTHERS}/packages/p"),
    ):
        assert answer.status_code == 403


async def test_a_binding_ends_to_work_when_its_provider_is_no_longer_published(
    shared: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    mine = "/api/v1/namespaces/_"
    assert (await bind(other, f"{mine}/")).status_code == 200
    assert (await other.post(f"{mine}/actions/b/a?blocking=true", json={})).json()["namespace"] == "other"
    await shared.put("packages/p?overwrite=true", json={"publish": False})
    for answer in (
        await other.post(f"{mine}/actions/b/a?blocking=true", json={}),
        await other.get(f"{mine}/actions/b/a"),
        await other.get(f"{mine}/packages/b"),
        await other.get(f"{mine}/actions/b/"),
        await other.put(f"{mine}/packages/b2", json={"binding": {"namespace": "guest", "name": "p"}}),
        await other.get(f"{OTHERS}/packages/absent"),
    ):
        assert answer.status_code == 403, answer.text


async def test_a_rule_runs_an_action_through_a_binding(shared: httpx.AsyncClient) -> None:
    await bind(shared, parameters=pairs(both="b"))
    await shared.put("triggers/t", json={})
    assert (await shared.put("rules/r", json={"trigger": "/_/t", "action": "/_/b/a"})).status_code == 200
    missing = await shared.put("rules/r2", json={"trigger": "/_/t", "action": "/_/b/absent"})
    assert (missing.status_code, missing.json()["error"]) == (400, "action /guest/b/absent does not exist")
    fired = await shared.post("triggers/t", json={"x": 1})
    assert fired.status_code == 202
