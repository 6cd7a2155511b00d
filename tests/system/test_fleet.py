"""Agents of many hosts at a real server: they hear of a bundle at once, and what they report outlives a kill."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from servicekit import FILES
from system.running import Running, rambla, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
POLLERS = 100
ROUNDS = 3
FLEET = "/policy/v1/fleet"
NEWEST = "/policy/v1/newest"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "data", "--require-isolation", "none")
    yield running
    running.stop()


def report(host: str, detail: str) -> dict[str, Any]:
    daemon = {"daemon": "keystone-api", "service": "keystone", "mode": "files", "number": 0, "state": "failed"}
    return {"host": host, "daemons": [{**daemon, "detail": detail}]}


def publish(platform: Running) -> int:
    with platform.operator() as operator:
        answer = operator.post("/platform/v1/policy/bundles", json={"files": FILES}).raise_for_status()
    number: int = answer.json()["number"]
    return number


def test_a_report_that_was_acknowledged_is_there_after_a_kill(platform: Running) -> None:
    acknowledged: dict[str, int] = {}
    for round_ in range(ROUNDS):
        timer = threading.Timer(0.3 + 0.2 * round_, platform.process.kill)
        timer.start()
        tried = dict(acknowledged)
        with platform.operator() as operator:
            try:
                while True:
                    host = f"h{sum(tried.values()) % 20}"
                    tried[host] = tried.get(host, 0) + 1
                    operator.post(FLEET, json=report(host, str(tried[host]))).raise_for_status()
                    acknowledged[host] = tried[host]
            except httpx.TransportError:
                pass
        timer.join()
        platform.kill()
        platform.start()
        with platform.operator() as operator:
            found = {one["host"]: int(one["detail"]) for one in operator.get(FLEET).json()["daemons"]}
        assert found.keys() >= acknowledged.keys()
        for host, number in acknowledged.items():
            assert found[host] in (number, tried[host])
        acknowledged = found
    assert acknowledged


def test_all_who_wait_hear_of_a_bundle_and_none_is_kept_when_the_platform_stops(platform: Running) -> None:
    limits = httpx.Limits(max_connections=POLLERS)

    with platform.operator() as operator, ThreadPoolExecutor(POLLERS) as pool:
        client = httpx.Client(
            base_url=platform.url, headers=operator.headers, limits=limits, trust_env=False, timeout=60
        )

        def wait(known: int) -> dict[str, Any]:
            answer: dict[str, Any] = client.get(NEWEST, params={"known": known, "wait_ms": 30_000}).json()
            return answer

        waiting = [pool.submit(wait, 0) for _ in range(POLLERS)]
        time.sleep(0.5)
        assert not any(each.done() for each in waiting)
        number = publish(platform)
        assert {each.result()["number"] for each in waiting} == {number}
        waiting = [pool.submit(wait, number) for _ in range(POLLERS)]
        time.sleep(0.5)
        before = time.monotonic()
        assert platform.stop() == 0
        assert {each.result()["number"] for each in waiting} == {number}
        assert time.monotonic() - before < 25, "or they were kept until their time was over"


def test_the_command_tells_how_the_fleet_stands(platform: Running) -> None:
    with platform.operator() as operator:
        operator.post(FLEET, json=report("h1", "line 3: no rule")).raise_for_status()
    told = rambla("policy", "fleet", "--data", platform.data)
    assert told.returncode == 0
    assert "bundle 0 is in force for 0 of 1 daemons" in told.stdout
    assert "failed" in told.stdout
    checked = rambla("policy", "fleet", "--check", "--data", platform.data)
    assert (checked.returncode, checked.stderr) == (1, "rambla: bundle 0 is not in force for 1 of 1 daemons\n")
    found = json.loads(rambla("policy", "fleet", "--json", "--data", platform.data).stdout)
    assert found["daemons"][0]["detail"] == "line 3: no rule"
    assert rambla("policy", "fleet", "--forget", "h1", "--data", platform.data).returncode == 0
    assert rambla("policy", "fleet", "--check", "--data", platform.data).returncode == 0


def test_a_client_that_hangs_up_leaves_nothing_behind(platform: Running) -> None:
    with platform.operator() as operator:
        for _ in range(20):
            with pytest.raises(httpx.ReadTimeout):
                operator.get(NEWEST, params={"wait_ms": 30_000}, timeout=0.05)
        assert until("an answer", lambda: operator.get(NEWEST).status_code == 200)
    before = time.monotonic()
    assert platform.stop() == 0
    assert time.monotonic() - before < 25
