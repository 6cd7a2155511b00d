"""A client of the whole API over real rooms."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from rooms import GUEST, OTHER, open_rooms

from rambla.flow.platform import Platform
from rambla.http.app import build_app


@pytest.fixture
async def platform(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Platform]:
    async with open_rooms(tmp_path) as platform:
        yield platform


@pytest.fixture
async def web(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """Without any credentials."""
    transport = httpx.ASGITransport(build_app(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://rambla") as client:
        yield client


@pytest.fixture
async def guest_key(platform: Platform) -> str:
    return await basic(platform, GUEST)


@pytest.fixture
async def other_key(platform: Platform) -> str:
    return await basic(platform, OTHER)


@pytest.fixture
async def guest(platform: Platform, guest_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """The owner of `guest`, in whose namespace all paths are."""
    transport = httpx.ASGITransport(build_app(platform))
    base = "http://rambla/api/v1/namespaces/_/"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers={"Authorization": guest_key}) as client:
        yield client


async def basic(platform: Platform, namespace: str) -> str:
    found = await platform.namespaces.get(namespace)
    assert found is not None
    return "Basic " + base64.b64encode(found.key.encode()).decode()
