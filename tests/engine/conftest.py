"""What do the engine's tests stand on? A real engine on this host, opened and closed around each test."""

from collections.abc import AsyncIterator

import pytest

from rambla.domain.errors import EngineFailed
from rambla.drivers.process import environments
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def runtimes() -> None:
    try:
        environments.locate()
    except EngineFailed as error:
        pytest.skip(str(error))


@pytest.fixture
async def engine(runtimes: None) -> AsyncIterator[ProcessEngine]:
    opened = await open_engine(ProcessSettings())
    yield opened
    await opened.close()


@pytest.fixture
async def sandboxed(engine: ProcessEngine) -> ProcessEngine:
    if engine.level != "sandboxed":
        pytest.skip(f"this host isolates only at level '{engine.level}': {engine.health().parts}")
    return engine
