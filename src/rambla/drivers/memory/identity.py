"""Accounts, tokens, users and locks in dicts. (ports: rambla.identity.ports)"""

from collections.abc import Callable

from rambla.identity.ports import ApiToken, LocalUser, Standing


class MemoryAccountStore:
    def __init__(self) -> None:
        self._accounts: dict[str, Standing] = {}
        self._changes = 0

    async def get(self, account: str) -> Standing | None:
        return self._accounts.get(account)

    async def put(self, standing: Standing) -> None:
        self._accounts[standing.account] = standing
        self._changes += 1

    async def change(self, account: str, change: Callable[[Standing], Standing]) -> Standing:
        changed = change(self._accounts.get(account) or Standing(account=account))
        await self.put(changed)
        return changed

    async def all(self) -> list[Standing]:
        return [self._accounts[account] for account in sorted(self._accounts)]

    async def changes(self) -> int:
        return self._changes


class MemoryTokenStore:
    def __init__(self) -> None:
        self._tokens: dict[str, ApiToken] = {}

    async def get(self, token_id: str) -> ApiToken | None:
        return self._tokens.get(token_id)

    async def put(self, token: ApiToken) -> None:
        self._tokens[token.id] = token

    async def delete(self, token_id: str) -> bool:
        return self._tokens.pop(token_id, None) is not None

    async def of(self, account: str) -> list[ApiToken]:
        found = [token for token in self._tokens.values() if not account or token.account == account]
        return sorted(found, key=lambda token: (-token.created_ms, token.id))

    async def expire(self, now_ms: int) -> int:
        gone = [token.id for token in self._tokens.values() if token.expires_ms < now_ms]
        for token_id in gone:
            del self._tokens[token_id]
        return len(gone)


class MemoryUserStore:
    def __init__(self) -> None:
        self._users: dict[tuple[str, str], LocalUser] = {}

    async def get(self, source: str, user: str) -> LocalUser | None:
        return self._users.get((source, user))

    async def change(
        self, source: str, user: str, change: Callable[[LocalUser | None], LocalUser | None]
    ) -> LocalUser | None:
        changed = change(self._users.get((source, user)))
        if changed is None:
            self._users.pop((source, user), None)
        else:
            self._users[source, user] = changed
        return changed

    async def of(self, source: str) -> list[LocalUser]:
        return [self._users[key] for key in sorted(self._users) if key[0] == source]


class MemoryLockStore:
    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], int] = {}

    async def locked_until_ms(self, source: str, user: str) -> int:
        return self._locks.get((source, user), 0)

    async def lock(self, source: str, user: str, until_ms: int) -> None:
        self._locks[source, user] = until_ms

    async def unlock(self, source: str, user: str) -> None:
        self._locks.pop((source, user), None)

    async def expire(self, now_ms: int) -> int:
        gone = [key for key, until_ms in self._locks.items() if until_ms < now_ms]
        for key in gone:
            del self._locks[key]
        return len(gone)
