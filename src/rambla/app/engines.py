"""Which engine runs which kind of action?

Container images have one of their own, the native engine runs the rest. That of images is opened when the first comes:
until then nothing of it is imported or started. Where it cannot be opened, only actions of images fail.
"""

from collections.abc import Awaitable, Callable

import anyio

from rambla.domain.errors import EngineFailed
from rambla.drivers.process.engine import is_image
from rambla.engine.ports import Engine, Health, Sandbox

_NOT_TRIED = "not tried yet, as no action of an image ran"


class Engines:
    """See rambla.engine.ports.Engine. `open_images` raises EngineFailed where images cannot be run."""

    def __init__(self, native: Engine, open_images: Callable[[], Awaitable[Engine]]) -> None:
        self._native, self._open = native, open_images
        self.objects_address = native.objects_address
        self._images: Engine | None = None
        self._why_none = ""
        self._opening = anyio.Lock()
        self._closed = False

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> Sandbox:
        engine = await self.images() if is_image(kind) else self._native
        return await engine.start(kind, memory_mb, grants=grants)

    async def images(self) -> Engine:
        """The engine of images, opened once, as what it finds out does not change. Raises EngineFailed."""
        async with self._opening:
            if self._closed:
                raise EngineFailed(detail="the engine is closed")
            if self._images is None and not self._why_none:
                try:
                    self._images = await self._open()
                except EngineFailed as error:
                    self._why_none = str(error.facts["detail"])
            if self._images is None:
                raise EngineFailed(detail=f"container images cannot be run here: {self._why_none}")
            return self._images

    async def sweep(self) -> None:
        """End what an earlier run has left: whoever opens the engine of images does. What fails, `health` tells."""
        try:
            await self.images()
        except EngineFailed:
            return

    def health(self) -> Health:
        """Of both; the level is the native engine's, as it can be the weaker."""
        native = self._native.health()
        if self._images is None:
            parts = native.parts | {"images": self._why_none or _NOT_TRIED}
            return Health(native.level, parts, native.runtimes, native.sandboxes)
        images = self._images.health()
        runtimes = (*native.runtimes, *images.runtimes)
        return Health(native.level, native.parts | images.parts, runtimes, native.sandboxes + images.sandboxes)

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):  # the platform ends by cancelling; each of them has its own deadline
            async with self._opening:
                self._closed = True
                if self._images:
                    await self._images.close()
            await self._native.close()
