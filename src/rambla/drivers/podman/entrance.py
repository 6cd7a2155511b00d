"""How does the platform speak to what makes sockets in containers' networks?

Starts `rambla_runtimes/container/entrance.py` when the first is wanted, and again if it has ended. One request at a
time: each takes a millisecond.
"""

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import anyio

from rambla.domain.errors import EngineFailed
from rambla.drivers.process.zygote import end

_PROGRAM = Path(__file__).parents[3] / "rambla_runtimes" / "container" / "entrance.py"
_MESSAGE_BYTES_MAX = 4096
_SOCKETS_MAX = 16
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Files of those that a container is reached in. Make it with `namespaces_of`.

    Files and not numbers: once closed, a number may mean another container's.
    """

    network: FileIO
    user: FileIO

    @property
    def closed(self) -> bool:
        return self.network.closed

    def close(self) -> None:
        self.network.close()
        self.user.close()


def namespaces_of(pid: int) -> Namespaces:
    """Raises OSError."""
    folder = Path("/proc") / str(pid) / "ns"
    with ExitStack() as undo:
        network = undo.enter_context((folder / "net").open("rb", buffering=0))
        user = (folder / "user").open("rb", buffering=0)
        undo.pop_all()
    return Namespaces(network, user)


class Entrance:
    """One helper for all containers of an engine."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()

    async def sockets(self, inside: Namespaces, count: int) -> list[socket.socket]:
        """Sockets that are not connected yet, for TCP; none if the container has ended. Raises EngineFailed."""
        return await self._ask({"count": count, "port": 0}, inside)

    async def listener(self, inside: Namespaces, port: int) -> socket.socket:
        """One that listens on the container's own loopback address. Raises EngineFailed, also if `port` is taken."""
        made = await self._ask({"count": 1, "port": port}, inside)
        if not made:
            raise EngineFailed(detail="the container has ended")
        return made[0]

    def close(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            end(self._process)
        self._control = self._process = None

    async def _ask(self, request: dict[str, int], inside: Namespaces) -> list[socket.socket]:
        async with self._turn:
            if inside.closed:
                return []
            try:
                control = self._control or self._launch()
                entered = [inside.network.fileno(), inside.user.fileno()]
                socket.send_fds(control, [json.dumps(request).encode()], entered)
                with anyio.fail_after(_TIMEOUT_S):
                    await anyio.wait_readable(control)
                text, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES_MAX, _SOCKETS_MAX)
            except BaseException as error:
                self.close()  # or the next request would be given the answer to this one
                if isinstance(error, OSError):
                    raise EngineFailed(detail=f"the container's network cannot be entered: {error}") from error
                raise
        made = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        for sock in made:
            sock.setblocking(False)
        if not made:
            why = json.loads(text)["why"] if text else "the helper ended"
            raise EngineFailed(detail=f"the container's network cannot be entered: {why}")
        return made

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._control = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM), str(theirs.fileno())],
                env={"LANG": "C.UTF-8"},
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        return ours
