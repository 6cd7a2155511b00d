"""How long does an action of a container image take, from nothing and warm, beside the native engine's?

Interleaves one cold start of each (start, init and run of a trivial action; closing is outside the clock) with warm
runs of each. The image is that of the tests: a small static program that speaks OpenWhisk's HTTP contract. The native
engine runs Python, with no blank sandbox kept ready.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.coldstart import PAUSE_S, PROGRAM, RUN, WARM_UP_ROUNDS, show
from rambla.drivers.podman.engine import PodmanSettings
from rambla.drivers.podman.engine import open_engine as open_podman
from rambla.drivers.process.engine import ProcessSettings, open_engine
from rambla.engine.ports import Engine, Program

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import imagekit  # it lies beside the tests, whose image it makes

CONTAINED = Program(kind=imagekit.KIND, name="hello", main="", code="counts", binary=False)
WARM_RUNS = 50


def run(rounds: int) -> None:
    if missing := [name for name in ("podman", "go") if not shutil.which(name)]:
        print(f"images: not installed: {', '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as folder, imagekit.image_store(Path(folder)):
        asyncio.run(measure(rounds, Path(folder)))


async def measure(rounds: int, folder: Path) -> None:
    native = await open_engine(ProcessSettings(spares=()))
    images = await open_podman(PodmanSettings(folder=folder / "containers"))
    print(f"{images.health().parts['images']}, {rounds} rounds, {WARM_RUNS} warm runs in each")
    chosen = {"native": (native, PROGRAM), "image": (images, CONTAINED)}
    starts: dict[str, list[float]] = {name: [] for name in chosen}
    warm: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(rounds + WARM_UP_ROUNDS):
        for name, (engine, program) in chosen.items():
            cold_ms, warm_ms = await times_ms(engine, program)
            if number >= WARM_UP_ROUNDS:
                starts[name].append(cold_ms)
                warm[name] += warm_ms
            await asyncio.sleep(PAUSE_S)
    for name in chosen:
        show(f"{name}: start + init + run", starts[name])
        show(f"{name}: a warm run", warm[name])
    for what, figures in (("cold", starts), ("warm", warm)):
        image, native_one = (statistics.median(figures[name]) for name in ("image", "native"))
        print(f"ratio of medians, {what}: {image / native_one:.2f}")
    await images.close()
    await native.close()


async def times_ms(engine: Engine, program: Program) -> tuple[float, list[float]]:
    """Until the first result is there, and of each run after it."""
    started = time.perf_counter()
    sandbox = await engine.start(program.kind, 256, grants=False)
    failed = await sandbox.init(program, RUN)
    results = [await sandbox.run(RUN)]
    cold_ms = (time.perf_counter() - started) * 1000
    warm_ms = []
    for _ in range(WARM_RUNS):
        started = time.perf_counter()
        results.append(await sandbox.run(RUN))
        warm_ms.append((time.perf_counter() - started) * 1000)
    await sandbox.close()
    assert failed is None
    assert {result.status for result in results} == {"success"}
    return cold_ms, warm_ms
