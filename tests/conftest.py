"""What every test shares: coroutine tests run on asyncio; a real PostgreSQL and Keystone for those who ask."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from imagekit import image_store
from keystone_cloud import Keystone, running_keystone

# A slow machine is no reason for a test to fail.
settings.register_profile("rambla", deadline=None)
settings.load_profile("rambla")

pytest.register_assert_rewrite("rambla.testing")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def images() -> Iterator[None]:
    """Podman on a store of this process's own, which holds the image of `imagekit`."""
    with TemporaryDirectory(prefix="rambla-images-") as folder, image_store(Path(folder)):
        yield


@pytest.fixture(scope="session")
def keystone() -> Iterator[Keystone]:
    """A server of this process's own. Who stops it starts it again; names of users and projects are the test's own."""
    with TemporaryDirectory(prefix="rambla-keystone-") as folder, running_keystone(Path(folder)) as keystone:
        yield keystone


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server of this session's own, reached by a unix socket in its folder; the URL names its database `postgres`."""
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("needs PostgreSQL's server programs: apt-get install postgresql")
    with TemporaryDirectory(prefix="rambla-postgresql-") as folder:  # pytest's own folders are closed to others
        yield from _postgresql(programs, Path(folder))


def _postgresql(programs: Path, folder: Path) -> Iterator[str]:
    as_user: list[str] = []
    if os.geteuid() == 0:  # initdb and postgres refuse to run as root
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        shutil.chown(folder, "nobody")
    _run([*as_user, programs / "initdb", "-D", folder / "data", "-U", "rambla", "-A", "trust", "-N", "-E", "UTF8"])
    port = _free_port()
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-p", str(port), "-k", str(folder)]
    command = [*as_user, programs / "postgres", "-D", folder / "data", *options]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _await_server(server, [programs / "pg_isready", "-q", "-h", folder, "-p", str(port)], folder / "log")
        yield f"postgresql+psycopg://rambla@/postgres?host={folder}&port={port}"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown
        server.wait(timeout=30)


def _postgresql_programs() -> Path | None:
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    found = shutil.which("initdb")
    return max(folders, default=Path(found).parent if found else None, key=lambda path: float(path.parent.name))


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_server(server: subprocess.Popen[bytes], is_ready: list[str | Path], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        if subprocess.run(is_ready).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")
