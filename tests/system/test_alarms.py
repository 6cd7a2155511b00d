"""Alarms of a real server: exactly one fire for each due time, whenever it is killed."""

import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from system.running import GUEST, Guest, Running, serving, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(480)]
ALARMS = "/api/v1/namespaces/whisk.system/actions/alarms"
ECHO = "def main(args):\n    return args\n"
KILLS = 6


def set_alarm(client: httpx.Client, trigger: str, feed: str, **given: Any) -> None:
    """A trigger with an alarm, and a rule that runs the action `echo`."""
    annotations = [{"key": "feed", "value": f"/whisk.system/alarms/{feed}"}]
    client.put(f"{GUEST}/triggers/{trigger}", json={"annotations": annotations}).raise_for_status()
    rule = {"trigger": f"/_/{trigger}", "action": "/_/echo"}
    client.put(f"{GUEST}/rules/{trigger}-rule", json=rule).raise_for_status()
    assert tell(client, "CREATE", trigger, feed, **given) == {"status": "success"}


def tell(client: httpx.Client, event: str, trigger: str, feed: str, **given: Any) -> dict[str, Any]:
    body = {"lifecycleEvent": event, "triggerName": f"/_/{trigger}", **given}
    answer = client.post(f"{ALARMS}/{feed}?blocking=true&result=true", json=body)
    result: dict[str, Any] = answer.raise_for_status().json()
    return result


def due_times(client: httpx.Client, trigger: str) -> list[str]:
    """Of every fire on record, by the trigger's activations."""
    query = {"name": trigger, "docs": "true", "limit": 200}
    found = client.get(f"{GUEST}/activations", params=query).raise_for_status().json()
    return [each["value"] for one in found for each in one["annotations"] if each["key"] == "due"]


def runs(client: httpx.Client, number: int) -> int:
    """How often `echo` ran for alarm `number`."""
    query = {"name": "echo", "docs": "true", "limit": 200}
    found = client.get(f"{GUEST}/activations", params=query).raise_for_status().json()
    return sum(each["response"]["result"] == {"number": number} for each in found)


def test_a_date_a_pattern_and_an_interval_fire(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as platform, platform.client() as client:
        Guest(client).put("echo", ECHO)
        soon_ms = int(time.time() * 1000) + 1000
        set_alarm(client, "once", "once", date=soon_ms, deleteAfterFire="rules", trigger_payload={"number": 1})
        set_alarm(client, "cron", "alarm", cron="* * * * * *", maxTriggers=2, trigger_payload={"number": 2})
        set_alarm(client, "interval", "interval", minutes=1, startDate=soon_ms, trigger_payload={"number": 3})
        until("all have run", lambda: [runs(client, number) for number in (1, 2, 3)] == [1, 2, 1])
        until("the trigger is gone", lambda: client.get(f"{GUEST}/triggers/once").status_code == 404)
        assert client.get(f"{GUEST}/rules/once-rule").status_code == 404
        status = tell(client, "READ", "cron", "alarm")["status"]
        assert (status["active"], status["reason"]["message"]) == (
            False,
            "Automatically disabled after reaching max triggers",
        )


def test_every_due_time_fires_exactly_once_though_the_platform_is_killed_around_it(tmp_path: Path) -> None:
    platform = Running(tmp_path / "data")
    chance = random.Random(7)
    try:
        with platform.client() as client:
            Guest(client).put("echo", ECHO)
            until("it runs", lambda: Guest(client).call("echo")["response"]["status"] == "success")
            set_alarm(client, "ticks", "alarm", cron="* * * * * *")
        for number in range(KILLS):
            with platform.client() as client:
                due_ms = int(time.time() * 1000) + 1500
                set_alarm(client, f"t{number}", "once", date=due_ms, trigger_payload={"number": number})
            time.sleep(max(0.0, due_ms / 1000 - time.time() + chance.uniform(-0.01, 0.03)))
            platform.kill()
            platform.start()
        with platform.client() as client:
            for number in range(KILLS):
                until(f"alarm {number} ran", lambda number=number: runs(client, number))
            until("no open intents", lambda: platform.open_intents() == 0)
            tell(client, "PAUSE", "ticks", "alarm")
            for number in range(KILLS):
                assert (len(due_times(client, f"t{number}")), runs(client, number)) == (1, 1)
            ticks = due_times(client, "ticks")
            assert len(ticks) == len(set(ticks))
    finally:
        platform.stop()


def test_what_was_due_while_the_platform_was_down_fires_once(tmp_path: Path) -> None:
    platform = Running(tmp_path / "data")
    try:
        with platform.client() as client:
            Guest(client).put("echo", ECHO)
            set_alarm(client, "ticks", "alarm", cron="* * * * * *", trigger_payload={"number": 1})
            until("it ticks", lambda: due_times(client, "ticks"))
        platform.kill()
        before = time.time()
        time.sleep(4)
        down_until = time.time()
        platform.start()
        with platform.client() as client:
            until("it ticks again", lambda: max(due_times(client, "ticks"), default="") > _iso(down_until))
            missed = [due for due in due_times(client, "ticks") if _iso(before + 1) < due < _iso(down_until)]
            assert len(missed) <= 1
    finally:
        platform.stop()


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
