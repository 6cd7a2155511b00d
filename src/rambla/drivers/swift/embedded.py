"""How does one machine get a Swift of its own?

`EmbeddedSwift` starts `rambla_openstack.embedded` and its shipper as child processes, waits until they are ready, and
starts them again if they end. They end with this process, even if it is killed. `start`, then `run` (the watching, for
a task), then `stop`; `store` is the object store for everybody else.
"""

import importlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.abc
import msgspec

from rambla.domain.errors import BadSettings, ObjectStoreFailed
from rambla.drivers.swift.store import SwiftStore, TempAuthLogin, kept_secret
from rambla.drivers.swift.users import PLATFORM_USER, UserFile
from rambla.kit.clock import Clock, SystemClock
from rambla.kit.files import write_durably

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
READY_S = 60.0
STOP_S = 10.0
LOG_BYTES_MAX = 16 * 1024 * 1024
TAIL_BYTES = 2000
RESTART_FIRST_S = 0.2
RESTART_MAX_S = 30.0
SETTLED_S = 60.0


class Child:
    """One child process: `python -m MODULE ...`, whose first line on stdout begins with `ready`."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self.module = module
        self.restarts = 0
        self.trouble = ""
        self._arguments, self._log = arguments, log
        self._process: anyio.abc.Process | None = None

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> str:
        """Start it and return what follows `ready`. Raises ObjectStoreFailed with the end of its log."""
        command = [sys.executable, "-m", self.module, *self._arguments, "--parent-pid", str(os.getpid())]
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("ab") as log:
            # A session of its own, so that Ctrl-C reaches the platform first and this only when it is stopped.
            self._process = await anyio.open_process(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        try:
            with anyio.fail_after(READY_S):
                line = await self._first_line()
        except (TimeoutError, ValueError) as error:
            await self.stop()
            raise ObjectStoreFailed(detail=f"{self.module} did not start: {error}\n{self.tail()}") from error
        return line

    async def wait(self) -> int:
        """Until it ends; its exit status."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: SIGTERM, after STOP_S seconds SIGKILL."""
        if self._process is None:
            return
        with anyio.CancelScope(shield=True):
            if self._process.returncode is None:
                self._process.terminate()
                with anyio.move_on_after(STOP_S):
                    await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
            await self._process.aclose()
        self._process = None

    def tail(self) -> str:
        """The end of what it wrote to stderr."""
        try:
            return self._log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        except OSError:
            return ""

    async def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        data = b""
        async for chunk in self._process.stdout:
            data += chunk
            if b"\n" in data:
                break
        word, _, rest = data.decode(errors="replace").strip().partition(" ")
        if word != "ready":
            raise ValueError(f"it ended or printed {data[:200]!r} instead of 'ready'")
        return rest


