"""Every store of accounts, tokens, users and locks keeps the port's promises."""

import pytest

from rambla.drivers.memory.identity import MemoryAccountStore, MemoryLockStore, MemoryTokenStore, MemoryUserStore
from rambla.drivers.sql.identity import SqlAccountStore, SqlTokenStore
from rambla.drivers.sql.users import SqlLockStore, SqlUserStore
from rambla.identity.ports import AccountStore, LockStore, TokenStore, UserStore
from rambla.testing.account_store import AccountStoreSuite, LockStoreSuite, TokenStoreSuite, UserStoreSuite

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


@KINDS
class TestUserStore(UserStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> UserStore:
        return MemoryUserStore() if kind == "memory" else SqlUserStore(await open_fresh(kind, "catalog"))


@KINDS
class TestLockStore(LockStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> LockStore:
        return MemoryLockStore() if kind == "memory" else SqlLockStore(await open_fresh(kind, "catalog"))
