"""How does the platform open its two databases?

The catalogue is the truth about what exists; the index is derived and may be thrown away, so it is a database of its
own. Both calls block; they create or migrate the tables.
"""

from dataclasses import dataclass

from rambla.drivers.sql.database import Database, open_database
from rambla.drivers.sql.entities import SqlEntityStore
from rambla.drivers.sql.index import SqlIndex
from rambla.drivers.sql.namespaces import SqlNamespaceStore


@dataclass(frozen=True, slots=True)
class OpenCatalog:
    entities: SqlEntityStore
    namespaces: SqlNamespaceStore
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
    return OpenCatalog(SqlEntityStore(database), SqlNamespaceStore(database), database)


def open_index(url: str) -> OpenIndex:
    """Raises StorageFailed."""
    database = open_database(url, "index")
    return OpenIndex(SqlIndex(database), database)
