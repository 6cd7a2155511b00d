"""How does the catalogue keep APIs? (port: rambla.gateway.ports.ApiStore)

The document stands beside the record, so that the routes are read without it. Revisions are random: one that was seen
never comes again, also if an API is deleted and made anew.
"""

import secrets

import msgspec
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.exc import IntegrityError

from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import apis, clamped
from rambla.gateway.api import Api, gateway_id

_REVISION_BITS = 62
_decoder = msgspec.json.Decoder(Api)


class SqlApiStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, namespace: str, base_path: str) -> Api | None:
        query = select(apis.c.record, apis.c.document).where(_is(namespace, base_path))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _with_document(_decoder.decode(row.record), row.document)

    async def put(self, api: Api, *, expected_revision: int | None) -> Api:
        written = msgspec.structs.replace(api, revision=secrets.randbits(_REVISION_BITS))
        row = _row(written)
        if expected_revision is None:
            insert = apis.insert().values(namespace=api.namespace, base_path=api.base_path, **row)
            try:
                await self._database.write(lambda connection: connection.execute(insert))
            except IntegrityError as error:
                raise AlreadyExists() from error
            return written
        current = apis.c.revision == clamped(expected_revision)
        change = update(apis).where(_is(api.namespace, api.base_path), current).values(**row)
        if await self._database.write(lambda connection: connection.execute(change).rowcount) != 1:
            raise ConcurrentChange()
        return written

    async def delete(self, namespace: str, base_path: str, *, expected_revision: int) -> None:
        current = apis.c.revision == clamped(expected_revision)
        gone = delete(apis).where(_is(namespace, base_path), current)
        if await self._database.write(lambda connection: connection.execute(gone).rowcount) != 1:
            raise ConcurrentChange()

    async def delete_all(self, namespace: str) -> None:
        gone = delete(apis).where(apis.c.namespace == namespace)
        await self._database.write(lambda connection: connection.execute(gone))

    async def find(self, namespace: str, *, name: str | None, skip: int, limit: int) -> list[Api]:
        query = select(apis.c.record, apis.c.document).where(apis.c.namespace == namespace).order_by(apis.c.base_path)
        if name is not None:
            query = query.where(apis.c.name == name)
        page = query.offset(clamped(skip)).limit(clamped(limit))
        rows = await self._database.read(lambda connection: connection.execute(page).all())
        return [_with_document(_decoder.decode(row.record), row.document) for row in rows]

    async def routes(self, identifier: str) -> list[Api]:
        query = select(apis.c.record).where(apis.c.gateway_id == identifier).order_by(apis.c.base_path)
        # Decoded in the thread of the database: there may be thousands of routes.
        return await self._database.read(
            lambda connection: [_decoder.decode(row.record) for row in connection.execute(query)]
        )


def _is(namespace: str, base_path: str) -> ColumnElement[bool]:
    return and_(apis.c.namespace == namespace, apis.c.base_path == base_path)


def _row(api: Api) -> dict[str, object]:
    return {
        "gateway_id": gateway_id(api.namespace),
        "name": api.name,
        "revision": api.revision,
        "record": msgspec.json.encode(_with_document(api, b"")),
        "document": api.document,
    }


def _with_document(api: Api, document: bytes) -> Api:
    return msgspec.structs.replace(api, document=document)
