"""Upstream's `WskRestBasicUsageTests`: what authors rely on when their actions run."""

import time
from typing import Any

import pytest

from compat.openwhisk.asking import ID, NODE_ECHO, User, differs, pairs
from compat.openwhisk.programs import CALL_THE_PLATFORM, CONTEXT, HANG_AT_START, HELLO, NODE
from compat.openwhisk.records import LIMITS, a_record, failed, printed

WARNED = printed("The action did not initialize or run as expected. Log data might be missing.", "stderr")
HALFWAY_TO_THE_DEADLINE = """
function main(params) {
  const left = process.env.__OW_DEADLINE - Date.now();
  return new Promise((resolve) => {
    if (!params.forceHang) setTimeout(() => resolve({ timedout: true }), left / 2);
    else setInterval(() => {}, 1000);
  });
}
"""


def ended(user: User, name: str, payload: Any = None) -> dict[str, Any]:
    """The record of a call that nobody waited for."""
    return user.ended(user.post(f"actions/{name}", payload).gives({"activationId": ID}, 202)["activationId"])


def context_of(user: User) -> dict[str, Any]:
    """What the action `context` is told, checked but for its key."""
    before_ms = int(time.time() * 1000)
    record = user.invoke("context")
    told: dict[str, Any] = record["response"]["result"]
    assert int(told.pop("__OW_DEADLINE")) >= before_ms + LIMITS["timeout"]
    assert told.pop("__OW_TRANSACTION_ID") != ""
    key = {"__OW_API_KEY": told.pop("__OW_API_KEY")} if "__OW_API_KEY" in told else {}
    assert told == {
        "__OW_API_HOST": user.server.url,
        "__OW_NAMESPACE": user.namespace,
        "__OW_ACTION_NAME": f"/{user.namespace}/context",
        "__OW_ACTION_VERSION": "0.0.1",
        "__OW_ACTIVATION_ID": record["activationId"],
    }
    return key


class TestWskRestBasicUsage:
    def test_invoke_an_action_that_exits_during_initialization_and_get_appropriate_error(self, user: User) -> None:
        user.make_action("abort init", "process.exit(1);", kind=NODE)
        response = failed("The action did not initialize and exited unexpectedly.")
        shown = a_record(user, "abort init", {}, kind=NODE, response=response, logs=[WARNED])
        assert ended(user, "abort init") == shown

    def test_invoke_an_action_that_hangs_during_initialization_and_get_appropriate_error(self, user: User) -> None:
        limits = {**LIMITS, "timeout": 500}
        user.make_action("hang init", HANG_AT_START, kind=NODE, limits=limits)
        response = failed("The action exceeded its time limits of 500 milliseconds during initialization.")
        ran = {"limits": limits, "timeout": True}
        shown = a_record(user, "hang init", {}, kind=NODE, response=response, logs=[WARNED], ran=ran)
        record = ended(user, "hang init")
        assert record == shown
        assert record["duration"] >= 500

    def test_invoke_an_action_that_exits_during_run_and_get_appropriate_error(self, user: User) -> None:
        user.make_action("abort run", "function main() { process.exit(1); }", kind=NODE)
        response = failed("The action did not produce a valid response and exited unexpectedly.")
        shown = a_record(user, "abort run", {}, kind=NODE, response=response, logs=[WARNED])
        assert ended(user, "abort run") == shown

    def test_ensure_keys_are_not_omitted_from_activation_record(self, user: User) -> None:
        user.make_action("a", "function main(params) { return { payload: params.payload } }", kind=NODE)
        shown = a_record(user, "a", {}, kind=NODE)
        record = ended(user, "a")
        assert record == shown
        assert 0 < record["start"] <= record["end"]
        user.get(f"activations/{record['activationId']}").gives(shown)

    def test_write_the_action_path_and_the_limits_to_the_annotations(self, user: User) -> None:
        limits = {"timeout": 60_000, "memory": 512, "logs": 1, "concurrency": 1}
        user.make_package("p")
        for name in ("a", "p/a"):
            user.make_action(name, limits=limits)
            shown = a_record(user, name, {"x": 1}, ran={"path": f"{user.namespace}/{name}", "limits": limits})
            assert ended(user, name, {"x": 1}) == shown

    @pytest.mark.usefixtures("sandboxed")
    @differs("an action has no network, so it cannot reach the API by the key that it may ask for")
    def test_invoke_an_action_using_npm_openwhisk(self, user: User) -> None:
        user.make_action("a", CALL_THE_PLATFORM, kind=NODE, annotations=pairs({"provide-api-key": True}))
        user.post("actions/a", blocking=True, result=True).gives({"code": "ECONNREFUSED"})

    def test_invoke_an_action_receiving_context_properties_excluding_api_key(self, user: User) -> None:
        user.make_action("context", CONTEXT, kind=NODE)
        assert context_of(user) == {}

    def test_invoke_an_action_receiving_context_properties_including_api_key(self, user: User) -> None:
        user.make_action("context", CONTEXT, kind=NODE, annotations=pairs({"provide-api-key": True}))
        assert context_of(user) == {"__OW_API_KEY": user.key}

    def test_invoke_an_action_successfully_with_options_blocking_and_result(self, user: User) -> None:
        user.make_action("a", NODE_ECHO, kind=NODE)
        user.post("actions/a", {"hello": "Robert"}, blocking=True, result=True).gives({"hello": "Robert"})

    def test_invoke_an_action_that_returns_a_result_by_the_deadline(self, user: User) -> None:
        limits = {**LIMITS, "timeout": 1500}
        user.make_action("a", HALFWAY_TO_THE_DEADLINE, kind=NODE, limits=limits)
        assert ended(user, "a") == a_record(user, "a", {"timedout": True}, kind=NODE, ran={"limits": limits})

    def test_invoke_an_action_twice_where_the_first_times_out_but_the_second_does_not_and_should_succeed(
        self, user: User
    ) -> None:
        limits = {**LIMITS, "timeout": 1500}
        user.make_action("a", HALFWAY_TO_THE_DEADLINE, kind=NODE, limits=limits)
        response = failed("The action exceeded its time limits of 1500 milliseconds.")
        ran = {"limits": limits, "timeout": True}
        hung = a_record(user, "a", {}, kind=NODE, response=response, logs=[WARNED], ran=ran)
        assert ended(user, "a", {"forceHang": True}) == hung
        good = a_record(user, "a", {"timedout": True}, kind=NODE, ran={"limits": limits})
        assert ended(user, "a", {"forceHang": False}) == good

    def test_invoke_action_while_not_encoding_special_characters(self, user: User) -> None:
        user.make_action("a", HELLO, kind=NODE)
        answer = user.post("actions/a", {"payload": "&<>"}, blocking=True)
        answer.gives(a_record(user, "a", {"payload": "hello, &<>!"}, kind=NODE, logs=[printed("hello, &<>!")]))
        assert answer.content.count(b"hello, &<>!") == 2
