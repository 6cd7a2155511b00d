"""How does the catalogue keep what hosts report? (port: rambla.fleet.ports.FleetStore)

The time at which a host was last heard of has a column of its own, as it changes while the report does not.
"""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from rambla.domain.errors import FleetFull, HostTaken
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import fleet
from rambla.fleet.ports import Host

_hosts = msgspec.json.Decoder(Host)
_READ = select(fleet.c.seen_ms, fleet.c.document)
_BY = select(fleet.c.reported_by)
_NAMES = select(fleet.c.host)
_SEE = (
    update(fleet)
    .where(fleet.c.host == bindparam("name"), fleet.c.seen_ms < bindparam("at_ms"))
    .values(seen_ms=bindparam("at_ms"))
)


class SqlFleetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, host: str) -> Host | None:
        query = _READ.where(fleet.c.host == host)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _host(row.seen_ms, row.document)

    async def put(self, host: Host, *, hosts_max: int) -> None:
        row = {"reported_by": host.by, "seen_ms": host.seen_ms, "document": msgspec.json.encode(host)}
        insert = self._database.insert(fleet).values(host=host.host, **row)
        same = fleet.c.reported_by == insert.excluded.reported_by
        upsert = insert.on_conflict_do_update(index_elements=[fleet.c.host], set_=row, where=same)
        statement = upsert.returning(fleet.c.host)

        def work(connection: Connection) -> None:
            taken = connection.execute(_BY.where(fleet.c.host == host.host)).scalar()
            if taken is None and _count(connection) >= hosts_max:
                raise FleetFull(hosts_max=hosts_max)
            if connection.execute(statement).first() is None:
                raise HostTaken(host=host.host, by=taken or "somebody else")

        await self._database.write(work)

    async def see(self, seen_ms: Mapping[str, int]) -> set[str]:
        rows = [{"name": name, "at_ms": at_ms} for name, at_ms in sorted(seen_ms.items())]

        def work(connection: Connection) -> set[str]:
            if rows:
                connection.execute(_SEE, rows)
            return seen_ms.keys() - set(connection.execute(_NAMES).scalars())

        return await self._database.write(work)

    async def delete(self, host: str) -> bool:
        statement = delete(fleet).where(fleet.c.host == host)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def all(self) -> list[Host]:
        query = _READ.order_by(fleet.c.host)

        def work(connection: Connection) -> list[Host]:
            return [_host(row.seen_ms, row.document) for row in connection.execute(query)]

        return await self._database.read(work)


def _host(seen_ms: int, document: bytes) -> Host:
    return msgspec.structs.replace(_hosts.decode(document), seen_ms=seen_ms)


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(fleet)).scalar() or 0
