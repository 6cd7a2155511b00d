"""How does the catalogue keep namespaces? (port: rambla.catalog.ports.NamespaceStore)"""

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select
from sqlalchemy.exc import IntegrityError

from rambla.domain.entities import Namespace
from rambla.domain.errors import AlreadyExists
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.entities import bury
from rambla.drivers.sql.tables import codes, entities, namespaces

_decoder = msgspec.json.Decoder(Namespace)


class SqlNamespaceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> Namespace | None:
        return await self._one(namespaces.c.name == name)

    async def by_uuid(self, uuid: str) -> Namespace | None:
        return await self._one(namespaces.c.uuid == uuid)

    async def put(self, namespace: Namespace) -> None:
        """AlreadyExists if another namespace has this uuid."""
        document = msgspec.json.encode(namespace)
        insert = self._database.insert(namespaces).values(name=namespace.name, uuid=namespace.uuid, document=document)
        changes = {"uuid": insert.excluded.uuid, "document": insert.excluded.document}
        statement = insert.on_conflict_do_update(index_elements=[namespaces.c.name], set_=changes)
        try:
            await self._database.write(lambda connection: connection.execute(statement))
        except IntegrityError as error:
            raise AlreadyExists() from error

    async def delete(self, name: str) -> bool:
        def work(connection: Connection) -> bool:
            bury(connection, entities.c.namespace == name)
            connection.execute(delete(codes).where(codes.c.namespace == name))
            return connection.execute(delete(namespaces).where(namespaces.c.name == name)).rowcount == 1

        return await self._database.write(work)

    async def all(self) -> list[Namespace]:
        query = select(namespaces.c.document).order_by(namespaces.c.name)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_decoder.decode(row.document) for row in rows]

    async def _one(self, condition: ColumnElement[bool]) -> Namespace | None:
        query = select(namespaces.c.document).where(condition)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _decoder.decode(row.document)
