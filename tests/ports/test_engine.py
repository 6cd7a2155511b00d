"""Every engine keeps the port's promises: in memory, of real processes, of real containers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

import imagekit
from rambla.domain.errors import EngineFailed
from rambla.drivers.memory.engine import Crash, MemoryEngine, kept, say
from rambla.drivers.podman.engine import PodmanEngine, PodmanSettings
from rambla.drivers.podman.engine import open_engine as open_podman
from rambla.drivers.process import environments
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine
from rambla.engine.ports import Run
from rambla.testing.engine import NAMES, Code, EngineSuite

pytestmark = pytest.mark.anyio


async def echo(arguments: dict[str, Any], run: Run) -> Any:
    say("one")
    say("two")
    return arguments


async def value(arguments: dict[str, Any], run: Run) -> Any:
    return arguments["value"]


async def large(arguments: dict[str, Any], run: Run) -> Any:
    return {"a": "x" * 2**21}


async def prints(arguments: dict[str, Any], run: Run) -> Any:
    for _ in range(arguments["times"]):
        say(arguments["text"])
    return {}


async def print_bytes(arguments: dict[str, Any], run: Run) -> Any:
    for _ in range(4000):
        say("\udcff" * 100)
    return {}


async def fails(arguments: dict[str, Any], run: Run) -> Any:
    raise ValueError("not today")


async def crashes(arguments: dict[str, Any], run: Run) -> Any:
    raise Crash


async def endless(arguments: dict[str, Any], run: Run) -> Any:
    await anyio.sleep_forever()


async def counts(arguments: dict[str, Any], run: Run) -> Any:
    kept()["n"] = kept().get("n", 0) + 1
    say(f"run {kept()['n']}")
    return dict(kept())


FUNCTIONS = {
    "echo": echo,
    "counts": counts,
    "value": value,
    "large": large,
    "prints": prints,
    "bytes": print_bytes,
    "fails": fails,
    "crashes": crashes,
    "endless": endless,
}
PYTHON = {
    "echo": "def main(args):\n print('one'); print('two')\n return args",
    "counts": "n = 0\ndef main(args):\n global n\n n += 1\n print('run', n)\n return {'n': n}",
    "value": "def main(args): return args['value']",
    "large": "def main(args): return {'a': 'x' * 2**21}",
    "prints": "def main(args):\n for _ in range(args['times']): print(args['text'])\n return {}",
    "bytes": "import os\ndef main(args):\n for _ in range(4000): os.write(1, b'\\xff' * 100 + b'\\n')\n return {}",
    "fails": "def main(args): raise ValueError('not today')",
    "crashes": "import os\ndef main(args): os._exit(3)",
    "endless": "def main(args):\n while True: pass",
    "broken": "def main(:",
}


class TestMemoryEngine(EngineSuite):
    @pytest.fixture
    async def engine(self) -> AsyncIterator[MemoryEngine]:
        engine = MemoryEngine(FUNCTIONS)
        yield engine
        await engine.close()

    @pytest.fixture
    def code(self, engine: MemoryEngine) -> Code:
        return {name: name for name in NAMES}


class TestProcessEngine(EngineSuite):
    @pytest.fixture
    async def engine(self, anyio_backend: str) -> AsyncIterator[ProcessEngine]:
        try:
            environments.locate()
        except EngineFailed as error:
            pytest.skip(str(error))
        engine = await open_engine(ProcessSettings())
        yield engine
        await engine.close()

    @pytest.fixture
    def code(self) -> Code:
        return PYTHON


class TestPodmanEngine(EngineSuite):
    kind = imagekit.KIND

    @pytest.fixture
    async def engine(self, images: None, tmp_path: Path) -> AsyncIterator[PodmanEngine]:
        engine = await open_podman(PodmanSettings(folder=tmp_path / "containers"))
        yield engine
        await engine.close()

    @pytest.fixture
    def code(self) -> Code:
        return {name: name for name in NAMES}


def test_every_program_of_the_suite_is_there() -> None:
    assert set(PYTHON) == set(NAMES)
