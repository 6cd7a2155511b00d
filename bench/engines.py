"""Which policy engines are compared? Each decides a list of requests, and is left out where it is not installed."""

import json
import logging
import warnings
from collections.abc import Callable
from typing import Any

from bench import mix, translations
from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import RuleDefault, book
from rambla.policy.policy import Policy

PASSES = 100  # so that every engine works for a tenth of a second or more in each round
Rules = dict[str, list[RuleDefault]]
Engine = tuple[Callable[[], list[bool]], int]


def rambla_prepared(rules: Rules, asked: list[mix.Request]) -> Engine:
    """As in a service that prepares the caller once for all decisions of a request."""
    policies = {name: Policy(book(defaults)) for name, defaults in rules.items()}
    ready = [(policies[each.service].decide, prepare(each.credentials), each.rule, each.target) for each in asked]
    ready *= PASSES
    return lambda: [decide(caller, rule, target).allowed for decide, caller, rule, target in ready], len(ready)


def rambla_each(rules: Rules, asked: list[mix.Request]) -> Engine:
    policies = {name: Policy(book(defaults)) for name, defaults in rules.items()}
    ready = [(policies[each.service].decide, each.credentials, each.rule, each.target) for each in asked]
    ready *= PASSES
    return lambda: [decide(prepare(values), rule, target).allowed for decide, values, rule, target in ready], len(ready)


def oslo(rules: Rules, asked: list[mix.Request]) -> Engine:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    enforcers = {name: _enforcer(name, defaults) for name, defaults in rules.items()}
    ready = [(enforcers[each.service].enforce, each.rule, each.target, each.credentials) for each in asked]
    return lambda: [bool(enforce(rule, target, caller)) for enforce, rule, target, caller in ready], len(ready)


def oslo_uninspected(rules: Rules, asked: list[mix.Request]) -> Engine:
    """oslo.policy without `inspect.getfullargspec` at every part of a rule, which takes about half of its time."""
    from oslo_policy import _checks

    work, count = oslo(rules, asked)
    inspecting = _checks._check

    def uninspected() -> list[bool]:
        _checks._check = lambda rule, target, creds, enforcer, current_rule: rule(target, creds, enforcer, current_rule)
        try:
            return work()
        finally:
            _checks._check = inspecting

    return uninspected, count


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


def regorus(rules: Rules, asked: list[mix.Request]) -> Engine:
    """Rego in Rust: one module for all services, JSON made beforehand, one rule asked for each request."""
    from regorus import Engine as Rego

    engine = Rego()
    module, names = translations.rego({name: book(defaults) for name, defaults in rules.items()})
    engine.add_policy("p.rego", module)
    ready = [(json.dumps(translations.flat(each)), names[each.service, each.rule]) for each in asked]

    def work() -> list[bool]:
        answers = []
        for request, name in ready:
            engine.set_input_json(request)
            answers.append(engine.eval_rule(name))
        return answers

    return work, len(ready)


def cedarpy(rules: Rules, asked: list[mix.Request]) -> Engine:
    """Cedar's best case: for each request a set of the one policy that matters, parsed beforehand."""
    from cedarpy import Entities, PolicySet, is_authorized

    books = {name: book(defaults) for name, defaults in rules.items()}
    entities = Entities.from_json_str("[]")
    sets: dict[tuple[str, str], Any] = {}
    ready = []
    for each in asked:
        key = each.service, each.rule
        if key not in sets:
            sets[key] = PolicySet.from_str(translations.cedar(books[each.service], each.rule))
        who = {"type": "User", "id": "u"}
        request = {"principal": who, "action": {"type": "Action", "id": "a"}, "resource": {"type": "Thing", "id": "x"}}
        ready.append(({**request, "context": translations.flat(each)}, sets[key]))
    return lambda: [is_authorized(request, policies, entities).allowed for request, policies in ready], len(ready)


ENGINES: dict[str, Callable[[Rules, list[mix.Request]], Engine]] = {
    "oslo.policy enforce()": oslo,
    "the same, without introspection": oslo_uninspected,
    "rambla, caller prepared once": rambla_prepared,
    "rambla, a new caller each time": rambla_each,
    "regorus": regorus,
    "cedarpy, one policy in a set": cedarpy,
}
