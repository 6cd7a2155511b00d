"""What `diff` says of the real pairs of deprecated and new rules, against brute force. `make parity` asks of all."""

import random

from parity import openstack, pairs


def test_what_changes_with_each_deprecated_rule_of_keystone_nova_and_glance_is_exact(oracle: openstack.Oracle) -> None:
    sums, choice = pairs.Sums(), random.Random(5)
    for rules in openstack.service_rules(oracle, openstack.FEW).values():
        pairs.check([rule.default for rule in rules], choice, sums)
    assert sums.pairs > 250
    assert sums.changed > 200
    assert sums.requests > sums.pairs * pairs.REQUESTS * 0.9
