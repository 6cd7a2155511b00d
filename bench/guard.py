"""What does the policy cost an invocation?

The owner of a namespace invokes an action of theirs, decided by the compiled layers in force and by the same rules as
plain Python (`tests/plain_rules.py`), in interleaved rounds. The difference is what the policy adds. The third line is
with a rule that asks an enforcer, whose answer is remembered.
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
from rambla.drivers.memory.enforcer import MemoryEnforcer
from rambla.enforcers.asking import Asking, Terms
from rambla.enforcers.panel import Panel
from rambla.flow.decide import decide
from rambla.kit.clock import SystemClock
from rambla.kit.tasks import Tasks
from rambla.policy.defaults import policy
from rambla.policy.holder import Holder
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import plain_rules  # it lies beside the tests, whose oracle it is

COUNT = 20_000
SITE = "layer: site\nrules: {action:invoke: {mode: extend, deny: not ask staff}}"
CALLER = Caller("guest", "guest", "key")
TARGET = Target("guest", "guest/a")


def run(rounds: int) -> None:
    figures: dict[str, list[float]] = {"plain Python": [], "compiled policy": [], "remembered answer": []}
    platform: Any = SimpleNamespace(policy=Holder(InForce(Policies(policy()))), enforcers=None)
    asking = asyncio.run(_asking())

    async def plain() -> object:
        return plain_rules.decide(CALLER, "action:invoke", TARGET)

    async def compiled() -> object:
        return await decide(platform, CALLER, "action:invoke", TARGET)

    async def remembered() -> object:
        return await decide(asking, CALLER, "action:invoke", TARGET)

    works = dict(zip(figures, (plain, compiled, remembered), strict=True))
    for _ in range(max(rounds, 5)):
        for name, work in works.items():
            figures[name].append(asyncio.run(_each_us(work)))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    for name, values in figures.items():
        print(f"{name:20}{medians[name]:>8.2f} us a decision   {min(values):.2f} to {max(values):.2f}")
    print(f"the policy adds {medians['compiled policy'] - medians['plain Python']:.2f} us to a warm invocation")
    added = medians["remembered answer"] - medians["compiled policy"]
    print(f"an enforcer's answer that is remembered adds {added:.2f} us to that")


async def _asking() -> Any:
    """A platform whose rule asks an enforcer, which has answered already."""
    enforcer = MemoryEnforcer("staff", [CALLER.subject])
    async with Tasks() as tasks:
        staff = Asking("staff", enforcer, Terms(yes_ms=3_600_000), SystemClock(), tasks)
        panel = Panel({"staff": staff}, lambda origin: staff)
        in_force = InForce(Policies(policy([layers.read(SITE, "site.yaml")], panel)))
        platform: Any = SimpleNamespace(policy=Holder(in_force), enforcers=panel)
        assert (await decide(platform, CALLER, "action:invoke", TARGET)).decision.allowed
    return platform


async def _each_us(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    started = time.process_time()
    for _ in range(COUNT):
        await work()
    return (time.process_time() - started) / COUNT * 1e6
