"""Every store of bundles keeps the port's promises."""

import pytest

from rambla.drivers.memory.bundles import MemoryBundleStore
from rambla.drivers.sql.bundles import SqlBundleStore
from rambla.policy.ports import BundleStore
from rambla.testing.bundle_store import BundleStoreSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestBundleStore(BundleStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> BundleStore:
        if kind == "memory":
            return MemoryBundleStore()
        return SqlBundleStore(await open_fresh(kind, "catalog"))
