"""How long does a Python action take from nothing, with isolation on?

Once with a blank sandbox kept ready and once without. Interleaves one cold start (start, init and run of a trivial
action; closing is outside the clock) with one `python -I -S -c pass` of the same interpreter, and prints p50 and p99
of both with the ratio of their medians. Usage: python bench/coldstart.py [ROUNDS]
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time

from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine
from rambla.engine.ports import Program, Run

PROGRAM = Program(kind="python:3", name="hello", main="", code="def main(args): return args", binary=False)
RUN = Run(
    activation_id="0" * 32,
    payload=b'{"name":"world"}',
    context={"namespace": "guest"},
    timeout_ms=10_000,
    log_bytes_max=1 << 20,
    result_bytes_max=1 << 20,
)
INTERPRETER = os.path.realpath(sys.executable)
WARM_UP_ROUNDS = 5
PAUSE_S = 0.1  # as between strangers' calls: in a tight loop the kernel's grace periods are free


async def cold_start_ms(engine: ProcessEngine) -> tuple[float, float]:
    """Until the sandbox is there, and until the result is."""
    started = time.perf_counter()
    sandbox = await engine.start(PROGRAM.kind, 256, grants=False)
    born = time.perf_counter()
    failed = await sandbox.init(PROGRAM, RUN)
    result = await sandbox.run(RUN)
    ended = time.perf_counter()
    await sandbox.close()
    assert failed is None
    assert result.status == "success"
    return (born - started) * 1000, (ended - started) * 1000


def interpreter_ms() -> float:
    started = time.perf_counter()
    subprocess.run([INTERPRETER, "-I", "-S", "-c", "pass"], check=True)
    return (time.perf_counter() - started) * 1000


def show(name: str, times: list[float]) -> None:
    cuts = statistics.quantiles(times, n=100)
    print(f"{name:32} p50 {cuts[49]:7.2f} ms   p99 {cuts[98]:7.2f} ms")


async def measure(rounds: int, spares: tuple[str, ...]) -> None:
    engine = await open_engine(ProcessSettings(spares=spares))
    try:
        cold, bare = [], []
        for number in range(rounds + WARM_UP_ROUNDS):
            times, interpreter = await cold_start_ms(engine), interpreter_ms()
            if number >= WARM_UP_ROUNDS:
                cold.append(times)
                bare.append(interpreter)
            await asyncio.sleep(PAUSE_S)
    finally:
        await engine.close()
    how = "with a blank spare" if spares else "without a spare"
    print(f"level {engine.level}, control groups: {engine.health().parts['control groups']}, {how}, {rounds} rounds")
    show("cold start: sandbox ready", [start for start, _ in cold])
    show("cold start: start + init + run", [total for _, total in cold])
    show("python -I -S -c pass", bare)
    ratio = statistics.median(total for _, total in cold) / statistics.median(bare)
    print(f"ratio of medians: {ratio:.2f}\n")


async def main(rounds: int) -> None:
    for spares in (("python",), ()):
        await measure(rounds, spares)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
