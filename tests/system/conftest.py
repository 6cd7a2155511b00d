"""Real servers, started as users start them."""

from collections.abc import Iterator

import pytest

from system.running import Running, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server without an object store, for all tests of a worker."""
    with serving(tmp_path_factory.mktemp("server") / "data", "--object-store", "none") as running:
        yield running
