"""Upstream's `WskSequenceTests`: how sequences run, and what their records say."""

from typing import Any

from compat.openwhisk.asking import ECHO, ID, Answer, User, pairs
from compat.openwhisk.programs import APPLICATION_ERROR as FAILING
from compat.openwhisk.programs import HANG_AT_START, HELLO, NODE, PRINT_PARAMETERS, SLEEP
from compat.openwhisk.records import (
    APPLICATION_ERROR,
    a_fire,
    a_record,
    a_sequence_record,
    failed,
    fire,
    invoked,
    parts_of,
    printed,
    runs_of,
    without_headers,
)

TOO_LONG = "Too many actions in the sequence."
LONGEST = 50
SPLIT = "def main(args):\n    return {'lines': args['payload'].split('\\n'), 'payload': args['payload']}\n"
SORT = "def main(args):\n    return {'lines': sorted(args['lines']), 'length': len(args['lines'])}\n"
HEAD = "def main(args):\n    return {'lines': args['lines'][:1], 'num': 1}\n"
CAT = "def main(args):\n    return {'lines': args['lines'], 'payload': '\\n'.join(args['lines'])}\n"
SPLIT_ARRAY = "def main(args):\n    return args['payload'].split('\\n')\n"
SORT_ARRAY = "def main(lines):\n    return sorted(lines)\n"
LINES = "what time is it?\nit is now"
LAST = {"lines": ["it is now"], "payload": "it is now"}
BOTH = {"lines": ["it is now", "what time is it?"], "length": 2}


def with_actions(user: User, **codes: str) -> None:
    for name, code in codes.items():
        user.make_action(name, code)


def ran(user: User, answer: Answer, shown: dict[str, Any], status: int = 200) -> list[dict[str, Any]]:
    """The parts of the sequence whose record is `shown`, whole."""
    return parts_of(user, answer.gives(shown, status))


