"""A client of the whole API over real rooms."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from rambla.app.edges import EDGES
from rambla.flow.platform import Platform
from rambla.http.app import build_app
from rambla.kit.clock import ManualClock
from rooms import GUEST, OTHER, Rooms, open_rooms


@pytest.fixture
async def rooms(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as rooms:
        yield rooms


@pytest.fixture
def platform(rooms: Rooms) -> Platform:
    return rooms.platform


@pytest.fixture
def clock(platform: Platform) -> ManualClock:
    assert isinstance(platform.clock, ManualClock)
    return platform.clock


@pytest.fixture
async def web(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """Without any credentials."""
    transport = httpx.ASGITransport(build_app(platform, EDGES))
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
    transport = httpx.ASGITransport(build_app(platform, EDGES))
    base = "http://rambla/api/v1/namespaces/_/"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers={"Authorization": guest_key}) as client:
        yield client


async def basic(platform: Platform, namespace: str) -> str:
    found = await platform.namespaces.get(namespace)
    assert found is not None
    return "Basic " + base64.b64encode(found.key.encode()).decode()
