"""The platform's engine: natively, or of images, which it opens when the first comes and not before."""

import pytest

from rambla.app.engines import Engines
from rambla.domain.errors import EngineFailed
from rambla.drivers.memory.engine import MemoryEngine
from rambla.engine.ports import Engine

pytestmark = pytest.mark.anyio
IMAGE, SKELETON = "blackbox:localhost/a", "blackbox:openwhisk/dockerskeleton"


class Opened:
    """Counts how often the engine of images was opened; `why_not` makes that fail."""

    def __init__(self, why_not: str = "") -> None:
        self.times, self.why_not = 0, why_not
        self.engine = MemoryEngine({})

    async def __call__(self) -> Engine:
        self.times += 1
        if self.why_not:
            raise EngineFailed(detail=self.why_not)
        return self.engine


async def test_the_engine_of_images_is_opened_by_the_first_image_only() -> None:
    opened = Opened()
    engines = Engines(MemoryEngine({}), opened)
    await engines.start("python:3", 128, grants=False)
    with pytest.raises(EngineFailed, match="dockerskeleton"):  # the native engine's, as it has always been
        await engines.start(SKELETON, 128, grants=False)
    assert (opened.times, engines.health().sandboxes) == (0, 1)
    assert engines.health().parts["images"].startswith("not tried yet")
    for _ in range(2):
        with pytest.raises(EngineFailed, match="localhost/a"):  # an engine in memory runs none
            await engines.start(IMAGE, 128, grants=False)
    assert opened.times == 1
    await engines.close()


async def test_where_images_cannot_be_run_only_they_fail_and_are_told_why() -> None:
    opened = Opened("podman is not installed. Fix: install it")
    engines = Engines(MemoryEngine({}), opened)
    for _ in range(2):
        with pytest.raises(EngineFailed, match="container images cannot be run here: podman is not installed"):
            await engines.start(IMAGE, 128, grants=False)
    assert opened.times == 1
    assert engines.health().parts["images"] == "podman is not installed. Fix: install it"
    assert (await engines.start("python:3", 128, grants=False)).alive
    await engines.close()


async def test_closing_ends_both_and_opens_none() -> None:
    native, opened = MemoryEngine({}), Opened()
    engines = Engines(native, opened)
    await engines.sweep()
    await native.start("python:3", 128, grants=False)
    await opened.engine.start("python:3", 128, grants=False)
    assert engines.health().sandboxes == 2
    await engines.close()
    assert engines.health().sandboxes == 0
    unopened = Opened()
    closed = Engines(MemoryEngine({}), unopened)
    await closed.close()
    with pytest.raises(EngineFailed, match="closed"):
        await closed.start(IMAGE, 128, grants=False)
    assert unopened.times == 0
