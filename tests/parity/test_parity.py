"""Rambla and the real oslo.policy, side by side. `make parity` asks a million times."""

from collections.abc import Iterator

import pytest

from parity import compare, openstack


@pytest.fixture(scope="module")
def oracle() -> Iterator[openstack.Oracle]:
    if reason := openstack.missing(openstack.FEW):
        pytest.skip(reason)
    with openstack.oracle() as asked:
        yield asked


def test_keystone_nova_and_glance_are_decided_as_by_oslo_policy(oracle: openstack.Oracle) -> None:
    tally = compare.services(oracle, openstack.FEW, 20_000, seed=7)
    assert tally.asked == 20_000
    assert tally.differences == [], tally.text()
    assert 2_000 < tally.allowed < 18_000, "the requests reach both answers"
