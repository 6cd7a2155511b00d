"""Upstream's `WskActionTests`: actions as their authors use them."""

import errno
from typing import Any

import pytest

from compat.openwhisk.asking import ECHO, ID, NODE_ECHO, User, an_action, differs, pairs
from compat.openwhisk.programs import CALL_THE_PLATFORM, HELLO, NODE, PRINT_PARAMETERS, WORD_COUNT
from compat.openwhisk.records import a_record, failed, printed

TEXT = "this is a test"
COUNTED = f"The message '{TEXT}' has 4 words"
ASYNCHRONOUS = f"const count = {WORD_COUNT.strip().replace('main', 'counting')};\n" + (
    "function main(params) { return new Promise((resolve) => setTimeout(() => resolve(count(params)), 100)) }"
)
PROMISE = "function main() { return new Promise((resolve) => setTimeout(() => resolve({ done: true }), 100)) }"
PING = """
import socket, struct
def main(args):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.settimeout(2)
            raw.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FF, 0, 0), ("127.0.0.1", 0))
            return {"answered": len(raw.recv(64))}
    except OSError as error:
        return {"errno": error.errno}
"""
ARRAY = "function main() { return [{ key1: 'value1' }, { key2: 'value2' }] }"


def ended(user: User, name: str, payload: Any = None) -> dict[str, Any]:
    """The record of a call that nobody waited for."""
    return user.ended(user.post(f"actions/{name}", payload).gives({"activationId": ID}, 202)["activationId"])


def copied(user: User, original: str, /, **more: Any) -> dict[str, Any]:
    """The body that makes a copy, as upstream's client puts it together."""
    shown = user.get(f"actions/{original}").json
    return {
        "exec": shown["exec"],
        "parameters": [*more.get("parameters", []), *shown["parameters"]],
        "annotations": [*more.get("annotations", []), *shown["annotations"]],
    }


