"""Both asked the same, and where they differ."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from parity import generate
from parity.openstack import Oracle, Request, service_rules
from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import RuleDefault, book
from rambla.policy.policy import Policy

CHUNK = 500
DIFFERENCES_MAX = 20


@dataclass
class Tally:
    asked: int = 0
    allowed: int = 0
    failed: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, request: Request, theirs: bool | str, *, ours: bool) -> None:
        """An exception of oslo.policy's is a refusal of ours."""
        self.asked += 1
        self.allowed += ours
        self.failed += isinstance(theirs, str)
        if ours is not (theirs is True) and len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(f"{request}: oslo.policy says {theirs}, we say {ours}")

    def text(self) -> str:
        lines = [
            f"{self.asked:,} requests, {self.allowed:,} allowed, {self.asked - self.allowed:,} denied, "
            f"of which {self.failed:,} made oslo.policy raise: {len(self.differences)} differences",
            *self.differences,
        ]
        return "\n".join(lines)


def services(
    oracle: Oracle, names: Sequence[str], requests: int, seed: int, show: Callable[[str], None] | None = None
) -> Tally:
    """So many requests, spread evenly over all rules of these services."""
    found = service_rules(oracle, names)
    total = sum(len(rules) for rules in found.values())
    tally, choice = Tally(), random.Random(seed)
    done = 0
    for name, rules in found.items():
        defaults = [rule.default for rule in rules]
        assert oracle.load(name, defaults) is True
        done += len(rules)
        wanted = requests * done // total - tally.asked
        before = tally.asked, tally.allowed
        _service(oracle, name, defaults, itertools.islice(_spread(defaults, choice), wanted), tally)
        if show:
            show(f"{name}: {tally.asked - before[0]:,} requests, {tally.allowed - before[1]:,} allowed")
    return tally


def _spread(defaults: list[RuleDefault], choice: random.Random) -> Iterator[Request]:
    made = book(defaults)
    streams = [
        generate.requests(name, generate.atoms(made.rules.terms[name], made.rules), choice) for name in made.permissions
    ]
    while True:
        for stream in streams:
            yield next(stream)


def _service(oracle: Oracle, name: str, defaults: list[RuleDefault], requests: Iterator[Request], tally: Tally) -> None:
    """Our decisions are made while the oracle makes its own."""
    policy = Policy(book(defaults))
    while chunk := list(itertools.islice(requests, CHUNK)):
        oracle.send({"ask": name, "requests": chunk})
        ours = [policy.decide(prepare(caller), rule, target).allowed for rule, target, caller in chunk]
        for request, theirs, allowed in zip(chunk, oracle.receive(), ours, strict=True):
            tally.add(request, theirs, ours=allowed)
