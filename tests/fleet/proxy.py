"""A network that can be cut: a TCP proxy on loopback that forwards, hangs up, or swallows everything."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

import anyio
import anyio.abc
from anyio.from_thread import start_blocking_portal

CHUNK_BYTES = 65_536
Cut = Literal["", "refused", "swallowed"]


class Proxy:
    """`cut` says what becomes of connections, also of those that there are."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.url = ""
        self._cut: Cut = ""
        self._streams: set[anyio.abc.ByteStream] = set()

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        async with listener:
            host, port = listener.extra(anyio.abc.SocketAttribute.local_address)[:2]
            self.url = f"http://{host}:{port}"
            task_status.started()
            await listener.serve(self._serve)

    async def cut(self, cut: Cut) -> None:
        self._cut = cut
        if cut != "swallowed":  # what was swallowed is lost with its connection
            for stream in list(self._streams):
                with contextlib.suppress(anyio.ClosedResourceError):
                    await stream.aclose()

    async def _serve(self, client: anyio.abc.SocketStream) -> None:
        self._streams.add(client)
        try:
            async with client:
                if self._cut == "refused":
                    return
                server = await anyio.connect_tcp(self._target.hostname or "", self._target.port or 0)
                async with server, anyio.create_task_group() as tasks:
                    tasks.start_soon(self._pump, client, server, tasks.cancel_scope)
                    tasks.start_soon(self._pump, server, client, tasks.cancel_scope)
        except OSError:
            return  # the platform is not there: the client is hung up
        finally:
            self._streams.discard(client)

    async def _pump(self, source: anyio.abc.ByteStream, sink: anyio.abc.ByteStream, scope: anyio.CancelScope) -> None:
        with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                data = await source.receive(CHUNK_BYTES)
                if self._cut != "swallowed":
                    await sink.send(data)
        scope.cancel()


class Network:
    """The proxy, moved by whoever is not on its loop."""

    def __init__(self, proxy: Proxy, portal: anyio.from_thread.BlockingPortal) -> None:
        self._proxy, self._portal = proxy, portal
        self.url = proxy.url

    def cut(self, how: Cut) -> None:
        self._portal.call(self._proxy.cut, how)


@contextmanager
def network(target: str) -> Iterator[Network]:
    with start_blocking_portal() as portal:
        proxy = Proxy(target)
        running, _ = portal.start_task(proxy.serve)
        try:
            yield Network(proxy, portal)
        finally:
            running.cancel()
