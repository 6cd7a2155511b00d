"""How does the platform start, run and stop?

`serve` is the whole life: lock the folder, open the parts, settle what the last run left open, serve, drain, close.
Every long-running task is started in `_run`, in one list.
"""

import contextlib
import logging
import resource
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from starlette.types import ASGIApp

from rambla.activations.tailer import follow
from rambla.activations.tailer import rebuild as rebuild_index
from rambla.app.build import Stores, build_platform, first_namespace, open_stores
from rambla.app.edges import EDGES
from rambla.app.engines import Engines
from rambla.app.folder import DataFolder
from rambla.app.registry import opener
from rambla.app.server import Server
from rambla.app.settings import Settings, load
from rambla.app.system.seed import seed
from rambla.app.tls import open_tls
from rambla.domain.errors import BadSettings, RamblaError, StorageFailed
from rambla.drivers.process.engine import ProcessSettings, open_engine
from rambla.engine.ports import Engine
from rambla.flow.alarms import keep_time
from rambla.flow.bundles import follow_bundles, refuse_none_good, take_last
from rambla.flow.fleet import save_seen
from rambla.flow.identify import follow_revocations, forget_what_is_over
from rambla.flow.platform import Platform
from rambla.flow.recover import settle
from rambla.http.app import build_app
from rambla.kit.journal import JournalCorrupt, JournalFailed
from rambla.kit.tasks import Tasks

if TYPE_CHECKING:
    from rambla.drivers.swift.embedded import EmbeddedSwift

