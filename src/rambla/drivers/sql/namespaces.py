"""How does the catalogue keep namespaces? (port: rambla.identity.ports.NamespaceStore)

One row per name that was ever used: a deleted namespace's row stays, empty, so that its name stays taken.
"""

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from rambla.domain.entities import Namespace
from rambla.domain.errors import AlreadyExists, NamespaceDeleted
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.entities import bury
from rambla.drivers.sql.tables import codes, entities, namespaces

_LIVES = namespaces.c.uuid.is_not(None)
_decoder = msgspec.json.Decoder(Namespace)


class SqlNamespaceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> Namespace | None:
        return await self._one(namespaces.c.name == name, _LIVES)

    async def was_deleted(self, name: str) -> bool:
        query = select(namespaces.c.name).where(namespaces.c.name == name, ~_LIVES)
        return await self._database.read(lambda connection: connection.execute(query).first()) is not None

    async def by_uuid(self, uuid: str) -> Namespace | None:
        return await self._one(namespaces.c.uuid == uuid)

    async def by_owner(self, owner: str) -> Namespace | None:
        return await self._one(namespaces.c.owner == owner, _LIVES)

    async def put(self, namespace: Namespace) -> None:
        document = msgspec.json.encode(namespace)
        row = {"name": namespace.name, "uuid": namespace.uuid, "owner": namespace.owner or None, "document": document}
        insert = self._database.insert(namespaces).values(**row)
        changes = {name: insert.excluded[name] for name in ("uuid", "owner", "document")}
        statement = insert.on_conflict_do_update(index_elements=[namespaces.c.name], set_=changes, where=_LIVES)
        written = statement.returning(namespaces.c.name)
        try:
            found = await self._database.write(lambda connection: connection.execute(written).first())
        except IntegrityError as error:
            raise AlreadyExists() from error
        if found is None:
            raise NamespaceDeleted()

    async def delete(self, name: str) -> bool:
        def work(connection: Connection) -> bool:
            bury(connection, entities.c.namespace == name)
            connection.execute(delete(codes).where(codes.c.namespace == name))
            emptied = {"uuid": None, "owner": None, "document": b""}
            emptying = update(namespaces).where(namespaces.c.name == name, _LIVES).values(**emptied)
            return connection.execute(emptying).rowcount == 1

        return await self._database.write(work)

    async def all(self) -> list[Namespace]:
        query = select(namespaces.c.document).where(_LIVES).order_by(namespaces.c.name)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_decoder.decode(row.document) for row in rows]

    async def _one(self, *conditions: ColumnElement[bool]) -> Namespace | None:
        query = select(namespaces.c.document).where(*conditions)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _decoder.decode(row.document)
