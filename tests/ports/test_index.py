"""Every index over the journal keeps the port's promises."""

import pytest

from rambla.activations.ports import Index
from rambla.drivers.memory.index import MemoryIndex
from rambla.drivers.sql.index import SqlIndex
from rambla.testing.index import IndexSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestIndex(IndexSuite):
    @pytest.fixture
    async def index(self, kind: str, open_fresh) -> Index:
        return MemoryIndex() if kind == "memory" else SqlIndex(await open_fresh(kind, "index"))