_SAVE_CURSOR_S = 1.0
_log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then drain. Raises a RamblaError if it cannot start or must give up."""
    _log_to_stderr(settings)
    _raise_files_limit()
    with DataFolder(settings.data) as folder:
        try:
            anyio.run(_serve, settings, folder, backend_options={"use_uvloop": True})
        except BaseExceptionGroup as group:
            raise _told(_first_cause(group)) from group
        finally:
            folder.remove_endpoint()


async def _serve(settings: Settings, folder: DataFolder) -> None:
    tls = open_tls(settings, folder.write_certificate)
    listener = _bind(settings)
    url = _address(listener, "https" if tls else "http")
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listener.close)
        stores = await stack.enter_async_context(open_stores(settings, folder))
        services = await stack.enter_async_context(Tasks())
        objects = await _open_objects(settings, folder, url, stack)
        if objects is not None:
            services.start("object store", objects.run)
        engine = await _open_engine(settings, folder, url, objects.url if objects else None)
        stack.push_async_callback(engine.close)
        if folder.containers.exists():
            services.start("containers of an earlier run", engine.sweep)
        async with Tasks() as work:
            platform = replace(build_platform(settings, folder, stores, work, engine, objects), api_host=url)
            stack.push_async_callback(platform.enforcers.close)
            stack.push_async_callback(platform.door.close)
            await first_namespace(platform, folder, url)
            await seed(platform)
            await take_last(platform)
            refuse_none_good(platform)
            services.start("policy", follow_bundles, platform, settings.policy_reload_ms, restart=True)
            services.start("what is over", forget_what_is_over, platform, restart=True)
            services.start("revocations", follow_revocations, platform, settings.revocations_ms, restart=True)
            if tls is not None:
                services.start("certificate", tls.follow, settings.tls_reload_ms, restart=True)
            app = build_app(platform, EDGES, web_domain=settings.web_domain)
            await _run(platform, stores, services, Server(app, listener, tls, folder, url, platform.news.close))
            await _drain(platform, settings.drain_ms)
            work.stop()
        _store_cursor(stores, platform.ledger.low_water())
        services.stop()


async def _open_engine(settings: Settings, folder: DataFolder, url: str, objects_upstream: str | None) -> Engines:
    native = await open_engine(
        ProcessSettings(
            runtimes=settings.runtimes or None,
            require_isolation=settings.require_isolation,
            objects_upstream=objects_upstream,
        )
    )

    async def open_images() -> Engine:
        opened: Engine = await opener("engine", "podman")(folder.containers, url, objects_upstream)
        return opened

    return Engines(native, open_images)


async def _open_objects(
    settings: Settings, folder: DataFolder, url: str, stack: contextlib.AsyncExitStack
) -> "EmbeddedSwift | None":
    """The embedded store, started. It delivers its events to `url`, and tries again until we answer there."""
    if settings.object_store == "none":
        return None
    folder.secret("events.token")
    certificate = folder.certificate if url.startswith("https:") else None
    objects: EmbeddedSwift = opener("objects", settings.object_store)(
        folder.swift, url, folder.events_token, certificate
    )
    stack.push_async_callback(objects.close)
    await objects.start()
    return objects


async def _run(platform: Platform, stores: Stores, services: Tasks, server: Server) -> None:
    """Settle, then serve until told to stop."""
    await settle(platform)
    services.start("tailer", follow, stores.journal, stores.index, platform.activations)
    services.start("reaper", platform.dispatcher.reap, restart=True)
    services.start("alarms", keep_time, platform, restart=True)
    services.start("fleet", save_seen, platform, restart=True)
    services.start("cursor", _save_cursor, platform, stores, restart=True)
    await server.serve()


async def _drain(platform: Platform, drain_ms: int) -> None:
    """Let what runs come to its end. What is still queued or running then is settled by the next start."""
    with anyio.move_on_after(drain_ms / 1000):
        await platform.dispatcher.drain()


async def _save_cursor(platform: Platform, stores: Stores) -> None:
    """Every second, so that a restart need not read what is settled."""
    saved = -1
    while True:
        await anyio.sleep(_SAVE_CURSOR_S)
        settled = platform.ledger.low_water()
        if settled != saved:
            await anyio.to_thread.run_sync(_store_cursor, stores, settled)
            saved = settled


def _store_cursor(stores: Stores, settled: int) -> None:
    """A mark that cannot be written costs the next start some reading, and nothing else."""
    try:
        stores.cursor.store(settled)
    except OSError as error:
        _log.warning("the journal's low-water mark could not be saved: %s", error)


def rebuild(data: Path) -> int:
    """Fill the index anew from the journal; how many records. Raises DataFolderInUse while a server runs on it."""
    settings = load(None, data=data)

    async def run(folder: DataFolder) -> int:
        async with open_stores(settings, folder) as stores:
            await rebuild_index(stores.journal, stores.index, lambda done, upto: None)
            return stores.journal.durable_seq

    with DataFolder(data) as folder:
        return anyio.run(run, folder)


@contextlib.asynccontextmanager
async def offline(data: Path) -> AsyncIterator[ASGIApp]:
    """The same API on a folder that no server runs on, without an engine: for tending namespaces and the policy, also
    where a server would not start for want of a good one.

    Raises DataFolderInUse if one does.
    """
    settings = load(None, data=data)
    with DataFolder(data) as folder:
        async with open_stores(settings, folder) as stores, Tasks() as work:
            platform = build_platform(settings, folder, stores, work, opener("engine", "none")({}), None)
            await first_namespace(platform, folder, f"http://{settings.listen}")
            await take_last(platform)
            yield build_app(platform, EDGES)
            work.stop()


def _bind(settings: Settings) -> socket.socket:
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only for sockets that say TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadSettings(name="listen", detail=f"cannot listen on {settings.listen}: {error.strerror}") from error
    return listener


def _address(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _raise_files_limit() -> None:
    """Each connection and each sandbox takes descriptors; a soft limit of 1024 is meant for programs that select()."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _log_to_stderr(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for name in ("httpx", "httpcore", "alembic"):  # httpx's lines hold addresses with signatures
        logging.getLogger(name).setLevel(logging.WARNING)


def _told(error: BaseException) -> BaseException:
    """The journal's own errors as the domain's: no disk, no effect, so the platform has ended."""
    return StorageFailed(detail=str(error)) if isinstance(error, JournalFailed | JournalCorrupt) else error


def _first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Our own error in the group, if there is one, as that is what a person can act on."""
    ours, others = group.split(RamblaError)
    leaf: BaseException | None = ours or others
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf or group
