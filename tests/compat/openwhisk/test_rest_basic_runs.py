"""Upstream's `WskRestBasicTests`: what is run, and what is known of it afterwards."""

import base64
import io
import zipfile
from typing import Any

import pytest

from compat.openwhisk.asking import ID, MISSING, NODE_ECHO, User, a_trigger, matching, pairs
from compat.openwhisk.programs import NODE, SLEEP, WORD_COUNT
from compat.openwhisk.records import (
    APPLICATION_ERROR,
    a_fire,
    a_record,
    failed,
    fire,
    invoked,
    not_invoked,
    printed,
    runs_of,
    without_headers,
)

SCRIPT = """#!/bin/sh
echo "This is an example zip used with the docker skeleton action."
echo '{ "msg": "hello zip" }'
"""


def zipped(name: str, text: str) -> str:
    """A zip archive of one executable file, as base64."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = 0o755 << 16
        archive.writestr(member, text)
    return base64.b64encode(held.getvalue()).decode()


class TestWskRestBasic:
    def test_create_and_invoke_an_action_that_utilizes_dockerskeleton_with_native_zip(self, user: User) -> None:
        executed = {"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": zipped("exec", SCRIPT)}
        assert user.put("actions/a", {"exec": executed}).status == 200
        record = user.invoke("a")
        shown = a_record(user, "a", {"msg": "hello zip"}, kind="blackbox")
        shown["logs"] = [printed("This is an example zip used with the docker skeleton action.")]
        assert user.ended(record["activationId"]) == shown

    def test_create_and_invoke_an_action_using_a_parameter_file(self, user: User) -> None:
        user.make_action("a", "function main(params) { return { payload: params.payload } }", kind=NODE)
        answer = user.send("POST", "actions/a", content=b'{\n  "payload": "test"\n}\n')
        record = user.ended(answer.gives({"activationId": ID}, 202)["activationId"])
        assert record == a_record(user, "a", {"payload": "test"}, kind=NODE)

    def test_create_and_invoke_action_with_malformed_js_resulting_in_activation_error(self, user: User) -> None:
        user.make_action("a", "x", kind=NODE)
        error = matching(r"Initialization has failed due to: ReferenceError: x is not defined\n.*")
        answer = user.post("actions/a", {"payload": "whatever"}, blocking=True)
        shown = a_record(user, "a", {}, kind=NODE, response=failed(error), logs=answer.json["logs"])
        answer.gives(shown, 502)
        assert any("ReferenceError" in line for line in user.ended(answer.json["activationId"])["logs"])

    @pytest.mark.parametrize("error", ["Error message", 502, True])
    def test_create_and_invoke_a_blocking_action_resulting_in_an_application_error_response(
        self, user: User, error: object
    ) -> None:
        user.make_action("a", NODE_ECHO, kind=NODE)
        shown = a_record(user, "a", {}, kind=NODE, response=failed(error, APPLICATION_ERROR))
        user.post("actions/a", {"error": error}, blocking=True).gives(shown, 502)
        user.post("actions/a", {"error": error}, blocking=True, result=True).gives({"error": error}, 502)

    def test_create_and_invoke_a_blocking_action_resulting_in_an_failed_promise(self, user: User) -> None:
        user.make_action("a", "function main() { return Promise.reject({ msg: 'on purpose' }) }", kind=NODE)
        answer = user.post("actions/a", blocking=True)
        response = failed({"msg": "on purpose"}, APPLICATION_ERROR)
        answer.gives(a_record(user, "a", {}, kind=NODE, response=response, logs=answer.json["logs"]), 502)
        user.post("actions/a", blocking=True, result=True).gives({"error": {"msg": "on purpose"}}, 502)

    def test_invoke_a_blocking_action_and_get_only_the_result(self, user: User) -> None:
        user.make_action("a", WORD_COUNT, kind=NODE)
        user.post("actions/a", {"payload": "one two three"}, blocking=True, result=True).gives({"count": 3})

    def test_create_an_action_and_invoke_an_action_that_returns_an_empty_json_object(self, user: User) -> None:
        user.make_action("a", "function main(params) {}", kind=NODE)
        user.post("actions/a", blocking=True, result=True).gives({})

    def test_create_and_invoke_an_action_that_times_out_to_ensure_the_proper_response_is_received(
        self, user: User
    ) -> None:
        user.make_action("a", SLEEP)
        answer = user.post("actions/a", {"ms": 1500}, blocking=True, result=True, timeout=200)
        answer.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": answer.json["activationId"]})
        assert user.ended(answer.json["activationId"]) == a_record(user, "a", {"slept": 1500})

    # --- triggers ---

    def test_create_update_get_fire_and_list_trigger(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(a="A"))
        user.put("triggers/t", {}, overwrite=True).gives(a_trigger(user, "t", version="0.0.2", parameters=pairs(a="A")))
        user.make_action("a")
        user.make_rule("r", "t", "a")
        rules = {f"{user.namespace}/r": {"action": {"path": user.namespace, "name": "a"}, "status": "active"}}
        shown = a_trigger(user, "t", version="0.0.2", parameters=pairs(a="A"), rules=rules)
        user.get("triggers/t").gives(shown)
        for payload in ({"t": "T"}, {}):
            fired = fire(user, "t", payload)
            assert fired == {**a_fire(user, "t", payload, [invoked(user, "r", "a")]), "version": "0.0.2"}
            (run,) = runs_of(user, fired)
            assert without_headers(run["response"]["result"]) == {"a": "A", **payload}
        summary = {key: value for key, value in shown.items() if key not in ("parameters", "limits", "rules")}
        user.get("triggers").gives([summary])

    def test_create_and_fire_a_trigger_using_a_parameter_file(self, user: User) -> None:
        ruled(user, "a")
        answer = user.send("POST", "triggers/t", content=b'{\n  "payload": "test"\n}\n')
        fired = user.ended(answer.gives({"activationId": ID}, 202)["activationId"])
        assert fired == a_fire(user, "t", {"payload": "test"}, [invoked(user, "to-a", "a")])

    def test_create_and_fire_a_trigger_to_ensure_result_is_empty(self, user: User) -> None:
        ruled(user, "a")
        answer = user.send("POST", "triggers/t")
        fired = user.ended(answer.gives({"activationId": ID}, 202)["activationId"])
        assert fired == a_fire(user, "t", {}, [invoked(user, "to-a", "a")])

    def test_create_and_fire_a_trigger_with_a_rule_whose_action_has_been_deleted(self, user: User) -> None:
        ruled(user, "a", "b")
        assert user.delete("actions/b").status == 200
        missing = not_invoked(user, "to-b", "b", MISSING)
        assert fire(user, "t") == a_fire(user, "t", {}, [invoked(user, "to-a", "a"), missing])

    def test_create_and_fire_a_trigger_having_an_active_rule_and_an_inactive_rule(self, user: User) -> None:
        ruled(user, "a", "b")
        user.post("rules/to-b", {"status": "inactive"}).is_empty(200)
        names = f"Rule '{user.namespace}/to-b' is inactive, action '{user.namespace}/b' was not activated."
        inactive = not_invoked(user, "to-b", "b", names)
        assert fire(user, "t") == a_fire(user, "t", {}, [invoked(user, "to-a", "a"), inactive])

    def test_create_a_trigger_and_fire_a_trigger_to_get_its_individual_fields_from_an_activation(
        self, user: User
    ) -> None:
        ruled(user, "a")
        fired = fire(user, "t")
        shown: dict[str, Any] = a_fire(user, "t", {}, [invoked(user, "to-a", "a")])
        user.get(f"activations/{fired['activationId']}").gives({**shown, "activationId": fired["activationId"]})
        assert not {"end", "duration", "cause"} & set(fired)


def ruled(user: User, *actions: str) -> None:
    """With a trigger `t`, and a rule from it to each action."""
    user.make_trigger("t")
    for action in actions:
        user.make_action(action)
        user.make_rule(f"to-{action}", "t", action)