class TestWskAction:
    def test_create_an_action_with_an_empty_file(self, user: User) -> None:
        shown = an_action(user, "a", code="", kind=NODE)
        user.put("actions/a", {"exec": {"kind": NODE, "code": ""}}).gives(shown)

    def test_invoke_an_action_returning_a_promise(self, user: User) -> None:
        user.make_action("hello promise", PROMISE, kind=NODE)
        assert ended(user, "hello promise") == a_record(user, "hello promise", {"done": True}, kind=NODE)

    def test_invoke_an_action_with_a_space_in_the_name(self, user: User) -> None:
        user.make_action("hello Async", ASYNCHRONOUS, kind=NODE)
        shown = a_record(user, "hello Async", {"count": 4}, kind=NODE, logs=[printed(COUNTED)])
        assert ended(user, "hello Async", {"payload": TEXT}) == shown

    def test_invoke_an_action_that_throws_an_uncaught_exception_and_returns_correct_status_code(
        self, user: User
    ) -> None:
        user.make_action("a", "function main() { throw 'Extraordinary exception' }", kind=NODE)
        record = ended(user, "a")
        response = failed("An error has occurred: Extraordinary exception")
        warned = printed("The action did not initialize or run as expected. Log data might be missing.", "stderr")
        logs = [printed("Extraordinary exception", "stderr"), warned]
        assert record == a_record(user, "a", {}, kind=NODE, response=response, logs=logs)

    def test_pass_parameters_bound_on_creation_time_to_the_action(self, user: User) -> None:
        user.make_action("a", PRINT_PARAMETERS, kind=NODE, parameters=pairs(param1="test1", param2="test2"))
        given = {"param1": "test1", "param2": "test2", "payload": TEXT}
        logs = [printed(f"params.{key}: {value}") for key, value in sorted(given.items())]
        record = ended(user, "a", {"payload": TEXT})
        assert record == a_record(user, "a", {"params": given}, kind=NODE, logs=logs)

    def test_copy_an_action_and_invoke_it_successfully(self, user: User) -> None:
        user.make_package("samples", publish=True)
        user.make_action("samples/wordcount", WORD_COUNT, kind=NODE)
        user.put("actions/copied", copied(user, "samples/wordcount")).gives(
            an_action(user, "copied", code=WORD_COUNT, kind=NODE)
        )
        shown = a_record(user, "copied", {"count": 4}, kind=NODE, logs=[printed(COUNTED)])
        assert ended(user, "copied", {"payload": TEXT}) == shown

    def test_copy_an_action_and_ensure_exec_parameters_and_annotations_copied(self, user: User) -> None:
        user.make_action("original", WORD_COUNT, kind=NODE, parameters=pairs(a="A"), annotations=pairs(b="B"))
        annotations = pairs({"b": "B", "exec": NODE, "provide-api-key": False})
        shown = {"code": WORD_COUNT, "kind": NODE, "parameters": pairs(a="A"), "annotations": annotations}
        user.put("actions/copy", copied(user, "original")).gives(an_action(user, "copy", **shown))
        user.get("actions/copy").gives(an_action(user, "copy", **shown))
        user.get("actions/original").gives(an_action(user, "original", **shown))

    def test_add_new_parameters_and_annotations_while_copying_an_action(self, user: User) -> None:
        user.make_action("original", parameters=pairs(p1="v1", p2=999), annotations=pairs(a1="v1", a2=True))
        body = copied(user, "original", parameters=pairs(p3="v3", p4=123), annotations=pairs(a3="v3", a4=False))
        annotations = {"a1": "v1", "a2": True, "a3": "v3", "a4": False}
        shown = an_action(
            user,
            "copy",
            parameters=pairs(p1="v1", p2=999, p3="v3", p4=123),
            annotations=pairs({**annotations, "exec": "python:3", "provide-api-key": False}),
        )
        user.put("actions/copy", body).gives(shown)

    def test_recreate_and_invoke_a_new_action_with_different_code(self, user: User) -> None:
        user.make_action("a", WORD_COUNT, kind=NODE)
        assert ended(user, "a", {"payload": TEXT})["logs"] == [printed(COUNTED)]
        assert user.delete("actions/a").status == 200
        user.make_action("a", HELLO, kind=NODE)
        shown = a_record(user, "a", {"payload": f"hello, {TEXT}!"}, kind=NODE, logs=[printed(f"hello, {TEXT}!")])
        assert ended(user, "a", {"payload": TEXT}) == shown

    def test_fail_to_invoke_an_action_with_an_empty_file(self, user: User) -> None:
        user.make_action("a", "", kind=NODE)
        record = ended(user, "a")
        response = failed("Missing main/no code to execute.")
        assert record == a_record(user, "a", {}, kind=NODE, response=response, logs=record["logs"])

    @pytest.mark.usefixtures("sandboxed")
    @differs(
        "an action has no network, not even to the platform itself: what calls other actions is a sequence or a "
        "composition, which needs neither network nor key"
    )
    def test_blocking_invoke_of_nested_blocking_actions(self, user: User) -> None:
        user.make_action("a", CALL_THE_PLATFORM, kind=NODE, annotations=pairs({"provide-api-key": True}))
        user.post("actions/a", blocking=True, result=True).gives({"code": "ECONNREFUSED"})

    def test_blocking_invoke_an_asynchronous_action(self, user: User) -> None:
        user.make_action("a", ASYNCHRONOUS, kind=NODE)
        answer = user.post("actions/a", {"payload": TEXT}, blocking=True)
        answer.gives(a_record(user, "a", {"count": 4}, kind=NODE, logs=[printed(COUNTED)]))

    @pytest.mark.usefixtures("sandboxed")
    def test_not_be_able_to_use_ping_in_an_action(self, user: User) -> None:
        user.make_action("ping", PING)
        user.post("actions/ping", blocking=True, result=True).gives({"errno": errno.EPERM})

    def test_support_utf_8_as_input_and_output_format(self, user: User) -> None:
        user.make_action("a", HELLO, kind=NODE)
        text = "«ταБЬℓσö»: 1<2 & 4+1>³, now 20%€§$ off!"
        shown = a_record(user, "a", {"payload": f"hello, {text}!"}, kind=NODE, logs=[printed(f"hello, {text}!")])
        assert ended(user, "a", {"payload": text}) == shown

    def test_invoke_action_with_large_code(self, user: User) -> None:
        most = 48 * 2**20
        body = {"exec": {"kind": NODE, "code": f"{NODE_ECHO:{most}}"}}
        assert user.put("actions/a", body).status == 200
        user.post("actions/a", {"payload": "hello"}, blocking=True, result=True).gives({"payload": "hello"})

    def test_not_delete_existing_annotations_when_updating_action_with_new_annotation(self, user: User) -> None:
        user.make_action("a", annotations=pairs(key1="value1", key2="value2"))
        kept = {"key1": "value1", "key2": "value2", "exec": "python:3", "provide-api-key": False}
        user.get("actions/a").gives(an_action(user, "a", annotations=pairs(kept)))
        body = {"exec": {"kind": "python:3", "code": ECHO}, "annotations": pairs(key3="value3", key4="value4")}
        kept |= {"key3": "value3", "key4": "value4"}
        shown = an_action(user, "a", version="0.0.2", annotations=pairs(kept))
        user.put("actions/a", body, overwrite=True).gives(shown)
        user.get("actions/a").gives(shown)

    def test_invoke_an_action_with_a_array_result(self, user: User) -> None:
        user.make_action("a", ARRAY, kind=NODE)
        result = [{"key1": "value1"}, {"key2": "value2"}]
        assert ended(user, "a") == a_record(user, "a", result, kind=NODE)
        user.post("actions/a", blocking=True).gives(result)
