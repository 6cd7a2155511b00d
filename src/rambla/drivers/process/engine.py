"""How is an engine opened on this machine, and what does it hold?

`open_engine` looks for the runtimes, starts the zygote, which finds out how strongly this host isolates, and refuses
to go on below the level that is required. `ProcessEngine` then starts sandboxes, replaces a zygote that died, and
says how it all is.
"""

import asyncio
import itertools
import logging
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from rambla.domain.entities import BLACKBOX
from rambla.domain.errors import EngineFailed, IsolationTooWeak
from rambla.drivers.process import cgroups, environments, java
from rambla.drivers.process.birth import Birth, give_birth
from rambla.drivers.process.egress import Egress, Upstream, parse_upstream, serve_grants
from rambla.drivers.process.sandbox import ProcessSandbox
from rambla.drivers.process.spares import Spares, Wish
from rambla.drivers.process.zygote import Zygote, launch
from rambla.engine.ports import LEVELS, Health, Level
from rambla.kit.clock import Clock, SystemClock

_log = logging.getLogger(__name__)
_MIB = 1 << 20
_ZYGOTE = environments.RUNTIMES / "python" / "zygote.py"
_NODE_WORKER = environments.RUNTIMES / "nodejs" / "worker.js"
OBJECTS_ADDRESS = "http://127.0.0.1:8081"
_SIZED = ("nodejs", "java")
"""Those that must know how much memory they get before they start."""
_COMPILED = ("go", "rust", "native")
_SKELETON = re.compile(r"(docker\.io/)?openwhisk/dockerskeleton(:[\w.-]+)?")
"""OpenWhisk's image for programs (`wsk action create --native`), whose convention needs no container."""
R = TypeVar("R", environments.NodeRuntime, java.JavaRuntime)


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`runtimes` is the folder of the environments (see environments). `uid`, `gid` are taken when started by root.

    `objects_upstream` (`http://HOST:PORT`) is where granted requests go. `spares` names the runtimes of which one
    blank sandbox is kept ready, of each size that was asked for lately.
    """

    runtimes: str | None = None
    require_isolation: Level = "none"
    isolation_max: Level = "sandboxed"
    objects_upstream: str | None = None
    tmp_mb: int = 128
    processes_max: int = 256
    uid: int = 65534
    gid: int = 65534
    spares: tuple[str, ...] = ("python", "nodejs", "java")


async def open_engine(settings: ProcessSettings, clock: Clock | None = None) -> "ProcessEngine":
    """Raises EngineFailed if there is no Python runtime, IsolationTooWeak below `settings.require_isolation`."""
    engine = ProcessEngine(settings, clock or SystemClock())
    try:
        await engine.open()
    except BaseException:
        await engine.close()
        raise
    return engine


class ProcessEngine:
    """See rambla.engine.ports.Engine."""

    objects_address = OBJECTS_ADDRESS

    def __init__(self, settings: ProcessSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._zygote: Zygote | None = None
        self._launching = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._sandboxes: set[ProcessSandbox] = set()
        self._groups: cgroups.Groups | None = None
        self._config: dict[str, Any] = {}
        self._python: environments.PythonRuntime | None = None
        self._parts: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._upstream: Upstream | None = None
        self._spares = Spares(self._conceive)
        self._closed = False

    async def open(self) -> None:
        settings = self._settings
        files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))  # each sandbox costs the platform several
        self._upstream = parse_upstream(settings.objects_upstream) if settings.objects_upstream else None
        folder = Path(settings.runtimes) if settings.runtimes else None
        self._python = environments.locate(folder)
        paths = list(self._python.paths)
        self._kinds = {"python": "", "native": "", "skeleton": ""}
        machines: dict[str, str] = {}
        if node := self._found("nodejs", environments.locate_node):
            machines["nodejs"] = str(node.node)
            paths += [*node.paths, str(_NODE_WORKER)]
        if virtual := self._found("java", lambda: java.locate(folder)):
            machines |= {"java": str(virtual.java), "java_path": virtual.path}
            paths += virtual.paths
        self._groups, self._parts["control groups"] = cgroups.open_groups(settings.processes_max)
        self._config = {
            "paths": paths,
            "uid": settings.uid,
            "gid": settings.gid,
            "level_max": settings.isolation_max,
            "tmp_bytes": settings.tmp_mb * _MIB,
            "processes_max": settings.processes_max,
            "node_worker": str(_NODE_WORKER),
            **machines,
        }
        zygote = await self._running_zygote()
        self._parts |= zygote.ready.parts | {"python": f"works ({zygote.ready.python})"}
        if LEVELS.index(self.level) < LEVELS.index(settings.require_isolation):
            reasons = _reasons(zygote.ready.parts)
            raise IsolationTooWeak(level=self.level, required=settings.require_isolation, reasons=reasons)
        self._parts["grants"] = self._why_no_grants() or "works"
        self._tell_level(zygote.ready.parts)

    @property
    def level(self) -> Level:
        return cast(Level, self._zygote.ready.level) if self._zygote else "none"

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> ProcessSandbox:
        family = family_of(kind)
        why_not = self._kinds.get(family, f"no runtime for kind '{kind}' on this machine")
        if grants and not why_not:
            why_not = self._why_no_grants()
        if why_not or self._closed:
            raise EngineFailed(detail=why_not or "the engine is closed")
        zygote = await self._running_zygote()
        wish = self._wish(family, memory_mb, grants)
        sandbox = self._spares.take(wish) or self._conceive(wish, zygote)
        self._sandboxes.add(sandbox)
        sandbox.fit(lambda grants: None, lambda: self._sandboxes.discard(sandbox))
        try:
            await sandbox.greeted()
            sandbox.limit_memory(memory_mb * _MIB)
            if grants:
                egress = await self._serve_grants(sandbox.take_rights())
                sandbox.fit(egress.grant, lambda: self._let_go(sandbox, egress))
        except BaseException:
            await sandbox.close()
            raise
        if family in self._settings.spares:
            self._spares.plan(wish)
        return sandbox

    def health(self) -> Health:
        runtimes = tuple(family for family, why_not in self._kinds.items() if not why_not)
        return Health(level=self.level, parts=dict(self._parts), runtimes=runtimes, sandboxes=len(self._sandboxes))

    async def close(self) -> None:
        self._closed = True
        await self._spares.close()
        for sandbox in list(self._sandboxes):
            await sandbox.close()
        if self._zygote:
            self._zygote.close()
        if self._groups:
            await self._groups.close()

    async def _running_zygote(self) -> Zygote:
        """The zygote, or a new one if it has died. Starts that come together share the new one."""
        async with self._launching:
            if self._zygote is None or not self._zygote.alive:
                assert self._python, "opened"
                self._zygote = await launch(self._python.python, _ZYGOTE, self._config)
            return self._zygote

    def _found(self, family: str, locate: Callable[[], R]) -> R | None:
        """The runtime of `family`, or None; what became of it is told by `health`."""
        try:
            runtime = locate()
        except EngineFailed as error:
            self._kinds[family] = self._parts[family] = str(error.facts["detail"])
            return None
        self._kinds[family], self._parts[family] = "", f"works ({runtime.version})"
        return runtime

    def _conceive(self, wish: Wish, zygote: Zygote | None = None) -> ProcessSandbox:
        zygote = zygote or self._zygote
        assert zygote is not None, "opened"
        family, memory_mb, grants = wish
        birth = Birth(next(self._numbers), family, memory_mb * _MIB, grants, self._groups)
        return give_birth(birth, zygote, self._clock)

    def _wish(self, family: str, memory_mb: int, grants: bool) -> Wish:
        """What must be known before it is born. Under a control group a Python sandbox may get any size later."""
        size_mb = 0 if family not in _SIZED and self._groups else memory_mb
        return family, size_mb, grants

    def _tell_level(self, parts: dict[str, str]) -> None:
        if self.level == LEVELS[-1]:
            _log.info("isolation: %s", self.level)
        else:
            _log.warning("isolation: only %s (%s)", self.level, _reasons(parts))

    async def _serve_grants(self, rights: list[int]) -> Egress:
        """The kernel drops a descriptor that this process has no room for: then there is none to serve on."""
        if not rights or self._upstream is None:
            raise EngineFailed(detail="grants cannot be served: no descriptor is free for the listener")
        return await serve_grants(rights[0], self._upstream)

    def _let_go(self, sandbox: ProcessSandbox, egress: Egress) -> None:
        self._sandboxes.discard(sandbox)
        egress.close()

    def _why_no_grants(self) -> str:
        if self._upstream is None:
            return "no object store is configured (objects_upstream)"
        if self.level != "sandboxed":
            return f"grants need a network namespace per sandbox, which level '{self.level}' lacks (see namespaces)"
        return ""


def family_of(kind: str) -> str:
    """Which worker runs a kind: that of its name, or one for whatever was compiled before it came."""
    name, _, image = kind.partition(":")
    if name == BLACKBOX:
        return "skeleton" if _SKELETON.fullmatch(image) else name
    return "native" if name in _COMPILED else name


def is_image(kind: str) -> bool:
    """Whether `kind` is a container image, which this engine does not run."""
    return family_of(kind) == BLACKBOX


def _reasons(parts: dict[str, str]) -> str:
    """What of `parts` is missing, and why."""
    return "; ".join(f"{part}: {text}" for part, text in parts.items() if not text.startswith("works"))
