"""One real Swift for all tests that do not kill it."""

from collections.abc import Iterator

import pytest

from swift_cloud import ALL, Bucket, Cloud, running_cloud

pytest.importorskip("swift.common", reason="OpenStack Swift is not installed: pip install 'rambla[swift]'")


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "swift") as cloud:
        yield cloud


@pytest.fixture
def bucket(shared_cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:60].lower()
    with shared_cloud.log_in() as client:
        client.put(name).raise_for_status()
        bucket = Bucket(shared_cloud, client, name)
        bucket.subscribe(events=ALL).raise_for_status()
        yield bucket
