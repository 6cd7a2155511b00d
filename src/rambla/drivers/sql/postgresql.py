"""How is one query asked of a PostgreSQL that may hang?

As `asking` says. The server is told how long a statement may take; and as one that hangs hears no request to cancel,
the socket is shut to break off. (protocol: rambla.drivers.sql.asking.Asking)
"""

import os
import socket
from collections.abc import Mapping
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from rambla.drivers.sql.asking import Trouble

_CONNECT_S_MIN = 2  # what libpq takes for the least


class PostgresqlAsking:
    def __init__(self, query: str, url: URL, timeout_ms: int) -> None:
        self._query = query
        self._url = url
        self._timeout_ms = timeout_ms
        self._connection: psycopg.Connection[Any] | None = None
        self._broken_off = False
        self._closing = Lock()

    def first_value(self, values: Mapping[str, str]) -> object:
        try:
            connection = self._connect()
            try:
                row = connection.execute(self._query.encode(), values).fetchone()
                return row[0] if row else None
            finally:
                self._close()
        except psycopg.Error as error:
            raise Trouble(type(error).__name__, away=isinstance(error, psycopg.OperationalError)) from None

    def break_off(self) -> None:
        with self._closing:  # so that the number is still that of our socket
            self._broken_off = True
            if self._connection is not None and not self._connection.closed:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> psycopg.Connection[Any]:
        limits = f"-c statement_timeout={self._timeout_ms} -c lock_timeout={self._timeout_ms}"
        given = self._url.translate_connect_args(username="user", database="dbname")
        patience_s = max(_CONNECT_S_MIN, self._timeout_ms // 1000)
        connection = psycopg.connect(**{**self._url.query, **given}, connect_timeout=patience_s, options=limits)
        connection.read_only = True
        with self._closing:
            self._connection = connection
            if self._broken_off:
                connection.close()
        return connection

    def _close(self) -> None:
        with self._closing:
            if self._connection is not None:
                self._connection.close()
