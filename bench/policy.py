"""How many decisions a second, beside oslo.policy and two engines of other languages, and how long do all rules load?

All in one process, in interleaved rounds, by CPU time; a ratio is the median of those within a round. Every engine's
answers are compared with oslo.policy's before anything is measured.
"""

import statistics
import time
from itertools import cycle

from bench import mix
from bench.engines import ENGINES, Engine, Rules
from rambla.policy.credentials import prepare
from rambla.policy.oslo import checks
from rambla.policy.oslo.book import book
from rambla.policy.policy import Policy

COUNT = 1000
LOADS = 5


def run(rounds: int) -> None:
    if reason := mix.openstack.missing(mix.openstack.ALL):
        print(f"policy: {reason}")
        return
    rules = mix.services()
    _print_load(rules)
    asked = mix.requests(rules, COUNT)
    engines: dict[str, Engine] = {}
    for name, make in ENGINES.items():
        try:
            engines[name] = make(rules, asked)
        except ImportError as error:
            print(f"{name}: {error}. Fix: pip install -e '.[bench]'")
    _agree(engines)
    figures: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, (work, count) in engines.items():
            started = time.process_time()
            work()
            figures[name].append(count / (time.process_time() - started))
    _print(figures)


def _agree(engines: dict[str, Engine]) -> None:
    """All give the answers of the first; some are asked several times over."""
    (first, (work, _)), *others = engines.items()
    wanted = work()
    print(f"{len(wanted)} requests, {sum(wanted)} allowed by {first}")
    for name, (other, _) in others:
        differences = sum(ours is not theirs for ours, theirs in zip(other(), cycle(wanted), strict=False))
        print(f"  {name}: {differences} differences")


def _print_load(rules: Rules) -> None:
    """From check strings to policies that have decided every permission once."""
    times = []
    for _ in range(LOADS):
        checks.remembered.cache_clear()
        started = time.process_time()
        for defaults in rules.values():
            policy, nobody = Policy(book(defaults)), prepare({})
            for permission in policy.book.permissions:
                policy.decide(nobody, permission, {})
        times.append(time.process_time() - started)
    total = sum(len(defaults) for defaults in rules.values())
    print(f"loading all {total} rules and compiling each: {statistics.median(times):.3f} s")


def _print(figures: dict[str, list[float]]) -> None:
    base = next(iter(figures.values()))
    print(f"{'':32}{'decisions/s':>12}   {'lowest':>9} to {'highest':>9}   to oslo.policy")
    for name, rates in figures.items():
        ratio = statistics.median(rate / slow for rate, slow in zip(rates, base, strict=True))
        middle = f"{statistics.median(rates):>12,.0f}"
        print(f"{name:32}{middle}   {min(rates):>9,.0f} to {max(rates):>9,.0f}   {ratio:.2f}x")
