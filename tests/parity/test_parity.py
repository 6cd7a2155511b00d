"""Rambla and the real oslo.policy, side by side. `make parity` asks a million times."""

from parity import compare, openstack


def test_keystone_nova_and_glance_are_decided_as_by_oslo_policy(oracle: openstack.Oracle) -> None:
    tally = compare.services(oracle, openstack.FEW, 20_000, seed=7)
    assert tally.asked == 20_000
    assert tally.differences == [], tally.text()
    assert 2_000 < tally.allowed < 18_000, "the requests reach both answers"
