"""A platform as its users have it: `rambla serve` in a process of its own, spoken to over HTTP."""

import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import httpx

READY_S = 60


class Running:
    """Starts on construction and waits until it is ready; the data folder outlives it."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "rambla.cli", "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *self.options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.stderr: deque[str] = deque(maxlen=200)
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        timer = threading.Timer(READY_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        assert line.startswith("ready http://"), f"no ready line but {line!r}; stderr:\n" + "".join(self.stderr)
        self.url = line.split()[1]
        props = dict(line.split("=", 1) for line in (self.data / "wskprops").read_text().split())
        self.key = props["AUTH"]

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr.append(line)

    def client(self, key: str | None = None) -> httpx.Client:
        user, _, secret = (key or self.key).partition(":")
        return httpx.Client(base_url=self.url, auth=(user, secret), timeout=90, trust_env=False)

    def operator(self) -> httpx.Client:
        token = (self.data / "operator.token").read_text().strip()
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def status(self) -> dict[str, Any]:
        with self.operator() as client:
            answer: dict[str, Any] = client.get("/platform/v1/status").raise_for_status().json()
            return answer

    def kill(self) -> None:
        """As if the plug were pulled: nothing gets a chance to say goodbye."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(30)
        self._reader.join(30)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


def children_of(pid: int) -> list[int]:
    """Process ids of the children of `pid`, from /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found