class EmbeddedSwift:
    """`url` is Swift's address; it stays the same from the first start in `data` on, as long as its port is free."""

    def __init__(self, data: Path, platform_url: str, token_file: Path, certificate: Path | None, clock: Clock) -> None:
        """`certificate` is the file with that of the platform, if it serves https."""
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data, self._platform_url, self._token_file = data, platform_url, token_file
        self._certificate = certificate
        self._spool = data / "spool"
        self._key = kept_secret(data / "platform.key")
        users = UserFile(data / "users.json", self._key)
        self.url = f"http://{HOST}:{self._choose_port()}"
        login = TempAuthLogin(PLATFORM_USER, self._key)
        master_key = bytes.fromhex(kept_secret(data / "tempurl.key"))
        self.store = SwiftStore(self.url, login, users, master_key, clock)
        port = self.url.rpartition(":")[2]
        self._swift = Child("rambla_openstack.embedded", ["--data", str(data), "--port", port], data / "swift.log")
        self._shipper = Child(
            "rambla_openstack.shipper",
            ["--spool", str(self._spool), "--config", str(data / "shipper.json")],
            data / "shipper.log",
        )

    async def start(self) -> None:
        """Start both and wait until they are ready. Raises ObjectStoreFailed."""
        self.set_platform_url(self._platform_url)
        await self._swift.start()
        await self._shipper.start()

    async def run(self) -> None:
        """Start again whatever ends, until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, self._swift)
            group.start_soon(self._watch, self._shipper)

    async def stop(self) -> None:
        """The shipper first: what Swift still writes stays in the spool for the next start."""
        await self._shipper.stop()
        await self._swift.stop()

    async def close(self) -> None:
        await self.stop()
        await self.store.close()

    def set_platform_url(self, url: str) -> None:
        """The platform answers at `url` now; the shipper notices by itself."""
        self._platform_url = url
        swift = {"url": self.url, "user": PLATFORM_USER, "key": self._key}
        document = {"intake_url": url, "token_file": str(self._token_file), "swift": swift}
        if self._certificate is not None:
            document["certificate"] = str(self._certificate)
        write_durably(self._data / "shipper.json", msgspec.json.encode(document))

    async def health(self) -> dict[str, str]:
        """Of Swift and of the shipper, for people."""
        parts = {"url": self.url, **await self.store.health()}
        if self._swift.restarts:
            parts["swift"] += f" (restarted {self._swift.restarts} times)"
        if self._swift.trouble:
            parts["swift"] += f"; {self._swift.trouble}"
        parts["swift events"] = self._shipper_health()
        return parts

    @property
    def pids(self) -> dict[str, int | None]:
        """The child processes, by what they are."""
        return {"swift": self._swift.pid, "shipper": self._shipper.pid}

    def _shipper_health(self) -> str:
        if self._shipper.pid is None:
            return f"the shipper does not run{'; ' if self._shipper.trouble else ''}{self._shipper.trouble}"
        try:
            status = msgspec.json.decode((self._spool / "status.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            return "no status yet"
        text = f"{status['waiting']} waiting, {status['open']} open, {status['unread_bytes']} bytes unread"
        return f"{text}; last error: {status['last_error']}" if status["last_error"] else f"ok: {text}"

    async def _watch(self, child: Child) -> None:
        pause_s = RESTART_FIRST_S
        while True:
            started = anyio.current_time()
            if child.pid is not None:
                await child.wait()
            await child.stop()
            pause_s = RESTART_FIRST_S if anyio.current_time() - started > SETTLED_S else pause_s
            await anyio.sleep(pause_s)
            pause_s = min(pause_s * 2, RESTART_MAX_S)
            child.restarts += 1
            await self._start_again(child)

    async def _start_again(self, child: Child) -> None:
        """Whatever this machine lacks for it (room on the disk, descriptors) may be there at the next attempt."""
        try:
            await child.start()
        except (ObjectStoreFailed, OSError) as error:
            child.trouble = f"{child.module} cannot be started: {error}"
            _log.error("%s; it is tried again", child.trouble)
        else:
            child.trouble = ""

    def _choose_port(self) -> int:
        """The port of the last time if it is free, else any free one; kept for the next time."""
        kept = self._data / "port"
        wished = int(kept.read_text()) if kept.exists() else 0
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wished))
            except OSError:
                probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        write_durably(kept, b"%d" % port)
        return port


def open_embedded(
    data: Path,
    platform_url: str,
    token_file: Path,
    certificate: Path | None = None,
    clock: Clock | None = None,
) -> EmbeddedSwift:
    """An embedded Swift that keeps everything in `data`, not started yet. Raises BadSettings if Swift is absent."""
    try:
        importlib.import_module("swift")
    except ImportError as error:
        fix = "OpenStack Swift is not installed. Fix: pip install 'rambla[swift]'"
        raise BadSettings(name="object_store", detail=fix) from error
    return EmbeddedSwift(data, platform_url, token_file, certificate, clock or SystemClock())
