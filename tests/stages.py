"""Real servers behind enforcers: they are stopped in the middle, killed, and started again where they were."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

READY_TRIES = 600


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """One process in the foreground, its output in a file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        is_ready: Callable[[], bool],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self.log = log
        self._is_ready = is_ready
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start_now(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        for _ in range(READY_TRIES):
            assert self._process.poll() is None, self.log.read_text()
            if self._is_ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"it did not start: {self.log.read_text()}")

    def kill_now(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def children(self) -> list[int]:
        assert self._process is not None
        return [
            int(number)
            for each in Path(f"/proc/{self._process.pid}/task").glob("*/children")
            for number in each.read_text().split()
        ]

    async def start(self) -> None:
        await anyio.to_thread.run_sync(self.start_now)

    async def kill(self) -> None:
        await anyio.to_thread.run_sync(self.kill_now)

    async def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self._process.pid}/task")
        while any(not _stopped(task) for task in tasks.iterdir()):
            await anyio.sleep(0.005)

    async def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _stopped(task: Path) -> bool:
    return (task / "stat").read_text().rpartition(")")[2].split()[0] in "Tt"


def accepts(port: int, address: str = "127.0.0.1") -> Callable[[], bool]:
    def accepted() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((address, port)) == 0

    return accepted


def certificate(folder: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for that address that is its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    made, key = folder / "certificate.pem", folder / "key.pem"
    names = f"subjectAltName=IP:{address}"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={address}", "-addext", names]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key
