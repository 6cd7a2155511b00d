"""What does the policy cost an invocation?

The owner of a namespace invokes an action of theirs, decided by the compiled layers in force and by the same rules as
plain Python (`tests/plain_rules.py`), in interleaved rounds. The difference is what the policy adds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rambla.domain.access import Caller, Target
from rambla.flow.decide import decide
from rambla.policy.defaults import policy
from rambla.policy.holder import Holder

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import plain_rules  # it lies beside the tests, whose oracle it is

COUNT = 20_000
CALLER = Caller("guest", "guest", "key")
TARGET = Target("guest", "guest/a")


def run(rounds: int) -> None:
    figures: dict[str, list[float]] = {"plain Python": [], "compiled policy": []}
    platform: Any = SimpleNamespace(policy=Holder(policy()))

    async def plain() -> object:
        return plain_rules.decide(CALLER, "action:invoke", TARGET)

    async def compiled() -> object:
        return await decide(platform, CALLER, "action:invoke", TARGET)

    for _ in range(max(rounds, 5)):
        for name, work in (("plain Python", plain), ("compiled policy", compiled)):
            figures[name].append(asyncio.run(_each_us(work)))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    for name, values in figures.items():
        print(f"{name:20}{medians[name]:>8.2f} us a decision   {min(values):.2f} to {max(values):.2f}")
    print(f"the policy adds {medians['compiled policy'] - medians['plain Python']:.2f} us to a warm invocation")


async def _each_us(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    started = time.process_time()
    for _ in range(COUNT):
        await work()
    return (time.process_time() - started) / COUNT * 1e6
