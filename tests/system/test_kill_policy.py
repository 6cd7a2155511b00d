"""Pull the plug while policies are published: the old one or the new one is in force afterwards, and whole."""

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from system.running import Running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
ROUNDS = 4
BUNDLES = "/platform/v1/policy/bundles"


def policy(number: int) -> dict[str, Any]:
    """Two files that fit each other only, and not those of other numbers."""
    rules = "".join(f"  x{each}:y: admin\n" for each in range(500))
    site = f"layer: site\nrules:\n  only-{number}: everybody\n{rules}"
    region = f"layer: region\nrules:\n  only-{number}: {{mode: extend, deny: admin}}\n"
    return {"files": {"site.yaml": site, "region.yaml": region}, "note": str(number)}


def test_whatever_was_acknowledged_is_in_force_after_a_kill_and_nothing_is_there_by_half(tmp_path: Path) -> None:
    platform = Running(tmp_path / "data", "--require-isolation", "none")
    acknowledged = 0
    for round_ in range(ROUNDS):
        timer = threading.Timer(0.1 + 0.13 * round_, platform.process.kill)
        timer.start()
        with platform.operator() as operator:
            try:
                while True:
                    wanted = policy(acknowledged + 1)
                    acknowledged = operator.post(BUNDLES, json=wanted).raise_for_status().json()["number"]
            except httpx.TransportError:
                pass
        platform.kill()
        platform.start()
        told = platform.status()["policy"]
        assert told["problems"] == "none"
        assert told["bundle"] in (acknowledged, acknowledged + 1)
        with platform.operator() as operator:
            history = operator.get(BUNDLES, params={"limit": 200}).json()
            assert [one["number"] for one in history][:200] == list(range(told["bundle"], 0, -1))[:200]
            if history:
                found = operator.get(f"{BUNDLES}/{told['bundle']}").json()
                assert found["files"] == policy(int(found["note"]))["files"]
        acknowledged = told["bundle"]
    assert acknowledged > 0
    assert platform.stop() == 0
