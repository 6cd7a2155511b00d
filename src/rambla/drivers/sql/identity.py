"""How does the catalogue keep accounts and tokens? (ports: rambla.identity.ports.AccountStore and TokenStore)"""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, func, select

from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import accounts, clamped, tokens
from rambla.identity.ports import ApiToken, Standing

_standings = msgspec.json.Decoder(Standing)
_tokens = msgspec.json.Decoder(ApiToken)
_NEWEST = select(func.max(accounts.c.change))
_CHANGES = "LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"  # two nodes shall not count to the same number


class SqlAccountStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account: str) -> Standing | None:
        query = select(accounts.c.document).where(accounts.c.account == account)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _standings.decode(row.document)

    async def put(self, standing: Standing) -> None:
        await self.change(standing.account, lambda _: standing)

    async def change(self, account: str, change: Callable[[Standing], Standing]) -> Standing:
        query = select(accounts.c.document).where(accounts.c.account == account)

        def work(connection: Connection) -> Standing:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_CHANGES)
            row = connection.execute(query).first()
            standing = change(_standings.decode(row.document) if row else Standing(account=account))
            number = (connection.execute(_NEWEST).scalar() or 0) + 1
            columns = {"account": account, "change": number, "document": msgspec.json.encode(standing)}
            insert = self._database.insert(accounts).values(**columns)
            replaced = {name: insert.excluded[name] for name in ("change", "document")}
            connection.execute(insert.on_conflict_do_update(index_elements=[accounts.c.account], set_=replaced))
            return standing

        return await self._database.write(work)

    async def all(self) -> list[Standing]:
        query = select(accounts.c.document).order_by(accounts.c.account)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_standings.decode(row.document) for row in rows]

    async def changes(self) -> int:
        return await self._database.read(lambda connection: connection.execute(_NEWEST).scalar()) or 0


class SqlTokenStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, token_id: str) -> ApiToken | None:
        query = select(tokens.c.document).where(tokens.c.id == token_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _tokens.decode(row.document)

    async def put(self, token: ApiToken) -> None:
        times = {"created_ms": clamped(token.created_ms), "expires_ms": clamped(token.expires_ms)}
        row = {"id": token.id, "account": token.account, **times, "document": msgspec.json.encode(token)}
        insert = self._database.insert(tokens).values(**row)
        replaced = {name: insert.excluded[name] for name in row if name != "id"}
        statement = insert.on_conflict_do_update(index_elements=[tokens.c.id], set_=replaced)
        await self._database.write(lambda connection: connection.execute(statement))

    async def delete(self, token_id: str) -> bool:
        statement = delete(tokens).where(tokens.c.id == token_id)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def of(self, account: str) -> list[ApiToken]:
        query = select(tokens.c.document).order_by(tokens.c.created_ms.desc(), tokens.c.id)
        if account:
            query = query.where(tokens.c.account == account)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_tokens.decode(row.document) for row in rows]

    async def expire(self, now_ms: int) -> int:
        statement = delete(tokens).where(tokens.c.expires_ms < clamped(now_ms))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)
