"""Real servers, started as users start them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

STOP_SECONDS = 30


class Served(NamedTuple):
    """A running `rambla serve`: its address, its data folder and its process."""

    url: str
    data: Path
    process: subprocess.Popen[str]


def rambla(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """One command, as a process of its own; never raises for its exit code."""
    command = [sys.executable, "-m", "rambla.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Served]:
    """`rambla serve` on `data` and a free port, ready; ended by SIGTERM when left."""
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "rambla.cli", "serve", "--data", str(data), "--listen", "127.0.0.1:0", *options]
    with (data / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("ready "):
                pytest.fail(f"the server did not start: {(data / 'server.log').read_text()[-2000:]}")
            yield Served(line.removeprefix("ready ").strip(), data, process)
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """SIGTERM, and SIGKILL for its whole session if that does not end it."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server without an object store, for all tests of a worker."""
    with serving(tmp_path_factory.mktemp("server") / "data", "--object-store", "none") as served:
        yield served
