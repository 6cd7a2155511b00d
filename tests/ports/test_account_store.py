"""Every store of accounts and of tokens keeps the port's promises."""

import pytest

from rambla.drivers.memory.identity import MemoryAccountStore, MemoryTokenStore
from rambla.drivers.sql.identity import SqlAccountStore, SqlTokenStore
from rambla.identity.ports import AccountStore, TokenStore
from rambla.testing.account_store import AccountStoreSuite, TokenStoreSuite

KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])


@KINDS
class TestAccountStore(AccountStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> AccountStore:
        return MemoryAccountStore() if kind == "memory" else SqlAccountStore(await open_fresh(kind, "catalog"))


@KINDS
class TestTokenStore(TokenStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> TokenStore:
        return MemoryTokenStore() if kind == "memory" else SqlTokenStore(await open_fresh(kind, "catalog"))
