"""How does the catalogue keep local users and locks? (ports: rambla.identity.ports.UserStore and LockStore)"""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, select

from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import clamped, locks, users
from rambla.identity.ports import LocalUser

_users = msgspec.json.Decoder(LocalUser)
_ALONE = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"  # two nodes shall not change the same user at once


class SqlUserStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, source: str, user: str) -> LocalUser | None:
        query = select(users.c.document).where(users.c.source == source, users.c.user == user)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _users.decode(row.document)

    async def change(
        self, source: str, user: str, change: Callable[[LocalUser | None], LocalUser | None]
    ) -> LocalUser | None:
        there = (users.c.source == source, users.c.user == user)

        def work(connection: Connection) -> LocalUser | None:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_ALONE)
            row = connection.execute(select(users.c.document).where(*there)).first()
            changed = change(_users.decode(row.document) if row else None)
            if changed is None:
                connection.execute(delete(users).where(*there))
                return None
            insert = self._database.insert(users).values(
                source=source, user=user, document=msgspec.json.encode(changed)
            )
            replaced = {"document": insert.excluded.document}
            connection.execute(insert.on_conflict_do_update(index_elements=["source", "user"], set_=replaced))
            return changed

        return await self._database.write(work)

    async def of(self, source: str) -> list[LocalUser]:
        query = select(users.c.document).where(users.c.source == source).order_by(users.c.user)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_users.decode(row.document) for row in rows]


class SqlLockStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def locked_until_ms(self, source: str, user: str) -> int:
        query = select(locks.c.until_ms).where(locks.c.source == source, locks.c.user == user)
        return await self._database.read(lambda connection: connection.execute(query).scalar()) or 0

    async def lock(self, source: str, user: str, until_ms: int) -> None:
        insert = self._database.insert(locks).values(source=source, user=user, until_ms=clamped(until_ms))
        replaced = {"until_ms": insert.excluded.until_ms}
        statement = insert.on_conflict_do_update(index_elements=["source", "user"], set_=replaced)
        await self._database.write(lambda connection: connection.execute(statement))

    async def unlock(self, source: str, user: str) -> None:
        statement = delete(locks).where(locks.c.source == source, locks.c.user == user)
        await self._database.write(lambda connection: connection.execute(statement))

    async def expire(self, now_ms: int) -> int:
        statement = delete(locks).where(locks.c.until_ms < clamped(now_ms))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)
