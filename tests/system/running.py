"""A platform as its users have it: `rambla serve` in a process of its own, spoken to over HTTP."""

import contextlib
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

READY_S = 60
GUEST = "/api/v1/namespaces/_"
TLS = ssl.create_default_context()
"""For every client: to load the certificates takes longer than most cases, and nothing here speaks TLS."""


class Running:
    """Starts on construction and waits until it is ready; the data folder outlives it.

    `python` is the command that starts the interpreter, in `environment` if that is given.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        python: Sequence[str] = (sys.executable,),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.options = options
        self.python = python
        self.environment = environment
        self.start()

    def start(self) -> None:
        command = [*self.python, "-m", "rambla.cli", "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *self.options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        self.stderr: deque[str] = deque(maxlen=200)
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        timer = threading.Timer(READY_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith(("ready http://", "ready https://")):
            self._ended()
            raise AssertionError(f"no ready line but {line!r}; stderr:\n" + "".join(self.stderr))
        self.url = line.split()[1]
        props = dict(line.split("=", 1) for line in (self.data / "wskprops").read_text().split())
        self.key = props["AUTH"]

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr.append(line)

    def client(self, key: str | None = None) -> httpx.Client:
        user, _, secret = (key or self.key).partition(":")
        return httpx.Client(base_url=self.url, auth=(user, secret), timeout=90, trust_env=False, verify=TLS)

    def operator(self) -> httpx.Client:
        token = (self.data / "operator.token").read_text().strip()
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False, verify=TLS
        )

    def status(self) -> dict[str, Any]:
        with self.operator() as client:
            answer: dict[str, Any] = client.get("/platform/v1/status").raise_for_status().json()
            return answer

    def program(self, name: str, *roles: str) -> str:
        """The token of a new program with nobody behind it."""
        with self.operator() as client:
            answer = client.post("/identity/v1/programs", json={"name": name, "roles": roles}).raise_for_status()
            token: str = answer.json()["token"]
            return token

    def open_intents(self) -> int:
        """How many promises are open, besides that of telling so."""
        count: int = self.status()["open_intents"]
        return count - 1

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


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Running]:
    """`rambla serve` on `data`; ended by SIGTERM when left."""
    platform = Running(data, *options)
    try:
        yield platform
    finally:
        platform.stop()


class Guest:
    """What the owner of the first namespace does."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def put(self, name: str, code: str, kind: str = "python:3", **limits: int) -> None:
        body = {"exec": {"kind": kind, "code": code}, "limits": limits}
        self.client.put(f"{GUEST}/actions/{name}?overwrite=true", json=body).raise_for_status()

    def call(self, name: str, **payload: Any) -> dict[str, Any]:
        """The record of a blocking invoke, however it ended."""
        answer = self.client.post(f"{GUEST}/actions/{name}?blocking=true", json=payload)
        assert answer.status_code in (200, 502), answer.text
        record: dict[str, Any] = answer.json()
        return record

    def send(self, name: str, **payload: Any) -> str:
        """The id of an acknowledged invoke that nobody waits for."""
        answer = self.client.post(f"{GUEST}/actions/{name}", json=payload)
        assert answer.status_code == 202, answer.text
        activation_id: str = answer.json()["activationId"]
        return activation_id

    def record(self, activation_id: str) -> dict[str, Any] | None:
        answer = self.client.get(f"{GUEST}/activations/{activation_id}")
        return answer.json() if answer.status_code == 200 else None

    def ended(self, activation_id: str) -> dict[str, Any]:
        """The record of an activation, as soon as there is one."""
        record: dict[str, Any] = until(f"a record of {activation_id}", lambda: self.record(activation_id))
        return record


def rambla(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """One command, as a process of its own; never raises for its exit code."""
    command = [sys.executable, "-m", "rambla.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


def until(what: str, check: Callable[[], Any], seconds: float = 180) -> Any:
    """Ask again until `check` gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError(f"never came to be: {what}")


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


def descendants_of(pid: int) -> list[int]:
    found = []
    for child in children_of(pid):
        found += [child, *descendants_of(child)]
    return found