class TestWskSequence:
    def test_invoke_a_sequence_with_normal_payload_and_payload_with_error_field(self, user: User) -> None:
        with_actions(user, split=SPLIT, sort=SORT, head=HEAD, cat=CAT)
        user.make_sequence("s", ["/_/split", "/_/sort", "/_/head", "/_/cat"])
        answer = user.post("actions/s", {"payload": LINES}, blocking=True)
        parts = ran(user, answer, a_sequence_record(user, "s", LAST, 4))
        assert [part["name"] for part in parts] == ["split", "sort", "head", "cat"]
        user.make_sequence("s", ["/_/split", "/_/sort"])
        for payload in ({"payload": LINES}, {"payload": LINES, "error": "irrelevant error string"}):
            answer = user.post("actions/s", payload, blocking=True)
            ran(user, answer, a_sequence_record(user, "s", BOTH, 2, version=answer.json["version"]))

    def test_invoke_a_sequence_with_an_enclosing_sequence_action(self, user: User) -> None:
        with_actions(user, split=SPLIT, sort=SORT, head=HEAD, cat=CAT)
        user.make_sequence("inner", ["/_/sort", "/_/head"])
        user.make_sequence("outer", ["/_/split", "/_/inner", "/_/cat"])
        answer = user.post("actions/outer", {"payload": LINES}, blocking=True)
        parts = ran(user, answer, a_sequence_record(user, "outer", LAST, 3))
        within = {"cause": answer.json["activationId"], "ran": {"topmost": False, "causedBy": "sequence"}}
        assert parts[1] == a_sequence_record(user, "inner", {"lines": ["it is now"], "num": 1}, 2, **within)
        assert [part["name"] for part in parts_of(user, parts[1])] == ["sort", "head"]

    def test_replace_atomic_component_in_a_sequence_that_is_too_long_and_report_invoke_error(self, user: User) -> None:
        user.make_action("echo")
        user.make_sequence("x", ["/_/echo"])
        user.make_sequence("s", ["/_/echo", "/_/x", "/_/echo"])
        answer = user.post("actions/s", {"payload": LINES}, blocking=True)
        ran(user, answer, a_sequence_record(user, "s", {"payload": LINES}, 3))
        assert user.get("/").json["limits"]["sequence_length"] == LONGEST
        user.make_sequence("x", ["/_/echo"] * LONGEST)
        answer = user.post("actions/s", {"payload": LINES}, blocking=True)
        response = failed(TOO_LONG, APPLICATION_ERROR)
        parts = ran(user, answer, a_sequence_record(user, "s", {}, 2, response=response), 502)
        assert parts[1]["logs"] == [ID] * (LONGEST - 1)
        assert parts[1]["response"] == response

    def test_create_and_run_a_sequence_in_a_package_with_parameters(self, user: User) -> None:
        user.make_package("p", parameters=pairs(payload="LonelyPackage"))
        user.make_action("p/hello", HELLO, kind=NODE, parameters=pairs(payload="AtomicAction"))
        user.make_sequence("s", ["/_/p/hello"])

        def greets(payload: dict[str, str], name: str) -> None:
            answer = user.post("actions/s", payload, blocking=True)
            greeting = f"hello, {name}!"
            (part,) = ran(user, answer, a_sequence_record(user, "s", {"payload": greeting}, 1))
            assert part["logs"] == [printed(greeting)]

        greets({}, "AtomicAction")
        greets({"payload": "AlmightySequence"}, "AlmightySequence")
        user.make_action("p/hello", HELLO, kind=NODE, parameters=pairs(param="irrelevant"))
        greets({"payload": "AlmightySequence"}, "AlmightySequence")
        greets({}, "LonelyPackage")

    def test_run_a_sequence_with_an_action_in_a_package_binding_with_parameters(self, user: User) -> None:
        user.make_package("package1", parameters=pairs(key1a="value1a", key1b="value1b"))
        user.make_action("package1/print", PRINT_PARAMETERS, kind=NODE, parameters=pairs(key0="value0"))
        user.make_binding("package2", user.namespace, "package1", parameters=pairs(key2a="value2a", key1b="value2b"))
        user.make_sequence("s", ["/_/package2/print"])
        given = {"key0": "value0", "key1a": "value1a", "key1b": "value2b", "key2a": "value2a", "payload": "now"}
        answer = user.post("actions/s", {"payload": "now"}, blocking=True)
        (part,) = ran(user, answer, a_sequence_record(user, "s", {"params": given}, 1))
        assert part["logs"] == [printed(f"params.{key}: {value}") for key, value in given.items()]

    def test_contain_an_binding_annotation_if_invoked_action_is_in_a_package_binding(self, user: User) -> None:
        user.make_package("p")
        user.make_action("p/a")
        user.make_binding("b", user.namespace, "p")
        user.make_sequence("p/s", ["/_/b/a"])
        bound = {"binding": f"{user.namespace}/b"}
        answer = user.post("actions/b/s", {"x": 1}, blocking=True)
        (part,) = ran(user, answer, a_sequence_record(user, "p/s", {"x": 1}, 1, ran=bound))
        cause = answer.json["activationId"]
        assert part == a_record(user, "p/a", {"x": 1}, cause=cause, ran={**bound, "causedBy": "sequence"})

    def test_stop_execution_of_a_sequence_with_no_payload_on_error(self, user: User) -> None:
        with_actions(user, failing=FAILING, echo=ECHO)
        user.make_sequence("s", ["/_/failing", "/_/echo"])
        response = failed("This error thrown on purpose by the action.", APPLICATION_ERROR)
        answer = user.send("POST", "actions/s", params={"blocking": "true"})
        (part,) = ran(user, answer, a_sequence_record(user, "s", {}, 1, response=response), 502)
        assert (part["name"], part["response"]) == ("failing", response)

    def test_propagate_execution_error_timeout_from_atomic_action_to_sequence(self, user: User) -> None:
        user.make_action("echo")
        user.make_action("hanging", HANG_AT_START, kind=NODE, limits={"timeout": 300})
        user.make_sequence("s", ["/_/echo", "/_/hanging"])
        response = failed("The action exceeded its time limits of 300 milliseconds during initialization.")
        answer = user.post("actions/s", {"x": 1}, blocking=True)
        parts = ran(user, answer, a_sequence_record(user, "s", {}, 2, response=response), 502)
        assert [part["response"]["success"] for part in parts] == [True, False]

    def test_execute_a_sequence_in_blocking_fashion_and_finish_execution_even_if_longer_than_blocking_response_timeout(
        self, user: User
    ) -> None:
        with_actions(user, echo=ECHO, sleep=SLEEP)
        user.make_sequence("s", ["/_/echo", "/_/sleep"])
        answer = user.post("actions/s", {"ms": 1000}, blocking=True, timeout=100)
        whole = user.ended(answer.gives({"activationId": ID}, 202)["activationId"])
        assert whole == a_sequence_record(user, "s", {"slept": 1000}, 2)
        assert len(parts_of(user, whole)) == 2

    def test_execute_a_sequence_that_is_part_of_a_rule_and_pass_the_trigger_parameters_to_the_sequence(
        self, user: User
    ) -> None:
        user.make_trigger("t", parameters=pairs(payload="it is now"))
        user.make_action("echo")
        user.make_sequence("s", ["/_/echo"])
        user.make_rule("r", "t", "s")
        for payload, passed in (({}, "it is now"), ({"payload": "this is now"}, "this is now")):
            fired = fire(user, "t", payload)
            assert fired == a_fire(user, "t", payload, [invoked(user, "r", "s")])
            (whole,) = runs_of(user, fired)
            result = whole["response"]["result"]
            assert without_headers(result) == {"payload": passed}
            assert whole == a_sequence_record(user, "s", result, 1)

    def test_run_a_sub_action_even_if_it_is_updated_while_the_sequence_action_is_running(self, user: User) -> None:
        user.make_action("sleep", SLEEP, parameters=pairs(ms=2000))
        user.make_action("echo")
        user.make_sequence("s", ["/_/sleep", "/_/echo"])
        begun = user.post("actions/s").gives({"activationId": ID}, 202)
        for name in ("a", "b"):
            assert user.put("actions/echo", {"annotations": pairs({name: "x"})}, overwrite=True).status == 200
            assert user.result("echo", {"x": 1}) == {"x": 1}
        whole = user.ended(begun["activationId"])
        assert whole == a_sequence_record(user, "s", {"slept": 2000}, 2)
        assert [part["version"] for part in parts_of(user, whole)] == ["0.0.1", "0.0.3"]

    def test_invoke_a_sequence_which_supports_array_result(self, user: User) -> None:
        with_actions(user, split=SPLIT_ARRAY, sort=SORT_ARRAY)
        user.make_sequence("s", ["/_/split", "/_/sort"])
        result = ["aaa", "bbb", "ccc"]
        answer = user.post("actions/s", {"payload": "bbb\naaa\nccc"}, blocking=True)
        answer.gives(result)
        whole = user.ended(answer.headers["x-openwhisk-activation-id"])
        assert whole == a_sequence_record(user, "s", result, 2)
        assert [part["response"]["result"] for part in parts_of(user, whole)] == [["bbb", "aaa", "ccc"], result]
