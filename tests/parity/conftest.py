from collections.abc import Iterator
from pathlib import Path

import pytest

from parity import openstack
from parity.host import Host, host_in


@pytest.fixture(scope="session")
def oracle() -> Iterator[openstack.Oracle]:
    if reason := openstack.missing(openstack.FEW):
        pytest.skip(reason)
    with openstack.oracle() as asked:
        yield asked


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    if reason := openstack.missing(openstack.FEW):
        pytest.skip(reason)
    with host_in(tmp_path) as made:
        yield made
