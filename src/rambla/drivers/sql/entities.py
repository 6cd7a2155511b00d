"""How does the catalogue keep entities? (port: rambla.catalog.ports.EntityStore)

One row per name that was ever used: a deleted entity's row stays, empty, so that its revision never begins again and no
cache can take a new entity for the old one of that name.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from rambla.catalog.ports import Collection
from rambla.domain.entities import Action, AnyEntity, Exec, Package, Rule, Trigger
from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.domain.names import FullName
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import clamped, codes, entities

_COLLECTIONS: dict[type[AnyEntity], Collection] = {
    Action: "actions",
    Package: "packages",
    Trigger: "triggers",
    Rule: "rules",
}
_decoder: msgspec.json.Decoder[AnyEntity] = msgspec.json.Decoder(AnyEntity)
_SAME_NAME = and_(
    codes.c.namespace == entities.c.namespace, codes.c.package == entities.c.package, codes.c.name == entities.c.name
)


class SqlEntityStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: FullName) -> AnyEntity | None:
        query = (
            select(entities.c.document, codes.c.code)
            .outerjoin(codes, _SAME_NAME)
            .where(_is(name), entities.c.collection.is_not(None))
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _with_code(_decoder.decode(row.document), row.code)

    async def put(self, entity: AnyEntity, *, expected_revision: int | None) -> AnyEntity:
        def work(connection: Connection) -> AnyEntity:
            revision = _free_revision(connection, entity.name) if expected_revision is None else expected_revision
            written = msgspec.structs.replace(entity, revision=revision + 1)
            self._write(connection, written, expected_revision)
            self._write_code(connection, written)
            return written

        try:
            return await self._database.write(work)
        except IntegrityError as error:  # somebody else took the name between our look and our insert
            raise AlreadyExists() from error

    def _write(self, connection: Connection, entity: AnyEntity, expected_revision: int | None) -> None:
        row = _row(entity)
        if expected_revision is None and entity.revision == 1:
            connection.execute(entities.insert().values(**_key(entity.name), **row))
            return
        live = entities.c.collection.is_(None) if expected_revision is None else entities.c.collection.is_not(None)
        before = entities.c.revision == clamped(entity.revision - 1)
        changed = connection.execute(update(entities).where(_is(entity.name), before, live).values(**row))
        if changed.rowcount != 1:
            raise AlreadyExists() if expected_revision is None else ConcurrentChange()

    def _write_code(self, connection: Connection, entity: AnyEntity) -> None:
        if not isinstance(entity, Action):
            connection.execute(delete(codes).where(*_code_of(entity.name)))
            return
        code = entity.exec.code.encode("utf-8", "surrogatepass")
        insert = self._database.insert(codes).values(**_key(entity.name), code=code)
        connection.execute(
            insert.on_conflict_do_update(index_elements=list(codes.primary_key), set_={"code": insert.excluded.code})
        )

    async def delete(self, name: FullName, *, expected_revision: int) -> None:
        def work(connection: Connection) -> None:
            current = (entities.c.collection.is_not(None), entities.c.revision == clamped(expected_revision))
            if bury(connection, _is(name), *current) != 1:
                raise ConcurrentChange()
            connection.execute(delete(codes).where(*_code_of(name)))

        await self._database.write(work)

    async def find(
        self, collection: Collection, namespace: str, *, package: str | None, skip: int, limit: int
    ) -> list[AnyEntity]:
        query = (
            _listed(select(entities.c.document), collection, namespace, package)
            .order_by(entities.c.updated_ms.desc(), entities.c.package, entities.c.name)
            .offset(clamped(skip))
            .limit(clamped(limit))
        )
        return await self._all(query)

    async def count(self, collection: Collection, namespace: str, *, package: str | None) -> int:
        query = _listed(select(func.count()).select_from(entities), collection, namespace, package)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def rules_of(self, trigger: FullName) -> list[AnyEntity]:
        query = (
            select(entities.c.document)
            .where(entities.c.collection == "rules", entities.c.trigger == str(trigger))
            .order_by(entities.c.namespace, entities.c.package, entities.c.name)
        )
        return await self._all(query)

    async def _all(self, query: Select[Any]) -> list[AnyEntity]:
        rows: list[Row[Any]] = list(await self._database.read(lambda connection: connection.execute(query).all()))
        return [_decoder.decode(row.document) for row in rows]


def bury(connection: Connection, *where: ColumnElement[bool]) -> int:
    """Empty these rows; how many. Their revision stays, so that whoever comes next under the name counts on."""
    emptied = {"collection": None, "trigger": None, "document": b"", "updated_ms": 0}
    return connection.execute(update(entities).where(*where).values(**emptied)).rowcount


def _free_revision(connection: Connection, name: FullName) -> int:
    """The revision that a deleted entity of this name had, 0 if there never was one. AlreadyExists if there is one."""
    row = connection.execute(select(entities.c.revision, entities.c.collection).where(_is(name))).first()
    if row is None:
        return 0
    if row.collection is not None:
        raise AlreadyExists()
    return int(row.revision)


def _key(name: FullName) -> dict[str, str]:
    return {"namespace": name.namespace, "package": name.package, "name": name.name}


def _is(name: FullName) -> ColumnElement[bool]:
    return and_(
        entities.c.namespace == name.namespace, entities.c.package == name.package, entities.c.name == name.name
    )


def _code_of(name: FullName) -> tuple[ColumnElement[bool], ...]:
    return codes.c.namespace == name.namespace, codes.c.package == name.package, codes.c.name == name.name


def _row(entity: AnyEntity) -> dict[str, object]:
    return {
        "revision": clamped(entity.revision),
        "collection": _COLLECTIONS[type(entity)],
        "updated_ms": entity.updated_ms,
        "trigger": str(entity.trigger) if isinstance(entity, Rule) else None,
        "document": msgspec.json.encode(_without_code(entity)),
    }


def _listed(query: Select[Any], collection: Collection, namespace: str, package: str | None) -> Select[Any]:
    query = query.where(entities.c.namespace == namespace, entities.c.collection == collection)
    return query if package is None else query.where(entities.c.package == package)


def _without_code(entity: AnyEntity) -> AnyEntity:
    return _with_code(entity, b"")


def _with_code(entity: AnyEntity, code: bytes | None) -> AnyEntity:
    if not isinstance(entity, Action):
        return entity
    text = (code or b"").decode("utf-8", "surrogatepass")
    executable: Exec = msgspec.structs.replace(entity.exec, code=text)
    return msgspec.structs.replace(entity, exec=executable)
