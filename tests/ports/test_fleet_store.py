"""Every store of what hosts report keeps the port's promises."""

import pytest

from rambla.drivers.memory.fleet import MemoryFleetStore
from rambla.drivers.sql.fleet import SqlFleetStore
from rambla.fleet.ports import FleetStore
from rambla.testing.fleet_store import FleetStoreSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestFleetStore(FleetStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> FleetStore:
        if kind == "memory":
            return MemoryFleetStore()
        return SqlFleetStore(await open_fresh(kind, "catalog"))
