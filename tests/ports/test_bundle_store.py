"""Every store of bundles keeps the port's promises."""

import pytest

from rambla.domain.errors import BrokenPolicy
from rambla.drivers.memory.bundles import MemoryBundleStore
from rambla.drivers.sql.bundles import SqlBundleStore
from rambla.drivers.sql.tables import bundles
from rambla.policy.ports import BundleStore
from rambla.testing.bundle_store import BundleStoreSuite, bundle


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestBundleStore(BundleStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> BundleStore:
        if kind == "memory":
            return MemoryBundleStore()
        return SqlBundleStore(await open_fresh(kind, "catalog"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff", b'{"number": "x"}'])
async def test_a_row_that_somebody_changed_is_told_as_a_broken_policy(kind: str, garbage: bytes, open_fresh) -> None:
    database = await open_fresh(kind, "catalog")
    store = SqlBundleStore(database)
    await store.append(bundle(1))
    await database.write(lambda connection: connection.execute(bundles.update().values(summary=garbage)))
    with pytest.raises(BrokenPolicy, match="bundle 1"):
        await store.get(1)
    with pytest.raises(BrokenPolicy, match="bundle 1"):
        await store.history(before=2, limit=1)
