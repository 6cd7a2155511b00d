"""How many decisions a second, beside oslo.policy and two engines of other languages, and how long do all rules load?

All in one process, in interleaved rounds, by CPU time; a ratio is the median of those within a round. Every engine's
answers are compared with oslo.policy's before anything is measured.
"""

import logging
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

from bench import mix
from rambla.policy.credentials import prepare
from rambla.policy.oslo import checks
from rambla.policy.oslo.book import RuleDefault, book
from rambla.policy.policy import Policy

COUNT = 4000
PASSES = 25  # so that every engine works for a tenth of a second or more in each round
LOADS = 5
Rules = dict[str, list[RuleDefault]]
Engine = tuple[Callable[[], list[bool]], int]


def run(rounds: int) -> None:
    if reason := mix.openstack.missing(mix.openstack.ALL):
        print(f"policy: {reason}")
        return
    rules = mix.services()
    _print_load(rules)
    asked = mix.requests(rules, COUNT)
    engines = {
        "oslo.policy enforce()": _oslo(rules, asked[:1000]),
        "rambla, a new caller each": _ours_each(rules, asked),
        "rambla, callers prepared": _ours(rules, asked),
    }
    _agree(engines)
    figures: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, (work, count) in engines.items():
            started = time.process_time()
            work()
            figures[name].append(count / (time.process_time() - started))
    _print(figures)


def _ours(rules: Rules, asked: list[mix.Request]) -> Engine:
    """As in a service that prepares the caller once for all decisions of a request."""
    policies = {name: Policy(book(defaults)) for name, defaults in rules.items()}
    ready = [(policies[each.service].decide, prepare(each.credentials), each.rule, each.target) for each in asked]
    ready *= PASSES
    return lambda: [decide(caller, rule, target).allowed for decide, caller, rule, target in ready], len(ready)


def _ours_each(rules: Rules, asked: list[mix.Request]) -> Engine:
    policies = {name: Policy(book(defaults)) for name, defaults in rules.items()}
    ready = [(policies[each.service].decide, each.credentials, each.rule, each.target) for each in asked]
    ready *= PASSES
    return lambda: [decide(prepare(values), rule, target).allowed for decide, values, rule, target in ready], len(ready)


def _oslo(rules: Rules, asked: list[mix.Request]) -> Engine:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    enforcers = {name: _enforcer(name, defaults) for name, defaults in rules.items()}
    ready = [(enforcers[each.service].enforce, each.rule, each.target, each.credentials) for each in asked]
    return lambda: [bool(enforce(rule, target, caller)) for enforce, rule, target, caller in ready], len(ready)


def _enforcer(name: str, defaults: list[RuleDefault]) -> Any:
    from oslo_config import cfg
    from oslo_policy import policy

    conf = cfg.ConfigOpts()
    conf([], project=name, default_config_files=[], default_config_dirs=[])
    enforcer = policy.Enforcer(conf)
    for rule in defaults:
        enforcer.register_default(policy.RuleDefault(rule.name, rule.check, scope_types=list(rule.scopes) or None))
    enforcer.load_rules()
    return enforcer


def _agree(engines: dict[str, Engine]) -> None:
    """All give the answers of the first, as far as they were asked the same."""
    (first, (work, _)), *others = engines.items()
    wanted = work()
    print(f"{len(wanted)} requests, {sum(wanted)} allowed by {first}")
    for name, (other, _) in others:
        differences = sum(ours is not theirs for ours, theirs in zip(other(), wanted, strict=False))
        print(f"  {name}: {differences} differences")


def _print_load(rules: Rules) -> None:
    """From check strings to policies that have decided every permission once."""
    times = []
    for _ in range(LOADS):
        checks.parse.cache_clear()
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
    print(f"{'':36}{'decisions/s':>12}   {'lowest':>9} to {'highest':>9}   to oslo.policy")
    for name, rates in figures.items():
        ratio = statistics.median(rate / slow for rate, slow in zip(rates, base, strict=True))
        middle = f"{statistics.median(rates):>12,.0f}"
        print(f"{name:36}{middle}   {min(rates):>9,.0f} to {max(rates):>9,.0f}   {ratio:.2f}x")
