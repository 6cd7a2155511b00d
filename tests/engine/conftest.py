"""What do the engine's tests stand on? A real engine on this host, opened and closed around each test."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rambla.app.engines import Engines
from rambla.domain.errors import EngineFailed
from rambla.drivers.podman.engine import PodmanEngine, PodmanSettings
from rambla.drivers.podman.engine import open_engine as open_podman
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


@pytest.fixture(scope="session")
def open_runtimes(runtimes: None) -> Iterator[str | None]:
    """The runtimes' folder for levels at which user `nobody` starts the interpreter: None for the usual one, or one
    made with the system's Python where root keeps its own in a closed folder."""
    base = Path(environments.locate().paths[-1]).resolve()
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in (base, *base.parents)):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="rambla-runtimes-"))
    folder.chmod(0o755)
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(folder / "python3")], check=True)
    yield str(folder)
    shutil.rmtree(folder)


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


@pytest.fixture
async def containers(images: None, tmp_path: Path) -> AsyncIterator[PodmanEngine]:
    opened = await open_podman(PodmanSettings(folder=tmp_path / "containers"))
    yield opened
    await opened.close()


@pytest.fixture
async def engines(engine: ProcessEngine, tmp_path: Path) -> AsyncIterator[Engines]:
    """As the platform has them: the native one, and that of images once an image is asked for."""

    async def open_images() -> PodmanEngine:
        return await open_podman(PodmanSettings(folder=tmp_path / "containers"))

    opened = Engines(engine, open_images)
    yield opened
    await opened.close()
