"""Every store of namespaces keeps the port's promises."""

import pytest

from rambla.catalog.ports import EntityStore
from rambla.drivers.memory.catalog import MemoryEntityStore, MemoryNamespaceStore
from rambla.drivers.sql.entities import SqlEntityStore
from rambla.drivers.sql.namespaces import SqlNamespaceStore
from rambla.identity.ports import NamespaceStore
from rambla.testing.namespace_store import NamespaceStoreSuite

Stores = tuple[NamespaceStore, EntityStore]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestNamespaceStore(NamespaceStoreSuite):
    @pytest.fixture
    async def stores(self, kind: str, open_fresh) -> Stores:
        if kind == "memory":
            entities = MemoryEntityStore()
            return MemoryNamespaceStore(entities), entities
        database = await open_fresh(kind, "catalog")
        return SqlNamespaceStore(database), SqlEntityStore(database)

    @pytest.fixture
    def store(self, stores: Stores) -> NamespaceStore:
        return stores[0]

    @pytest.fixture
    def entities(self, stores: Stores) -> EntityStore:
        return stores[1]
