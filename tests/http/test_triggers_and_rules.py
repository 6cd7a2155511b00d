import json

import anyio
import httpx
import pytest

from rambla.kit.clock import ManualClock

pytestmark = pytest.mark.anyio
ECHO = {"exec": {"kind": "python:3", "code": "echo"}}
RULE = {"trigger": "/_/t", "action": "/guest/a", "status": ""}


@pytest.fixture
async def ruled(guest: httpx.AsyncClient) -> httpx.AsyncClient:
    """With a trigger t, an action a and a rule r between them."""
    await guest.put("triggers/t", json={})
    await guest.put("actions/a", json=ECHO)
    assert (await guest.put("rules/r", json=RULE)).status_code == 200
    return guest


async def test_a_new_trigger_is_returned_whole(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("triggers/t?", json={})
    assert answer.json() == {
        "namespace": "guest",
        "name": "t",
        "version": "0.0.1",
        "publish": False,
        "updated": 1_700_000_000_000,
        "annotations": [],
        "parameters": [],
        "limits": {},
    }


async def test_a_new_rule_is_active_and_the_trigger_shows_it(ruled: httpx.AsyncClient) -> None:
    rule = (await ruled.get("rules/r")).json()
    assert rule["status"] == "active"
    assert rule["trigger"] == {"path": "guest", "name": "t"}
    assert rule["action"] == {"path": "guest", "name": "a"}
    trigger = (await ruled.get("triggers/t")).json()
    assert trigger["rules"] == {"guest/r": {"action": {"path": "guest", "name": "a"}, "status": "active"}}


async def test_rules_survive_an_update_of_their_trigger(ruled: httpx.AsyncClient) -> None:
    updated = (await ruled.put("triggers/t?overwrite=true", json={"parameters": [{"key": "a", "value": 1}]})).json()
    assert list(updated["rules"]) == ["guest/r"]
    assert updated["version"] == "0.0.2"


async def test_names_in_a_rule_may_be_objects(ruled: httpx.AsyncClient) -> None:
    body = {"trigger": {"path": "guest", "name": "t"}, "action": {"path": "guest", "name": "a"}}
    assert (await ruled.put("rules/again", json=body)).status_code == 200


async def test_a_rule_needs_both_sides(ruled: httpx.AsyncClient) -> None:
    answer = await ruled.put("rules/x", json={"trigger": "/_/t"})
    assert (answer.status_code, answer.json()["error"]) == (400, "rule requires a valid trigger and a valid action")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"trigger": "/_/no", "action": "/_/a"}, "trigger /guest/no does not exist"),
        ({"trigger": "/_/t", "action": "/_/no"}, "action /guest/no does not exist"),
        ({"trigger": "/_/a", "action": "/_/t"}, "trigger /guest/a does not exist"),
        (
            {"trigger": "/_", "action": "/_/a"},
            "The request content was malformed:\nrequirement failed: "
            "The fully qualified name of the entity must contain at least the namespace and the name of the entity.",
        ),
    ],
)
async def test_a_rule_between_what_does_not_exist_is_refused(ruled: httpx.AsyncClient, rule: object, text: str) -> None:
    answer = await ruled.put("rules/x", json=rule)
    assert (answer.status_code, answer.json()["error"]) == (400, text)


async def test_a_rule_may_not_name_what_is_anothers(ruled: httpx.AsyncClient) -> None:
    for rule in ({"trigger": "/other/t", "action": "/_/a"}, {"trigger": "/_/t", "action": "/other/a"}):
        answer = await ruled.put("rules/x", json=rule)
        assert answer.status_code == 403
    assert (await ruled.get("rules?count=true")).json() == {"rules": 1}


async def test_a_status_is_set_as_often_as_one_likes(ruled: httpx.AsyncClient) -> None:
    for status in ("inactive", "inactive", "active"):
        answer = await ruled.post("rules/r", json={"status": status, "trigger": None, "action": None})
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await ruled.get("rules/r")).json()["status"] == status


async def test_an_unknown_status_is_refused(ruled: httpx.AsyncClient) -> None:
    assert (await ruled.post("rules/r", json={"status": "asleep"})).status_code == 400
    assert (await ruled.post("rules/none", json={"status": "active"})).status_code == 404


