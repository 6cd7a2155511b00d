"""How is one query asked of a database that may hang?

In a thread that blocks, on a connection of its own, which another thread can break off. Nothing that a database says
is repeated: its errors hold the parameters.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import TextClause
from sqlalchemy.engine import URL

_STEPS = 1000  # of SQLite's machine, between two looks at whether to go on


class Trouble(Exception):
    """There is no value, for the reason that it says; `away` if that is no matter of the question."""

    def __init__(self, reason: str, *, away: bool) -> None:
        super().__init__(reason)
        self.away = away


class Asking(Protocol):
    """One query, asked once."""

    def first_value(self, values: Mapping[str, str]) -> object:
        """The first column of the first row, None if there is no row. Blocks. Raises Trouble."""
        ...

    def break_off(self) -> None:
        """Whoever waits for the value gets Trouble at once. Also when it has come already, or was not yet asked for."""
        ...


class SqliteAsking:
    def __init__(self, query: str, path: str, timeout_ms: int) -> None:
        self._query = query
        self._where = Path(path).absolute().as_uri() + "?mode=ro"
        self._timeout_s = timeout_ms / 1000
        self._broken_off = False

    def first_value(self, values: Mapping[str, str]) -> object:
        try:
            connection = sqlite3.connect(self._where, uri=True, timeout=self._timeout_s, check_same_thread=False)
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.set_progress_handler(lambda: self._broken_off, _STEPS)
                row = connection.execute(self._query, values).fetchone()
                return row[0] if row else None
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise Trouble(type(error).__name__, away=isinstance(error, sqlite3.OperationalError)) from None

    def break_off(self) -> None:
        self._broken_off = True


def as_written(query: TextClause, url: URL) -> str:
    """The query with its parameters as the database's own driver writes them. Raises ImportError without it."""
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(url.get_backend_name())
    postgresql = url.get_backend_name() == "postgresql"
    make: Any = url.set(drivername="postgresql+psycopg" if postgresql else "sqlite").get_dialect()
    return str(query.compile(dialect=make(paramstyle="pyformat" if postgresql else "named")))
