"""How does the catalogue keep alarms? (port: rambla.schedule.ports.AlarmStore)"""

import secrets
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select, update

from rambla.domain.names import FullName
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import alarms
from rambla.schedule.alarm import Alarm

_REVISION_BITS = 62
_decoder = msgspec.json.Decoder(Alarm)


class SqlAlarmStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, trigger: FullName) -> Alarm | None:
        query = select(alarms.c.document).where(*_is(trigger))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _decoder.decode(row.document)

    async def put(self, alarm: Alarm) -> None:
        name = {"namespace": alarm.trigger.namespace, "name": alarm.trigger.name}
        insert = self._database.insert(alarms).values(**name, **_row(alarm))
        changes = {key: insert.excluded[key] for key in ("revision", "wake_ms", "document")}
        statement = insert.on_conflict_do_update(index_elements=list(alarms.primary_key), set_=changes)
        await self._database.write(lambda connection: connection.execute(statement))

    async def replace(self, alarms: Sequence[Alarm]) -> list[bool]:
        def work(connection: Connection) -> list[bool]:
            return [_replace(connection, alarm) for alarm in alarms]

        return await self._database.write(work)

    async def delete(self, trigger: FullName) -> bool:
        statement = delete(alarms).where(*_is(trigger))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount) == 1

    async def delete_all(self, namespace: str) -> None:
        statement = delete(alarms).where(alarms.c.namespace == namespace)
        await self._database.write(lambda connection: connection.execute(statement))

    async def earliest(self, limit: int) -> list[Alarm]:
        query = (
            select(alarms.c.document)
            .where(alarms.c.wake_ms.is_not(None))
            .order_by(alarms.c.wake_ms, alarms.c.namespace, alarms.c.name)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_decoder.decode(row.document) for row in rows]


def _replace(connection: Connection, alarm: Alarm) -> bool:
    unchanged = (*_is(alarm.trigger), alarms.c.revision == alarm.revision)
    return connection.execute(update(alarms).where(*unchanged).values(**_row(alarm))).rowcount == 1


def _is(trigger: FullName) -> tuple[ColumnElement[bool], ...]:
    return alarms.c.namespace == trigger.namespace, alarms.c.name == trigger.name


def _row(alarm: Alarm) -> dict[str, object]:
    """With a revision that says nothing but that it is another one."""
    written = msgspec.structs.replace(alarm, revision=secrets.randbits(_REVISION_BITS))
    return {"revision": written.revision, "wake_ms": written.wake_ms, "document": msgspec.json.encode(written)}
