"""Strict mode refuses mistakes, not what services really say."""

import json

from parity import openstack
from rambla.domain.errors import BrokenPolicy
from rambla.policy.oslo.load import load
from rambla.policy.problems import Problem, problems_of

REAL_TRAPS = (
    "an empty check allows everybody",
    "every misspelt rule is allowed",
    "'not' allows whenever the target lacks",
)


def problems(rules: list[openstack.ServiceRule]) -> tuple[Problem, ...]:
    defaults = [rule.default for rule in rules]
    text = "".join(f"{json.dumps(rule.name)}: {json.dumps(rule.check)}\n" for rule in defaults)
    try:
        load({"policy.yaml": text}, defaults, mode="strict")
    except BrokenPolicy as error:
        return problems_of(error)
    return ()


def test_the_rules_of_real_services_written_to_a_file_have_no_problems_but_real_traps(oracle: openstack.Oracle) -> None:
    found = {name: problems(rules) for name, rules in openstack.service_rules(oracle, openstack.FEW).items()}
    assert found["nova"] == ()
    assert found["keystone"]
    for each in (*found["keystone"], *found["glance"]):
        assert each.detail.startswith(REAL_TRAPS), each
