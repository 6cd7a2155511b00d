"""The rules of real services in the readable language decide as they did before."""

import itertools
import random

from parity import generate, openstack
from rambla.policy.convert import convert
from rambla.policy.credentials import prepare
from rambla.policy.language.load import load
from rambla.policy.oslo.book import book
from rambla.policy.policy import Policy


def test_keystone_nova_and_glance_read_aloud_decide_alike(oracle: openstack.Oracle) -> None:
    choice, allowed, asked = random.Random(11), 0, 0
    for name, rules in openstack.service_rules(oracle, openstack.FEW).items():
        made = book([rule.default for rule in rules])
        before, after = Policy(made), Policy(load({f"{name}.yaml": convert(made)}))
        for permission in made.permissions:
            parts = generate.atoms(made.rules.terms[permission], made.rules)
            for rule, target, caller in itertools.islice(generate.requests(permission, parts, choice), 10):
                credentials = prepare(caller)
                decision = before.decide(credentials, rule, target)
                assert after.decide(credentials, rule, target).allowed is decision.allowed, (rule, target, caller)
                asked += 1
                allowed += decision.allowed
    assert asked > 4_000
    assert asked / 10 < allowed < asked * 9 / 10
