"""Who speaks HTTP?

uvicorn on a socket that is already bound, with our own signals: SIGTERM and SIGINT stop accepting and let answers
finish. `ready URL` on stdout means that requests are served.
"""

import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import uvicorn
from starlette.types import ASGIApp

from rambla.app.folder import DataFolder
from rambla.app.protocol import BoundedHttp
from rambla.app.tls import Tls

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_REQUESTS_MAX = 10_000
_BACKLOG = 2048
_KEEP_ALIVE_S = 75
_GRACE_S = 65  # a blocking invoke waits for at most 60 s


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `Server.serve` does it, with the whole platform in view


class Server:
    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        tls: Tls | None,
        folder: DataFolder,
        url: str,
        on_stop: Callable[[], None],
    ) -> None:
        """`on_stop` is called as soon as nothing new is accepted, and ends what would wait on."""
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            lifespan="off",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=True,
            log_config=None,
            backlog=_BACKLOG,
            limit_concurrency=_REQUESTS_MAX,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        config.load()
        config.ssl = tls.context if tls else None
        self._server = _Uvicorn(config, self._tell_ready)
        self._listener = listener
        self._folder = folder
        self._url = url
        self._on_stop = on_stop

    async def serve(self) -> None:
        """Serve until a signal comes. Later signals are ignored, so that none tears the closing apart."""
        try:
            with anyio.open_signal_receiver(*_STOP_SIGNALS) as signals:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._stop_on, signals)
                    await self._server.serve(sockets=[self._listener])
                    group.cancel_scope.cancel()
        finally:
            for number in _STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def _tell_ready(self) -> None:
        self._folder.write_endpoint(self._url)
        print(f"ready {self._url}", flush=True)

    async def _stop_on(self, signals: AsyncIterator[signal.Signals]) -> None:
        async for _ in signals:
            self._server.should_exit = True
            self._on_stop()
