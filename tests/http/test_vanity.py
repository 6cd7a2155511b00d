"""A host of its own for each namespace's web actions."""

from collections.abc import AsyncIterator

import httpx
import pytest

from rambla.app.edges import EDGES
from rambla.flow.platform import Platform
from rambla.http.app import build_app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hosts(platform: Platform, guest: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """`guest` has the web actions `a`, `public/index` and `p/a b`."""
    for name in ("a", "public/index", "p/a b"):
        if "/" in name:
            await guest.put(f"packages/{name.partition('/')[0]}", json={})
        body = {"exec": {"kind": "python:3", "code": "answer"}, "annotations": [{"key": "web-export", "value": True}]}
        await guest.put(f"actions/{name}", json=body | {"parameters": [{"key": "answer", "value": {"html": name}}]})
    transport = httpx.ASGITransport(build_app(platform, EDGES, web_domain="web.example"))
    async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as client:
        yield client


@pytest.mark.parametrize("host", ["guest.web.example", "guest.WEB.example:8080"])
@pytest.mark.parametrize(
    ("path", "body"), [("/", "public/index"), ("/default/a.html", "a"), ("/p/a%20b.html/x?y=z", "p/a b")]
)
async def test_a_host_of_the_domain_serves_its_namespace(
    hosts: httpx.AsyncClient, host: str, path: str, body: str
) -> None:
    answer = await hosts.get(path, headers={"Host": host})
    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize("path", ["/ping", "/platform/v1/status", "/sources/v1/events", "/api", "/absent/a"])
async def test_the_platforms_own_doors_are_not_on_it(hosts: httpx.AsyncClient, path: str) -> None:
    assert (await hosts.get(path, headers={"Host": "guest.web.example"})).status_code == 404


async def test_the_api_is_on_it_too(hosts: httpx.AsyncClient) -> None:
    for path in ("/api/v1", "/api/v1/api-docs", "/api/v1/web/guest/default/a.html"):
        assert (await hosts.get(path, headers={"Host": "guest.web.example"})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["web.example", "guest.web.example.org", "a.guest.web.example", "guest.webxexample", "guest.web.example:x", ""],
)
async def test_other_hosts_are_as_ever(hosts: httpx.AsyncClient, host: str) -> None:
    assert (await hosts.get("/ping", headers={"Host": host})).text == "pong"
    assert (await hosts.get("/default/a.html", headers={"Host": host})).status_code == 404


async def test_without_a_domain_no_host_means_anything(web: httpx.AsyncClient) -> None:
    assert (await web.get("/ping", headers={"Host": "guest.web.example"})).text == "pong"
