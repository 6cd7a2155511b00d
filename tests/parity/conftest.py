from collections.abc import Iterator

import pytest

from parity import openstack


@pytest.fixture(scope="session")
def oracle() -> Iterator[openstack.Oracle]:
    if reason := openstack.missing(openstack.FEW):
        pytest.skip(reason)
    with openstack.oracle() as asked:
        yield asked
