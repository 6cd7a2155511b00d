"""How does the platform open its two databases?

The catalogue is the truth about what exists; the index is derived and may be thrown away, so it is a database of its
own. Both calls block; they create or migrate the tables.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from rambla.domain.errors import StorageFailed
from rambla.drivers.sql.alarms import SqlAlarmStore
from rambla.drivers.sql.apis import SqlApiStore
from rambla.drivers.sql.bundles import SqlBundleStore
from rambla.drivers.sql.database import Database, is_damaged, open_database
from rambla.drivers.sql.entities import SqlEntityStore
from rambla.drivers.sql.fleet import SqlFleetStore
from rambla.drivers.sql.identity import SqlAccountStore, SqlTokenStore
from rambla.drivers.sql.index import SqlIndex
from rambla.drivers.sql.namespaces import SqlNamespaceStore
from rambla.drivers.sql.users import SqlLockStore, SqlUserStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenCatalog:
    entities: SqlEntityStore
    namespaces: SqlNamespaceStore
    alarms: SqlAlarmStore
    apis: SqlApiStore
    bundles: SqlBundleStore
    accounts: SqlAccountStore
    tokens: SqlTokenStore
    fleet: SqlFleetStore
    users: SqlUserStore
    locks: SqlLockStore
    database: Database

    async def close(self) -> None:
        await self.database.close()


@dataclass(frozen=True, slots=True)
class OpenIndex:
    index: SqlIndex
    database: Database

    async def close(self) -> None:
        await self.database.close()


def open_catalog(url: str) -> OpenCatalog:
    """Raises StorageFailed."""
    database = open_database(url, "catalog")
    return OpenCatalog(
        SqlEntityStore(database),
        SqlNamespaceStore(database),
        SqlAlarmStore(database),
        SqlApiStore(database),
        SqlBundleStore(database),
        SqlAccountStore(database),
        SqlTokenStore(database),
        SqlFleetStore(database),
        SqlUserStore(database),
        SqlLockStore(database),
        database,
    )


def open_index(url: str) -> OpenIndex:
    """A SQLite file that is damaged is put aside for a new one, which the journal fills. Raises StorageFailed."""
    try:
        database = open_database(url, "index")
    except StorageFailed as error:
        if not is_damaged(error):
            raise
        _put_aside(Path(make_url(url).database or ""))
        _log.warning("%s The file was put aside; the index is filled again from the journal.", error)
        database = open_database(url, "index")
    return OpenIndex(SqlIndex(database), database)


def _put_aside(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.name}.damaged"))
