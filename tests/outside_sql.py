"""Databases with the members of teams: a SQLite file, and a PostgreSQL of a test's own."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import psycopg
import pytest

from conftest import _postgresql_programs
from rambla.app.registry import opener
from stages import ServerProcess, free_port

SECRET = "geheimes-wort"
QUERY = "SELECT EXISTS (SELECT 1 FROM members WHERE login = :subject AND team = :argument)"
TABLE = (
    "CREATE TABLE members (login varchar(2000), team varchar(200))",
    "INSERT INTO members VALUES ('alice', 'ops'), ('carol', 'dev')",
)


class Opening:
    secret = SECRET

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.argument = "ops"
        self.url = ""

    def open(self, query: str = QUERY, **settings: Any) -> Any:
        secret = self.folder / "secret"
        secret.write_text(SECRET + "\n")
        given = {"url": self.url, "query": query, "secret_file": str(secret), **settings}
        kind = str(given["url"]).partition(":")[0]
        self.enforcer = opener("enforcer", kind)("named", given, timeout_ms=10_000)
        return self.enforcer


class SqliteStage(Opening):
    """What stops it is another who has locked the file; what kills it, that the file is gone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "members.sqlite3"
        self.url = f"sqlite:///{self.path}"
        with sqlite3.connect(self.path) as connection:
            for statement in TABLE:
                connection.execute(statement)
        connection.close()
        self.open()

    async def stop(self) -> None:
        self._lock = sqlite3.connect(self.path, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    async def go_on(self) -> None:
        self._lock.close()

    async def kill(self) -> None:
        self.path.rename(self.path.with_suffix(".away"))

    async def start(self) -> None:
        self.path.with_suffix(".away").rename(self.path)


class PostgresqlStage(Opening):
    """All of the server's processes are stopped or killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        programs = _postgresql_programs()
        if programs is None:
            pytest.skip("needs PostgreSQL's server programs: apt-get install postgresql")
        self.port = free_port()
        as_user: list[str] = []
        if os.geteuid() == 0:
            as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            shutil.chown(folder, "nobody")
        words = folder / "words"
        words.write_text(SECRET)
        words.chmod(0o644)
        make = [*as_user, programs / "initdb", "-D", folder / "data", "-U", "rambla", "-A", "scram-sha-256"]
        subprocess.run([*make, "-N", f"--pwfile={words}"], check=True, capture_output=True, cwd="/")
        command = [*as_user, programs / "postgres", "-D", folder / "data", "-c", "fsync=off", "-p", str(self.port)]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self.url = f"postgresql://rambla@127.0.0.1:{self.port}/postgres"
        self.process = ServerProcess([*command, *settings], folder / "log", self._is_ready)

    def connect(self) -> Any:
        return psycopg.connect(self.url.replace("rambla@", f"rambla:{SECRET}@"), autocommit=True, connect_timeout=5)

    def _is_ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    async def stop(self) -> None:
        await self.process.stop()
        for child in self.process.children():
            os.kill(child, signal.SIGSTOP)

    async def go_on(self) -> None:
        for child in self.process.children():
            os.kill(child, signal.SIGCONT)
        await self.process.go_on()

    async def kill(self) -> None:
        children = self.process.children()
        await self.process.kill()
        for child in children:
            with suppress(ProcessLookupError):  # most end by themselves, but none that is stopped
                os.kill(child, signal.SIGKILL)
            await _gone(child)

    async def start(self) -> None:
        await self.process.start()


async def _gone(process: int) -> None:
    """A server does not start where one of the old one still is."""
    while Path(f"/proc/{process}").exists() and "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text():
        await anyio.sleep(0.01)


@asynccontextmanager
async def open_postgresql() -> AsyncIterator[PostgresqlStage]:
    with TemporaryDirectory(prefix="rambla-enforcer-") as folder:  # pytest's own folders are closed to others
        stage = PostgresqlStage(Path(folder))
        await stage.start()
        with stage.connect() as connection:
            for statement in TABLE:
                connection.execute(statement)
        stage.open()
        yield stage
        await stage.kill()
