"""Upstream's cases of container images, against a server of their own: podman's store is this process's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.openwhisk.asking import User, matching
from compat.openwhisk.records import a_record
from imagekit import KIND
from system.running import serving

IMAGE = KIND.partition(":")[2]


@pytest.fixture
def user(images: None, tmp_path: Path) -> Iterator[User]:
    with serving(tmp_path / "data", "--object-store", "none") as server:
        user = User(server, "guest", server.key)
        yield user
        user.client.close()


class TestWskRestBasic:
    def test_create_and_invoke_an_action_that_utilizes_a_docker_container(self, user: User) -> None:
        user.put("actions/a", {"exec": {"kind": "blackbox", "image": IMAGE}})
        answer = user.post("actions/a", {"payload": "test"}, blocking=True)
        lines = [matching(r".{31}std(out|err): .*")] * len(answer.json["logs"])
        answer.gives(a_record(user, "a", {"payload": "test"}, kind="blackbox", logs=lines))


class TestWskRestBasicUsage:
    def test_create_and_invoke_an_action_that_utilizes_an_invalid_docker_container_with_appropriate_error(
        self, user: User
    ) -> None:
        user.put("actions/a", {"exec": {"kind": "blackbox", "image": "localhost/fake-container"}})
        answer = user.post("actions/a", blocking=True)
        response = answer.json["response"]
        assert (answer.status, response["status"]) == (502, "action developer error")
        assert response["result"] == {
            "error": matching(r"Failed to pull container image 'localhost/fake-container'\..+podman load.+")
        }
