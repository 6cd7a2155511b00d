"""How does the catalogue keep bundles of policies? (port: rambla.policy.ports.BundleStore)

The files stand beside the summary, so that the history is read without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from rambla.domain.errors import ConcurrentChange
from rambla.drivers.sql.database import Database
from rambla.drivers.sql.tables import bundles, clamped
from rambla.policy.bundle import Bundle, File
from rambla.policy.problems import Place, Problem, broken

_summaries = msgspec.json.Decoder(Bundle)
_files = msgspec.json.Decoder(tuple[File, ...])


class SqlBundleStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> int:
        return await self._database.read(_newest)

    async def append(self, bundle: Bundle) -> None:
        row = {
            "number": bundle.number,
            "summary": msgspec.json.encode(bundle.summary),
            "files": msgspec.json.encode(bundle.files),
        }

        def work(connection: Connection) -> None:
            if bundle.number != _newest(connection) + 1:
                raise ConcurrentChange()
            connection.execute(bundles.insert().values(**row))

        try:
            await self._database.write(work)
        except IntegrityError as error:  # another node was quicker
            raise ConcurrentChange() from error

    async def get(self, number: int) -> Bundle | None:
        query = select(bundles.c.summary, bundles.c.files).where(bundles.c.number == clamped(number))
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        with _readable(number):
            return msgspec.structs.replace(_summaries.decode(row.summary), files=_files.decode(row.files))

    async def history(self, *, before: int, limit: int) -> list[Bundle]:
        query = (
            select(bundles.c.number, bundles.c.summary)
            .where(bundles.c.number < clamped(before))
            .order_by(bundles.c.number.desc())
        )
        page = query.limit(clamped(limit))
        rows = await self._database.read(lambda connection: connection.execute(page).all())
        return [_summary(row.number, row.summary) for row in rows]


def _summary(number: int, summary: bytes) -> Bundle:
    with _readable(number):
        return _summaries.decode(summary)


@contextmanager
def _readable(number: int) -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = Problem(Place(f"bundle {number}"), "its row in the database was changed", "publish its files again")
        raise broken([problem]) from error


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(bundles.c.number))).scalar() or 0