async def test_an_update_keeps_the_status(ruled: httpx.AsyncClient) -> None:
    await ruled.post("rules/r", json={"status": "inactive"})
    answer = await ruled.put("rules/r?overwrite=true", json={"annotations": [{"key": "k", "value": 1}]})
    assert (answer.json()["status"], answer.json()["version"]) == ("inactive", "0.0.2")


async def test_a_rule_moved_to_another_trigger_leaves_the_old_one(ruled: httpx.AsyncClient) -> None:
    await ruled.put("triggers/u", json={})
    await ruled.put("rules/r?overwrite=true", json={"trigger": "/_/u"})
    assert "rules" not in (await ruled.get("triggers/t")).json()
    assert list((await ruled.get("triggers/u")).json()["rules"]) == ["guest/r"]


async def test_a_deleted_trigger_leaves_its_rules_inactive_for_good(ruled: httpx.AsyncClient) -> None:
    assert (await ruled.delete("triggers/t")).status_code == 200
    assert (await ruled.get("rules/r")).json()["status"] == "inactive"
    answer = await ruled.post("rules/r", json={"status": "active"})
    assert answer.status_code == 404
    assert answer.json()["error"] == "Only rules with existing triggers can be activated"
    await ruled.put("triggers/t", json={})
    assert (await ruled.get("rules/r")).json()["status"] == "inactive"


async def test_a_deleted_rule_reads_inactive(ruled: httpx.AsyncClient) -> None:
    answer = await ruled.delete("rules/r")
    assert (answer.status_code, answer.json()["status"]) == (200, "inactive")
    assert "rules" not in (await ruled.get("triggers/t")).json()


async def test_rules_are_listed_whole_but_for_their_status(ruled: httpx.AsyncClient) -> None:
    (rule,) = (await ruled.get("rules")).json()
    assert rule["trigger"] == {"path": "guest", "name": "t"}
    assert "status" not in rule


async def test_a_fire_without_an_active_rule_is_204_and_empty(ruled: httpx.AsyncClient) -> None:
    await ruled.post("rules/r", json={"status": "inactive"})
    answer = await ruled.post("triggers/t", json={})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_fire_is_202_with_the_id_of_a_record_that_names_each_rule(
    ruled: httpx.AsyncClient, clock: ManualClock
) -> None:
    answer = await ruled.post("triggers/t", json={"k": "v"})
    assert answer.status_code == 202
    activation_id = answer.json()["activationId"]
    assert answer.headers["x-openwhisk-activation-id"] == activation_id
    record = (await ruled.get(f"activations/{activation_id}")).json()
    assert record["response"]["result"] == {"k": "v"}
    assert '"rule":"guest/r"' in record["logs"][0]
    assert record["annotations"] == []
    assert not {"end", "duration", "cause"} & set(record)


async def test_a_fire_tells_the_actions_its_headers_but_not_who_fired(ruled: httpx.AsyncClient) -> None:
    activation_id = (await ruled.post("triggers/t", json={}, headers={"X-A": "b"})).json()["activationId"]
    record = (await ruled.get(f"activations/{activation_id}")).json()
    run = json.loads(record["logs"][0])["activationId"]
    with anyio.fail_after(10):
        while (result := await ruled.get(f"activations/{run}/result")).status_code == 404:
            await anyio.sleep(0.01)
    headers = result.json()["result"]["__ow_headers"]
    assert headers["x-a"] == "b"
    assert "authorization" not in headers


async def test_firing_what_does_not_exist_is_404(guest: httpx.AsyncClient) -> None:
    assert (await guest.post("triggers/none", json={})).status_code == 404


async def test_a_feed_must_be_a_name(guest: httpx.AsyncClient) -> None:
    for name in ("/whisk.system/alarms/alarm", "package/feed", "feed"):
        good = {"annotations": [{"key": "feed", "value": name}]}
        assert (await guest.put("triggers/good?overwrite=true", json=good)).status_code == 200
    for nonsense in (7, "", "/", "a,b", ["feed"]):
        bad = {"annotations": [{"key": "feed", "value": nonsense}]}
        answer = await guest.put("triggers/bad", json=bad)
        assert (answer.status_code, answer.json()["error"]) == (400, "Feed name is not valid")
