"""Pull the plug in the middle of compositions: each acknowledged one has ended, none ran a part of it twice."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from system.running import GUEST, Guest, Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(480)]
COMPOSITIONS = 100
PARTS = {"sequence": ["one", "two", "three"], "conductor": ["conductor", "one", "conductor", "two", "conductor"]}
PART = "import time\ndef main(args):\n    time.sleep(0.05)\n    return {**args, 'n': args.get('n', 0) + 1}\n"
CONDUCTOR = """
def main(args):
    names = args.pop("left", ["one", "two"])
    return {"action": names[0], "params": args, "state": {"left": names[1:]}} if names else {"params": args}
"""


def make(client: httpx.Client) -> None:
    for name in ("one", "two", "three"):
        Guest(client).put(name, PART)
    sequence = {"kind": "sequence", "components": [f"/_/{name}" for name in PARTS["sequence"]]}
    conductor = {"kind": "python:3", "code": CONDUCTOR}
    conducts = [{"key": "conductor", "value": True}]
    for name, program, annotations in (("sequence", sequence, []), ("conductor", conductor, conducts)):
        body = {"exec": program, "annotations": annotations}
        client.put(f"{GUEST}/actions/{name}", json=body).raise_for_status()


def every_record(client: httpx.Client) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    while True:
        page = client.get(f"{GUEST}/activations", params={"docs": "true", "limit": 200, "skip": len(records)}).json()
        records += page
        if not page:
            return records


@pytest.mark.parametrize("kind", PARTS)
def test_each_acknowledged_composition_ends_and_runs_no_part_twice(tmp_path: Path, kind: str) -> None:
    platform = Running(tmp_path / "data", "--object-store", "none")
    with platform.client() as client:
        make(client)
        assert Guest(client).call(kind)["response"]["success"]
        ids = [Guest(client).send(kind) for _ in range(COMPOSITIONS)]
        # In the middle: some have ended, and most have not.
        until("an ended one", lambda: any(Guest(client).record(activation_id) for activation_id in ids))
    platform.kill()
    platform.start()
    try:
        with platform.client() as client:
            ended = {activation_id: Guest(client).ended(activation_id) for activation_id in ids}
            until("all promises kept", lambda: platform.open_intents() == 0)
            records = every_record(client)
    finally:
        platform.stop()
    assert_each_part_ran_once(kind, ended, records)


def assert_each_part_ran_once(kind: str, ended: dict[str, Any], records: list[dict[str, Any]]) -> None:
    """The whole ones are whole; of the broken ones no part is there more often than it was to run, and they say why."""
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if "cause" in record:
            parts[record["cause"]][record["name"]] += 1
    outcomes = Counter(record["response"]["status"] for record in ended.values())
    print(kind, dict(outcomes))
    assert outcomes["success"], "the kill came before any ended"
    assert outcomes["whisk internal error"], "the kill came after all had ended"
    assert outcomes.total() == outcomes["success"] + outcomes["whisk internal error"]
    for activation_id, record in ended.items():
        if record["response"]["success"]:
            assert parts[activation_id] == Counter(PARTS[kind])
        else:
            assert "was not run again" in record["response"]["result"]["error"]
            assert not parts[activation_id] - Counter(PARTS[kind])
