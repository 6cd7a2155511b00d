"""How are containers opened on this machine, and what is held of them?

`open_engine` sweeps what a platform that was killed has left, and finds out how podman runs here. `PodmanEngine` then
starts containers, each with a name and a label of this data folder: others are never touched.
"""

import itertools
import os
import secrets
from contextlib import suppress
from pathlib import Path

import anyio
import msgspec

from rambla.domain.entities import BLACKBOX
from rambla.domain.errors import EngineFailed, ImageFailed
from rambla.drivers.podman.command import Podman, last_words
from rambla.drivers.podman.container import Container
from rambla.drivers.podman.entrance import Entrance
from rambla.drivers.podman.images import Means, Wish, is_reference, run_options
from rambla.drivers.podman.probe import Found, probe
from rambla.drivers.podman.sandbox import ImageSandbox
from rambla.drivers.process.egress import Egress, Upstream, parse_upstream, serve_grants
from rambla.drivers.process.engine import OBJECTS_ADDRESS
from rambla.engine.ports import Health
from rambla.kit.clock import Clock, SystemClock

_LABEL = "org.rambla.owner"
_OWNER = "owner"
_PROBE_MB = 64
_CLOSE_TIMEOUT_S = 60.0
_OBJECTS_PORT = int(OBJECTS_ADDRESS.rpartition(":")[2])
_PODMANS_OWN = 125
_ABSENT = "image not known"
_FIX_ABSENT = (
    "it is not in podman's local store, and images are never fetched. Fix: podman load or podman pull, as the "
    "platform's user, and name it as podman images does"
)


class PodmanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` is ours while the engine is open, and gone after it was closed. `api_host` is told to containers.

    `objects_upstream` (`http://HOST:PORT`) is where granted requests go.
    """

    folder: Path
    api_host: str = ""
    objects_upstream: str | None = None
    processes_max: int = 256
    program: str = "podman"


async def open_for_folder(folder: Path, api_host: str, objects_upstream: str | None) -> "PodmanEngine":
    """`open_engine` for a platform, which has nothing else to say of it."""
    return await open_engine(PodmanSettings(folder=folder, api_host=api_host, objects_upstream=objects_upstream))


async def open_engine(settings: PodmanSettings, clock: Clock | None = None) -> "PodmanEngine":
    """Raises EngineFailed, with the reason and the fix, where podman runs no container."""
    podman = Podman(settings.program)
    try:
        await anyio.Path(settings.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = await _owner(settings.folder)
        await _sweep(podman, owner)
        async for left in anyio.Path(settings.folder).glob("rambla-*"):
            await left.unlink()
        engine = PodmanEngine(settings, podman, owner, clock or SystemClock())
        await engine.probe()
    except OSError as error:
        raise EngineFailed(detail=f"{settings.folder}: {error.strerror}") from error
    return engine


async def _owner(folder: Path) -> str:
    """Who the containers of this data folder belong to, also after it was moved."""
    file = anyio.Path(folder / _OWNER)
    if not await file.exists():
        await file.write_text(secrets.token_hex(16))
    return await file.read_text()


async def _sweep(podman: Podman, owner: str) -> None:
    left = await podman.ask("ps", "--all", "--quiet", "--filter", f"label={_LABEL}={owner}")
    if left:
        await podman.ask("rm", "--force", "--ignore", "--time=0", "--volumes", *left.split())


class PodmanEngine:
    """See rambla.engine.ports.Engine. Make it with `open_engine`."""

    objects_address = OBJECTS_ADDRESS

    def __init__(self, settings: PodmanSettings, podman: Podman, owner: str, clock: Clock) -> None:
        self._settings, self._podman, self._owner, self._clock = settings, podman, owner, clock
        self._upstream: Upstream | None = None
        if settings.objects_upstream:
            self._upstream = parse_upstream(settings.objects_upstream)
        self._entrance = Entrance()
        self._numbers = itertools.count(1)
        self._sandboxes: set[ImageSandbox] = set()
        self._found = Found(Means(), "not tried yet")
        self._closed = False

    async def probe(self) -> None:
        """Raises EngineFailed."""
        self._found = await probe(self._podman, self._wish(_PROBE_MB))

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> ImageSandbox:
        name, _, image = kind.partition(":")
        if name != BLACKBOX or self._closed:
            raise EngineFailed(detail="the engine is closed" if self._closed else f"kind '{kind}' is no image")
        if not is_reference(image):
            raise ImageFailed(step="pull", image=image[:255], detail="this is not the name of an image")
        if grants and self._upstream is None:
            raise EngineFailed(detail="no object store is configured (objects_upstream)")
        wish, means = self._wish(memory_mb), self._found.means
        try:
            container = Container(self._podman, wish, means.first_id, self._clock)
        except OSError as error:
            raise EngineFailed(detail=f"no room for another container: {error}") from error
        sandbox = ImageSandbox(container, self._entrance, self._clock)
        self._sandboxes.add(sandbox)
        sandbox.fit(lambda grants: None, lambda: self._sandboxes.discard(sandbox))
        try:
            if status := await container.start(run_options(means, wish), image):
                raise _refused(image, status, container)
            if grants:
                await self._serve_grants(sandbox, container)
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    def health(self) -> Health:
        parts = {"images": self._found.words}
        return Health(level="sandboxed", parts=parts, runtimes=(BLACKBOX,), sandboxes=len(self._sandboxes))

    async def close(self) -> None:
        self._closed = True
        with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True):
            async with anyio.create_task_group() as group:
                for sandbox in list(self._sandboxes):
                    group.start_soon(sandbox.close)
            await self._leave_nothing()
        self._entrance.close()

    async def _leave_nothing(self) -> None:
        """What fails is done by the next engine in this folder."""
        with suppress(EngineFailed, OSError):
            await _sweep(self._podman, self._owner)
            await anyio.Path(self._settings.folder / _OWNER).unlink(missing_ok=True)
            await anyio.Path(self._settings.folder).rmdir()

    async def _serve_grants(self, sandbox: ImageSandbox, container: Container) -> None:
        if container.namespaces is None or self._upstream is None:
            raise EngineFailed(detail="the container has ended")
        listener = await self._entrance.listener(container.namespaces, _OBJECTS_PORT)
        egress = await serve_grants(listener.detach(), self._upstream)
        sandbox.fit(egress.grant, lambda: self._let_go(sandbox, egress))

    def _let_go(self, sandbox: ImageSandbox, egress: Egress) -> None:
        self._sandboxes.discard(sandbox)
        egress.close()

    def _wish(self, memory_mb: int) -> Wish:
        settings = self._settings
        return Wish(
            name=f"rambla-{self._owner[:12]}-{os.getpid()}-{next(self._numbers)}",
            label=f"{_LABEL}={self._owner}",
            folder=str(settings.folder),
            memory_mb=memory_mb,
            processes_max=settings.processes_max,
            api_host=settings.api_host,
        )


def _refused(image: str, status: int, container: Container) -> EngineFailed:
    """Why podman did not begin it, in its own words: for the image's sake, or for its own (podman-run(1))."""
    lines = container.buffer.take(missing=False)
    said = last_words("\n".join(line.text for line in lines).encode())
    if _ABSENT in said:
        return ImageFailed(step="pull", image=image, detail=_FIX_ABSENT)
    if status == _PODMANS_OWN:
        return EngineFailed(detail=f"podman: {said}")
    return ImageFailed(step="run", image=image, detail=said)
