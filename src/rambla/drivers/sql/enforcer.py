"""What does a query of a database say?

One SELECT that whoever runs the platform wrote, with bound parameters, in a transaction that only reads. The first
value of its first row says yes (true, or 1) or no (false, 0 or null, and no row at all); anything else is no answer. A
query that does not end in time is broken off at both ends.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any, cast

import anyio
import anyio.to_thread
import msgspec
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rambla.domain.access import Question
from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer
from rambla.drivers.settings import read_secret, read_settings
from rambla.drivers.sql.asking import Asking, SqliteAsking, Trouble, as_written
from rambla.enforcers.words import word

QUERIES_MAX = 4
_SELECT = re.compile(r"\s*(?:SELECT|WITH)\b[^;]*\Z", re.IGNORECASE)
_WORDS = re.compile(r"argument|permission|subject|namespace|source|target_(?:namespace|name)")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`query` has parameters such as `:subject`; `secret_file` holds the password of the user in the `url`."""

    url: str
    query: str
    secret_file: str = ""


class SqlEnforcer:
    """A connection for each question, as most are answered from memory: none can be lost while it is idle."""

    def __init__(self, name: str, words: tuple[str, ...], begin: Callable[[], Asking]) -> None:
        """`words` are the names of the query's parameters, `begin` makes one asking of it."""
        self._name = name
        self._words = words
        self._begin = begin
        self._places = anyio.Semaphore(QUERIES_MAX)

    def wording(self, question: Question, argument: str) -> Hashable:
        """The parameters' values, in the order of their names."""
        return tuple(word(self._name, question, argument, name) for name in self._words)

    async def says_yes(self, wording: Hashable) -> bool:
        values = dict(zip(self._words, cast("tuple[str, ...]", wording), strict=True))
        async with self._places:
            asking = self._begin()
            try:
                run = partial(asking.first_value, values)
                return self._read(await anyio.to_thread.run_sync(run, abandon_on_cancel=True))
            except Trouble as trouble:
                kind = EnforcerAway if trouble.away else NoAnswer
                raise kind(enforcer=self._name, detail=f"the database cannot be asked: {trouble}") from None
            finally:
                asking.break_off()

    async def close(self) -> None:
        pass

    def _read(self, value: object) -> bool:
        match value:
            case True | 1:
                return True
            case False | 0 | None:
                return False
        raise NoAnswer(enforcer=self._name, detail="the query's first value is neither true nor false")


def open_enforcer(name: str, given: Mapping[str, Any], *, timeout_ms: int) -> SqlEnforcer:
    """Raises BadSettings."""
    settings = read_settings(f"enforcers.{name}", Settings, given)
    query = text(settings.query)
    words = tuple(sorted(query.compile().params))
    if unknown := [each for each in words if not _WORDS.fullmatch(each)]:
        raise BadSettings(name=f"enforcers.{name}", detail=f"there is nothing to put in for ':{unknown[0]}'")
    if not _SELECT.match(settings.query):
        raise BadSettings(name=f"enforcers.{name}", detail="its query is one SELECT, without ';'")
    try:
        url = make_url(settings.url)
        made = as_written(query, url)
        if url.get_backend_name() == "sqlite":
            return SqlEnforcer(name, words, partial(SqliteAsking, made, url.database or "", timeout_ms))
        from rambla.drivers.sql.postgresql import PostgresqlAsking  # with SQLite alone, its extra is not needed

        url = url.set(password=read_secret(f"enforcers.{name}", settings.secret_file) or None)
        return SqlEnforcer(name, words, partial(PostgresqlAsking, made, url, timeout_ms))
    except (ArgumentError, ValueError, ImportError) as error:
        detail = f"its url cannot be used ({type(error).__name__}). Fix: pip install 'rambla[postgres]' for PostgreSQL"
        raise BadSettings(name=f"enforcers.{name}", detail=detail) from None
