"""Every store of APIs keeps the port's promises, and so does the one that remembers routes."""

import pytest

from rambla.drivers.memory.apis import MemoryApiStore
from rambla.drivers.sql.apis import SqlApiStore
from rambla.gateway.apis import Apis
from rambla.gateway.ports import ApiStore
from rambla.testing.api_store import ApiStoreSuite


@pytest.mark.parametrize("kind", ["memory", "remembered", "sqlite", "postgresql"])
class TestApiStore(ApiStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> ApiStore:
        if kind in ("memory", "remembered"):
            return MemoryApiStore() if kind == "memory" else Apis(MemoryApiStore())
        return SqlApiStore(await open_fresh(kind, "catalog"))
