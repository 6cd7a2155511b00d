"""How is the index over the journal kept? (port: rambla.activations.ports.Index)

`apply` is one transaction: activations, audit entries, usage sums and the cursor move together or not at all. An
activation that is there already adds nothing, so that reading the journal again is harmless. Records are decoded where
they are read, in the database's threads: large ones would hold up the event loop.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from rambla.activations.paging import fitting
from rambla.activations.ports import AuditEntry, Batch, Query, UsageRow
from rambla.activations.sums import HOUR_MS, Sums, sums_of
from rambla.domain.activation import Activation, LogLine
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import activations, audits, clamped, outputs, progress, usage

_IDS_AT_ONCE = 500
_WHOLE = select(activations.c.id, activations.c.summary, outputs.c.document).join(
    outputs, outputs.c.id == activations.c.id
)


class Outputs(msgspec.Struct, frozen=True, array_like=True):
    """What `Activation.summary` leaves out."""

    result: bytes
    logs: tuple[LogLine, ...]
    raw_logs: tuple[str, ...]


_decoder = msgspec.msgpack.Decoder(Activation)
_outputs_decoder = msgspec.msgpack.Decoder(Outputs)
_audit_decoder = msgspec.json.Decoder(AuditEntry)


class SqlIndex:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cursor(self) -> int:
        query = select(progress.c.cursor)
        found = await self._database.read(lambda connection: connection.execute(query).scalar())
        return int(found or 0)

    async def apply(self, batch: Batch) -> None:
        def work(connection: Connection) -> None:
            new = _not_there(connection, batch.activations)
            if new:
                connection.execute(activations.insert(), [_row(each) for each in new])
                connection.execute(outputs.insert(), [_outputs_row(each) for each in new])
            self._add_usage(connection, sums_of(new))
            self._add_audits(connection, batch)
            insert = self._database.insert(progress).values(id=1, cursor=batch.cursor)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_={"cursor": insert.excluded.cursor})
            )

        await self._database.write(work)

    def _add_usage(self, connection: Connection, sums: dict[tuple[str, str, int], Sums]) -> None:
        if not sums:
            return
        insert = self._database.insert(usage)
        added = {name: usage.c[name] + insert.excluded[name] for name in Sums._fields}
        # in one order for all, so that two writers cannot lock each other out
        rows = [
            {"namespace": namespace, "action": action, "hour_ms": hour_ms, **each._asdict()}
            for (namespace, action, hour_ms), each in sorted(sums.items())
        ]
        connection.execute(insert.on_conflict_do_update(index_elements=list(usage.primary_key), set_=added), rows)

    def _add_audits(self, connection: Connection, batch: Batch) -> None:
        if batch.audits:
            insert = self._database.insert(audits).on_conflict_do_nothing()
            connection.execute(insert, [_audit_row(each) for each in batch.audits])
        if batch.outcomes:
            statement = (
                update(audits)
                .where(audits.c.intent_id == bindparam("of"), audits.c.status == "")
                .values(status=bindparam("new_status"))
            )
            rows = [{"of": intent_id, "new_status": status} for intent_id, status in batch.outcomes]
            connection.execute(statement, rows)

    async def clear(self) -> None:
        def work(connection: Connection) -> None:
            for table in (activations, outputs, audits, usage, progress):
                connection.execute(delete(table))

        await self._database.write(work)

    async def get(self, activation_id: str) -> Activation | None:
        found = await self.whole([activation_id])
        return found[0] if found else None

    async def find(self, query: Query) -> list[Activation]:
        statement = (
            _matching(select(activations.c.summary), query)
            .order_by(activations.c.start_ms.desc(), activations.c.id.desc())
            .offset(clamped(query.skip))
            .limit(clamped(query.limit))
        )

        def work(connection: Connection) -> list[Activation]:
            return [_decoder.decode(row.summary) for row in connection.execute(statement)]

        return await self._database.read(work)

    async def whole(self, activation_ids: Sequence[str]) -> list[Activation]:
        def work(connection: Connection) -> list[Activation]:
            page = _page(connection, activation_ids)
            found = {
                row.id: _joined(row.summary, row.document)
                for ids in _chunks(page)
                for row in connection.execute(_WHOLE.where(activations.c.id.in_(ids)))
            }
            return [found[each] for each in page if each in found]

        return await self._database.read(work)

    async def count(self, query: Query) -> int:
        statement = _matching(select(func.count()).select_from(activations), query)
        total: int = await self._database.read(lambda connection: connection.execute(statement).scalar_one())
        return max(0, total - query.skip)

    async def audits(self, namespace: str, *, since_ms: int, limit: int) -> list[AuditEntry]:
        statement = (
            select(audits.c.document, audits.c.status)
            .where(audits.c.namespace == namespace, audits.c.at_ms >= clamped(since_ms))
            .order_by(audits.c.at_ms.desc(), audits.c.intent_id.desc())
            .limit(clamped(limit))
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [msgspec.structs.replace(_audit_decoder.decode(row.document), status=row.status) for row in rows]

    async def usage(self, namespace: str, *, since_ms: int) -> list[UsageRow]:
        statement = (
            select(usage)
            .where(usage.c.namespace == namespace, usage.c.hour_ms > clamped(since_ms - HOUR_MS))
            .order_by(usage.c.hour_ms, usage.c.action)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [
            Sums(row.activations, row.duration_ms, row.mb_ms).row(row.namespace, row.action, row.hour_ms)
            for row in rows
        ]


def _not_there(connection: Connection, wanted: Iterable[Activation]) -> list[Activation]:
    """Those that the index does not have, each once."""
    by_id = {each.id: each for each in wanted}
    for ids in _chunks(by_id):
        there = connection.execute(select(activations.c.id).where(activations.c.id.in_(ids)))
        for (known,) in there.all():
            del by_id[known]
    return list(by_id.values())


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(list(ids))
    while chunk := list(islice(remaining, _IDS_AT_ONCE)):
        yield chunk


def _page(connection: Connection, wanted: Sequence[str]) -> list[str]:
    """Those that are there, as many as fit."""
    sizes: dict[str, int] = {}
    for ids in _chunks(wanted):
        rows = connection.execute(select(outputs.c.id, outputs.c.bytes).where(outputs.c.id.in_(ids)))
        sizes |= {row.id: row.bytes for row in rows}
    there = [each for each in wanted if each in sizes]
    return there[: fitting(sizes[each] for each in there)]


def _joined(summary: bytes, document: bytes) -> Activation:
    given = _outputs_decoder.decode(document)
    return msgspec.structs.replace(
        _decoder.decode(summary), result=given.result, logs=given.logs, raw_logs=given.raw_logs
    )


def _matching(statement: Select[Any], query: Query) -> Select[Any]:
    statement = statement.where(activations.c.namespace == query.namespace)
    if query.name is not None:
        statement = statement.where(activations.c.path == query.name)
    if query.since_ms is not None:
        statement = statement.where(activations.c.start_ms >= clamped(query.since_ms))
    if query.upto_ms is not None:
        statement = statement.where(activations.c.start_ms <= clamped(query.upto_ms))
    return statement


_NOBODYS = ""
"""No namespace is named so: what is not kept is there to be counted once, and is found by nobody."""


def _row(activation: Activation) -> dict[str, object]:
    return {
        "id": activation.id,
        "namespace": activation.namespace if activation.kept else _NOBODYS,
        "path": activation.path,
        "start_ms": activation.start_ms,
        "summary": msgspec.msgpack.encode(activation.summary()),
    }


def _outputs_row(activation: Activation) -> dict[str, object]:
    given = Outputs(activation.result, activation.logs, activation.raw_logs)
    return {
        "id": activation.id,
        "bytes": activation.output_bytes,
        "document": msgspec.msgpack.encode(given),
    }


def _audit_row(entry: AuditEntry) -> dict[str, object]:
    return {
        "intent_id": entry.intent_id,
        "namespace": entry.namespace,
        "at_ms": entry.at_ms,
        "status": entry.status,
        "document": msgspec.json.encode(entry),
    }
