"""Rooms with an object store, for every sentence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rambla.drivers.memory.objects import MemoryObjects
from rambla.flow.platform import Platform
from rambla.kit.clock import ManualClock
from rooms import Rooms, open_rooms


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects(ManualClock())


@pytest.fixture
async def rooms(tmp_path: Path, store: MemoryObjects, anyio_backend: str) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, objects=store) as rooms:
        yield rooms


@pytest.fixture
def platform(rooms: Rooms) -> Platform:
    return rooms.platform
