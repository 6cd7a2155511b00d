"""Actions of container images, through the whole platform: over HTTP, with a plug that is pulled."""

from pathlib import Path

import pytest

from imagekit import KIND, podman
from system.running import GUEST, Guest, Running, rambla, until

pytestmark = pytest.mark.system
IMAGE = KIND.partition(":")[2]


def test_an_image_runs_and_what_a_killed_platform_left_of_it_is_swept(images: None, tmp_path: Path) -> None:
    platform = Running(tmp_path / "data")
    try:
        assert platform.status()["engine"]["parts"]["images"].startswith("not tried yet")
        made = rambla("action", "create", "act", "--docker", IMAGE, "--data", tmp_path / "data")
        assert made.returncode == 0, made.stderr
        with platform.client() as client:
            record = Guest(client).call("act", n=1)
            assert (record["response"]["result"], len(record["logs"])) == ({"n": 1}, 2)
            assert {"key": "kind", "value": "blackbox"} in record["annotations"]
        assert platform.status()["engine"]["parts"]["images"].startswith("works (podman")
        assert "blackbox" in platform.status()["engine"]["runtimes"]
        left = podman("ps", "--quiet")
        platform.kill()
        assert podman("ps", "--quiet") == left != ""
        platform.start()
        until("a sweep", lambda: podman("ps", "--all", "--quiet") == "")
        with platform.client() as client:
            assert Guest(client).call("act", n=2)["response"]["result"] == {"n": 2}
    finally:
        platform.stop()
    assert podman("ps", "--all", "--quiet") == ""
    assert not (tmp_path / "data" / "containers").exists()


def test_an_image_that_is_absent_is_its_developers_error(images: None, tmp_path: Path) -> None:
    platform = Running(tmp_path / "data")
    try:
        with platform.client() as client:
            body = {"exec": {"kind": "blackbox", "image": "localhost/rambla/absent"}}
            client.put(f"{GUEST}/actions/act", json=body).raise_for_status()
            response = Guest(client).call("act")["response"]
            assert response["status"] == "action developer error"
            assert response["result"]["error"].startswith("Failed to pull container image 'localhost/rambla/absent'.")
    finally:
        platform.stop()
