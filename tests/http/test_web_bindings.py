"""Web actions through bindings of packages, as OpenWhisk's own suite names the behaviours."""

from typing import Any

import httpx
import pytest

from rambla.http.web_request import METHODS

pytestmark = pytest.mark.anyio
NAMESPACES = "http://rambla/api/v1/namespaces"
BOUND = "/api/v1/web/guest/b/a.json"
ABSENT = "The requested resource does not exist."
RESERVED = "Request defines parameters that are not allowed (e.g., reserved properties)."


@pytest.fixture
async def other(web: httpx.AsyncClient, other_key: str) -> httpx.AsyncClient:
    web.headers["Authorization"] = other_key
    return web


def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


async def provide(client: httpx.AsyncClient, namespace: str, *, publish: bool, **parameters: Any) -> None:
    """Package `p` of that namespace, with the web action `a` in it."""
    package = {"publish": publish, "parameters": pairs(parameters)}
    await client.put(f"{NAMESPACES}/{namespace}/packages/p?overwrite=true", json=package)
    annotations, defaults = {"web-export": True, "final": True}, {"z": "action", "empty": None}
    body = {"exec": {"kind": "python:3", "code": "echo"}, "annotations": pairs(annotations)}
    answer = await client.put(f"{NAMESPACES}/{namespace}/actions/p/a", json=body | {"parameters": pairs(defaults)})
    assert answer.status_code == 200


async def bind(guest: httpx.AsyncClient, namespace: str, **parameters: Any) -> None:
    """Binding `guest/b` of package `p` of that namespace, which says itself that it is not exported."""
    binding = {"namespace": namespace, "name": "p"}
    body = {"binding": binding, "parameters": pairs(parameters), "annotations": pairs({"web-export": False})}
    assert (await guest.put("packages/b", json=body)).status_code == 200


@pytest.mark.parametrize("method", [method for method in METHODS if method not in ("HEAD", "OPTIONS")])
async def test_invokes_an_action_in_a_binding_of_a_private_package(
    guest: httpx.AsyncClient, web: httpx.AsyncClient, method: str
) -> None:
    await provide(guest, "guest", publish=False)
    await bind(guest, "guest")
    assert (await web.request(method, BOUND)).json()["__ow_method"] == method.lower()


async def test_invokes_an_action_in_a_binding_of_a_public_package_and_inherits_no_annotations_of_the_binding(
    guest: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    await provide(other, "other", publish=True)
    await bind(guest, "other")
    answer = await other.get(BOUND)
    assert answer.status_code == 200
    record = (await guest.get(f"activations/{answer.headers['x-openwhisk-activation-id']}")).json()
    assert (record["namespace"], record["subject"]) == ("guest", "guest")


async def test_a_package_that_is_no_longer_shared_is_403(guest: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    await provide(other, "other", publish=True)
    await bind(guest, "other")
    await other.put(f"{NAMESPACES}/other/packages/p?overwrite=true", json={"publish": False})
    answer = await other.get(BOUND)
    assert (answer.status_code, answer.json()["rule"]) == (403, "defaults/deny")


async def test_an_action_that_is_not_in_the_package_and_a_binding_that_is_not_there_are_404(
    guest: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await provide(guest, "guest", publish=False)
    await bind(guest, "guest")
    for path in ("b/absent.json", "absent/a.json"):
        answer = await web.get(f"/api/v1/web/guest/{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, ABSENT)


async def test_rejects_a_request_that_overrides_final_parameters_of_action_package_or_binding(
    guest: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await provide(guest, "guest", publish=False, y="package")
    await bind(guest, "guest", x="binding")
    for name in ("x", "y", "z"):
        for answer in (await web.get(f"{BOUND}?{name}=overridden"), await web.post(BOUND, json={name: "overridden"})):
            assert (answer.status_code, answer.json()["error"]) == (400, RESERVED)
    assert (await web.get(f"{BOUND}?empty=overridden")).json()["empty"] == "overridden"


async def test_parameters_of_the_package_give_way_to_the_bindings_and_those_to_the_actions(
    guest: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await provide(guest, "guest", publish=False, a="A", b="b", z="package")
    await bind(guest, "guest", a="a", c="c", z="binding")
    got = (await web.get(BOUND)).json()
    assert [got[name] for name in ("a", "b", "c", "z")] == ["a", "b", "c", "action"]
