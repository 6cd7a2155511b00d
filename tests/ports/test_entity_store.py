"""Every store of entities keeps the port's promises."""

import pytest

from rambla.catalog.ports import EntityStore
from rambla.drivers.memory.catalog import MemoryEntityStore
from rambla.drivers.sql.entities import SqlEntityStore
from rambla.testing.entity_store import EntityStoreSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestEntityStore(EntityStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> EntityStore:
        return MemoryEntityStore() if kind == "memory" else SqlEntityStore(await open_fresh(kind, "catalog"))
