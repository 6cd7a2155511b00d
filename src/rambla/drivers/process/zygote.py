"""How does the platform speak to its zygote?

Starts the zygote process and holds the control channel: starts and kills sandboxes by number, hears of their ends. When
the zygote ends, so does every sandbox; each of them is told so. What goes on inside a sandbox is `sandbox`'s business.
"""

import array
import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rambla.domain.errors import EngineFailed

LOST = None
_MESSAGE_BYTES_MAX = 65536
_READY_TIMEOUT_S = 30.0
_SEND_BUFFER_BYTES = 1 << 20
OnExit = Callable[[int | None], None]


class _Said(msgspec.Struct):
    """Anything the zygote says. It is our own program, in its own process, before any user code."""

    op: str
    id: int = 0
    status: int = 0
    level: str = "none"
    parts: dict[str, str] = {}
    python: str = ""
    why: str = ""


@dataclass(frozen=True)
class Ready:
    level: str
    parts: dict[str, str]
    python: str


class Zygote:
    """One running zygote. Make it with `launch`."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, ready: Ready) -> None:
        self.ready = ready
        self._process, self._control = process, control
        self._loop = asyncio.get_running_loop()
        self._exits: dict[int, OnExit] = {}
        self.alive = True
        self._loop.add_reader(control, self._readable)

    def start(self, number: int, request: dict[str, Any], descriptors: list[int], on_exit: OnExit) -> None:
        """Ask for sandbox `number`; `on_exit` is called once with its exit status, or LOST if the zygote ended.

        Raises EngineFailed if the zygote is gone, or so far behind that its queue (about a thousand) is full.
        """
        message = json.dumps({"op": "start", "id": number, **request}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        try:
            self._control.sendmsg([message], rights)
        except OSError as error:
            raise EngineFailed(detail=f"the zygote takes no more work: {error}") from error
        self._exits[number] = on_exit

    def kill(self, number: int) -> None:
        """Ask for the end of sandbox `number`; `on_exit` tells when it has come."""
        if number in self._exits:
            try:
                self._control.send(json.dumps({"op": "kill", "id": number}).encode())
            except BlockingIOError:
                self._loop.call_later(0.01, self.kill, number)
            except OSError:
                self._end()

    def close(self) -> None:
        """End it and with it every sandbox."""
        self._end()

    def _readable(self) -> None:
        try:
            text = self._control.recv(_MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        if not text:
            self._end()
            return
        said = msgspec.json.decode(text, type=_Said)
        if said.op == "exit" and (on_exit := self._exits.pop(said.id, None)):
            on_exit(said.status)

    def _end(self) -> None:
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._control)
        self._control.close()
        end(self._process)
        exits, self._exits = self._exits, {}
        for on_exit in exits.values():
            on_exit(LOST)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill and bury. The waiting is short: the kernel needs a moment to end what the process held together."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


async def launch(python: Path, program: Path, config: dict[str, Any]) -> Zygote:
    """Start a zygote and wait until it is ready. Raises EngineFailed with its last words, and leaves nothing."""
    try:
        with ExitStack() as undo:
            zygote = await _launch(python, program, config, undo)
            undo.pop_all()
            return zygote
    except OSError as error:
        raise EngineFailed(detail=f"no room for a zygote: {error}") from error


async def _launch(python: Path, program: Path, config: dict[str, Any], undo: ExitStack) -> Zygote:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    undo.callback(ours.close)
    command = [str(python), "-I", "-B", "-X", "utf8", str(program), str(theirs.fileno())]
    try:
        with theirs:
            for end_of_pair in (ours, theirs):
                end_of_pair.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            process = subprocess.Popen(  # noqa: ASYNC220 - a fork of milliseconds, once; asyncio's would need a watcher
                command,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
    except OSError as error:
        raise EngineFailed(detail=f"cannot start {python}: {error}. Fix: rambla runtime install") from error
    undo.callback(end, process)
    ours.setblocking(False)
    try:
        ours.send(json.dumps(config).encode())  # and not as an argument, which every sandbox could read in /proc
        loop = asyncio.get_running_loop()
        text = await asyncio.wait_for(loop.sock_recv(ours, _MESSAGE_BYTES_MAX), _READY_TIMEOUT_S)
        said = msgspec.json.decode(text, type=_Said)
    except (TimeoutError, OSError, msgspec.DecodeError) as error:
        end(process)
        raise EngineFailed(detail=f"the zygote did not get ready (exit {process.returncode}), see stderr") from error
    if said.op != "ready":
        raise EngineFailed(detail=said.why)
    return Zygote(process, ours, Ready(said.level, said.parts, said.python))
