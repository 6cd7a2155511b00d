"""Upstream's `ActionsApiTests`: how actions are listed, read, written, deleted and invoked."""

import pytest

from compat.openwhisk import pages
from compat.openwhisk.asking import (
    ECHO,
    ID,
    MB,
    MISSING,
    MS,
    NODE_ECHO,
    WRONG_COLLECTION,
    User,
    a_trigger,
    an_action,
    matching,
    pairs,
)


def summary(user: User, name: str, **changed: object) -> dict[str, object]:
    shown = an_action(user, name, code=None, **changed)
    shown["exec"] = {"binary": False}
    del shown["parameters"]
    return shown


class TestActions:
    def test_return_empty_list_when_no_actions_exist(self, user: User) -> None:
        user.get("actions").gives([])

    def test_list_actions_by_default_namespace(self, user: User) -> None:
        for name in ("a", "b"):
            user.make_action(name, parameters=pairs(x="b"))
        user.get("actions").gives([summary(user, "b"), summary(user, "a")])

    def test_reject_list_when_limit_is_greater_than_maximum_allowed_value(self, user: User) -> None:
        pages.refuses_a_limit_beyond_the_maximum(user, "actions")

    def test_reject_list_when_limit_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_limit_that_is_no_integer(user, "actions")

    def test_reject_list_when_skip_is_negative(self, user: User) -> None:
        pages.refuses_a_negative_skip(user, "actions")

    def test_reject_list_when_skip_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_skip_that_is_no_integer(user, "actions")

    def test_list_action_with_explicit_namespace(self, user: User) -> None:
        user.make_action("a")
        user.get(f"/namespaces/{user.namespace}/actions").gives([summary(user, "a")])

    def test_reject_list_action_with_explicit_namespace_not_owned_by_subject(self, user: User, other: User) -> None:
        text = f"The supplied authentication is not authorized to access '{other.namespace}'."
        user.get(f"/namespaces/{other.namespace}/actions").refuses(403, text)

    def test_list_should_reject_request_with_post(self, user: User) -> None:
        user.post("actions").refuses(405, "HTTP method not allowed, supported methods: GET")

    def test_count_and_skip_and_limit(self, user: User) -> None:
        for name in ("a", "b", "c"):
            user.make_action(name)
        user.get("actions", count=True).gives({"actions": 3})
        user.get("actions", count=True, skip=1).gives({"actions": 2})
        user.get("actions", skip=1, limit=1).gives([summary(user, "b")])
        user.get("actions", limit=0).gives([summary(user, name) for name in "cba"])

    # --- read ---

    def test_get_action_by_name_in_default_namespace(self, user: User) -> None:
        user.make_action("a", parameters=pairs(x="b"))
        user.get("actions/a").gives(an_action(user, "a", parameters=pairs(x="b")))

    def test_get_action_with_updated_field(self, user: User) -> None:
        updated = user.make_action("a")["updated"]
        user.get("actions/a").gives(an_action(user, "a", updated=updated))
        user.get("actions/a", code=False).gives(an_action(user, "a", updated=updated, code=None))

    def test_ignore_updated_field_when_updating_action(self, user: User) -> None:
        made = user.make_action("a")
        body = {"exec": {"kind": "python:3", "code": ECHO}, "updated": 1}
        changed = user.put("actions/a", body, overwrite=True).gives(an_action(user, "a", version="0.0.2"))
        assert changed["updated"] >= made["updated"]

    @pytest.mark.parametrize(
        ("executed", "shown"),
        [
            ({"code": "RHViZWU=", "image": "bb", "main": "m"}, {"image": "bb", "binary": True, "main": "m"}),
            ({"code": "", "image": "bb", "main": "m"}, {"image": "bb", "binary": False, "main": "m"}),
            ({"code": "RHViZWU=", "image": "bb"}, {"image": "bb", "binary": True}),
            ({"code": "", "image": "bb"}, {"image": "bb", "binary": False}),
            ({"kind": "java:17", "code": "RHViZWU=", "main": "m"}, {"binary": True, "main": "m"}),
            ({"kind": "nodejs:20", "code": "RHViZWU=", "main": "m"}, {"binary": True, "main": "m"}),
            ({"kind": "nodejs:20", "code": "", "main": "m"}, {"binary": False, "main": "m"}),
            ({"kind": "nodejs:20", "code": "RHViZWU="}, {"binary": True}),
            ({"kind": "nodejs:20", "code": ""}, {"binary": False}),
        ],
    )
    def test_get_action_using_code_query_parameter(
        self, user: User, executed: dict[str, str], shown: dict[str, object]
    ) -> None:
        kind = executed.setdefault("kind", "blackbox")
        code = {} if (kind, executed["code"]) == ("blackbox", "") else {"code": executed["code"]}
        bare = an_action(user, "a", exec={"kind": kind, **shown}, annotations=annotated(kind))
        whole = {**bare, "exec": {**bare["exec"], **code}}
        user.put("actions/a", {"exec": executed}).gives(whole)
        user.get("actions/a", code=False).gives(bare)
        user.get("actions/a").gives(whole)
        user.get("actions/a", code=True).gives(whole)
        user.delete("actions/a").gives(whole)

    def test_get_sequence_using_code_query_parameter(self, user: User) -> None:
        user.make_action("a")
        components = [f"/{user.namespace}/a"]
        user.make_sequence("s", components)
        shown = an_action(
            user,
            "s",
            exec={"kind": "sequence", "components": components, "binary": False},
            annotations=annotated("sequence"),
            parameters=pairs(_actions=components),
        )
        del shown["exec"]["binary"]
        for query in ({}, {"code": True}, {"code": False}):
            user.get("actions/s", **query).gives(shown)

    def test_report_not_found_for_get_non_existent_action(self, user: User) -> None:
        user.get("actions/xyz").refuses(404, MISSING)

    def test_report_conflict_if_the_name_was_of_a_different_type(self, user: User) -> None:
        user.put("triggers/t", {}).gives(a_trigger(user, "t"))
        user.get("actions/t").refuses(409, WRONG_COLLECTION)

    def test_reject_long_entity_names(self, user: User) -> None:
        long = "a" * 257
        user.get(f"/namespaces/{long}/actions/{long}").refuses(400, "Namespace longer than allowed: 257 > 256.")
        for path in (long, f"pkg/{long}", f"{long}/a", f"{long}/{long}"):
            user.get(f"actions/{path}").refuses(400, "Name segement longer than allowed: 257 > 256.")

    # --- delete ---

    def test_delete_action_by_name(self, user: User, other: User) -> None:
        user.make_action("a")
        path = f"/namespaces/{user.namespace}/actions/a"
        text = f"The supplied authentication is not authorized to access '{user.namespace}/a'."
        other.delete(path).refuses(403, text)
        user.delete(path).gives(an_action(user, "a"))
        user.get("actions/a").refuses(404, MISSING)

    def test_reject_delete_action_by_name_not_owned_by_subject(self, user: User, other: User) -> None:
        user.make_action("a")
        text = f"The supplied authentication is not authorized to access '{user.namespace}/a'."
        other.delete(f"/namespaces/{user.namespace}/actions/a").refuses(403, text)
        user.get("actions/a").gives(an_action(user, "a"))

    def test_report_not_found_for_delete_non_existent_action(self, user: User) -> None:
        user.delete("actions/xyz").refuses(404, MISSING)

    # --- write ---

    def test_put_should_reject_request_missing_json_content(self, user: User) -> None:
        answer = user.send("PUT", "actions/a", content=b"<a/>", headers={"content-type": "text/xml"})
        answer.refuses(415, "The request's Content-Type is not supported. Expected:\napplication/json")

    def test_put_should_reject_request_missing_property_exec(self, user: User) -> None:
        user.put("actions/a", {"parameters": pairs(x="b")}).refuses(400, "exec undefined")

    def test_put_should_reject_request_with_malformed_property_exec(self, user: User) -> None:
        text = "The request content was malformed:\n'kind' must be a string defined in 'exec'"
        user.put("actions/a", {"parameters": [], "exec": {}}).refuses(400, text)

    def test_reject_create_with_exec_which_is_too_big(self, user: User) -> None:
        code = "a" * (48 * MB + 1)
        text = f"exec larger than allowed: {len(code)} > {48 * MB} bytes."
        user.put("actions/a", {"exec": {"kind": "python:3", "code": code}}).refuses(413, text)

    def test_reject_exec_with_unknown_or_missing_kind(self, user: User) -> None:
        unknown = matching(
            r"The request content was malformed:\nThe specified runtime '.*' is not supported.*'python:3'.*"
        )
        for kind in ("foobar", "nodejs:1", ""):
            user.put("actions/a", {"exec": {"kind": kind, "code": "??"}}).refuses(400, unknown)
        text = "The request content was malformed:\n'kind' must be a string defined in 'exec'"
        user.put("actions/a", {"exec": {"code": "??"}}).refuses(400, text)

    def test_reject_update_with_exec_which_is_too_big(self, user: User) -> None:
        user.make_action("a")
        code = "a" * (48 * MB + 1)
        text = f"exec larger than allowed: {len(code)} > {48 * MB} bytes."
        user.put("actions/a", {"exec": {"kind": "python:3", "code": code}}, overwrite=True).refuses(413, text)
        user.get("actions/a").gives(an_action(user, "a"))

    def test_reject_create_with_parameters_which_are_too_big(self, user: User) -> None:
        body = {"exec": {"kind": "python:3", "code": "??"}, "parameters": pairs(x="b" * MB)}
        text = matching(rf"parameters larger than allowed: \d+ > {MB} bytes\.")
        user.put("actions/a", body).refuses(413, text)

    def test_reject_create_with_annotations_which_are_too_big(self, user: User) -> None:
        body = {"exec": {"kind": "python:3", "code": "??"}, "annotations": pairs(x="b" * MB)}
        text = matching(rf"annotations larger than allowed: \d+ > {MB} bytes\.")
        user.put("actions/a", body).refuses(413, text)

    @pytest.mark.parametrize(
        ("limits", "text"),
        [
            ({"memory": 513}, "memory size 513 MB exceeds allowed threshold of 512 MB"),
            ({"memory": 127}, "memory size 127 MB below allowed threshold of 128 MB"),
            ({"logs": 11}, "log size 11 MB exceeds allowed threshold of 10 MB"),
            ({"logs": -1}, "log size -1 MB below allowed threshold of 0 MB"),
            ({"timeout": 300_001}, "duration 300001 milliseconds exceeds allowed threshold of 300000 milliseconds"),
            ({"timeout": 99}, "duration 99 milliseconds below allowed threshold of 100 milliseconds"),
            ({"concurrency": 2}, "concurrency 2 exceeds allowed threshold of 1"),
            ({"concurrency": 0}, "concurrency 0 below allowed threshold of 1"),
        ],
    )
    def test_reject_create_when_a_limit_is_out_of_the_systems_range(
        self, user: User, limits: dict[str, int], text: str
    ) -> None:
        body = {"exec": {"kind": "python:3", "code": "??"}, "limits": limits}
        user.put("actions/a", body).refuses(400, text)

    def test_put_should_accept_request_with_missing_optional_properties(self, user: User) -> None:
        user.put("actions/a", {"exec": {"kind": "python:3", "code": "??"}}).gives(an_action(user, "a", code="??"))

    def test_put_should_accept_blackbox_exec_with_empty_code_property(self, user: User) -> None:
        executed = {"kind": "blackbox", "image": "bb", "binary": False}
        body = {"exec": {"kind": "blackbox", "image": "bb", "code": ""}}
        user.put("actions/a", body).gives(an_action(user, "a", exec=executed, annotations=annotated("blackbox")))

    def test_put_should_accept_blackbox_exec_with_non_empty_code_property(self, user: User) -> None:
        executed = {"kind": "blackbox", "image": "bb", "code": "cc", "binary": False}
        body = {"exec": {"kind": "blackbox", "image": "bb", "code": "cc"}}
        user.put("actions/a", body).gives(an_action(user, "a", exec=executed, annotations=annotated("blackbox")))

    def test_preserve_annotations_on_pre_existing_actions(self, user: User) -> None:
        user.make_action("a", annotations=pairs(x="old", y="kept"))
        shown = pairs({"x": "new", "y": "kept", "provide-api-key": False, "exec": "python:3"})
        changed = user.put("actions/a", {"annotations": pairs(x="new")}, overwrite=True)
        changed.gives(an_action(user, "a", version="0.0.2", annotations=shown))

    def test_reset_parameters_when_changing_sequence_action_to_non_sequence(self, user: User) -> None:
        user.make_action("a")
        user.make_sequence("s", ["/_/a"])
        changed = user.put("actions/s", {"exec": {"kind": "python:3", "code": ECHO}}, overwrite=True)
        changed.gives(an_action(user, "s", version="0.0.2"))

    def test_preserve_new_parameters_when_changing_sequence_action_to_non_sequence(self, user: User) -> None:
        user.make_action("a")
        user.make_sequence("s", ["/_/a"])
        body = {"exec": {"kind": "python:3", "code": ECHO}, "parameters": pairs(a="A")}
        changed = user.put("actions/s", body, overwrite=True)
        changed.gives(an_action(user, "s", version="0.0.2", parameters=pairs(a="A")))

    def test_put_should_accept_request_with_parameters_property(self, user: User) -> None:
        body = {"exec": {"kind": "python:3", "code": ECHO}, "parameters": pairs(x="b")}
        user.put("actions/a", body).gives(an_action(user, "a", parameters=pairs(x="b")))

    def test_reject_put_action_in_namespace_not_owned_by_subject(self, user: User, other: User) -> None:
        body = {"exec": {"kind": "python:3", "code": ECHO}}
        text = f"The supplied authentication is not authorized to access '{other.namespace}/a'."
        user.put(f"/namespaces/{other.namespace}/actions/a", body).refuses(403, text)
        other.get("actions").gives([])

    def test_put_should_reject_request_with_parameters_property_as_jsobject(self, user: User) -> None:
        body = {"exec": {"kind": "python:3", "code": ECHO}, "parameters": {"x": "b"}}
        user.put("actions/a", body).refuses(400, matching(r"The request content was malformed:\n.+"))

    def test_put_should_accept_request_with_limits_property(self, user: User) -> None:
        limits = {"timeout": 30_000, "memory": 128, "logs": 1, "concurrency": 1}
        body = {"exec": {"kind": "python:3", "code": ECHO}, "limits": limits}
        user.put("actions/a", body).gives(an_action(user, "a", limits=limits))

    def test_put_and_then_get_an_action_from_cache(self, user: User) -> None:
        user.make_action("a", parameters=pairs(x="b"))
        for _ in range(3):
            user.get("actions/a").gives(an_action(user, "a", parameters=pairs(x="b")))
        user.delete("actions/a").gives(an_action(user, "a", parameters=pairs(x="b")))
        user.get("actions/a").refuses(404, MISSING)

    def test_put_and_then_get_an_action_with_attachment_from_cache(self, user: User) -> None:
        code = "YWJj" * MB
        shown = an_action(user, "a", code=code, kind="nodejs:20", binary=True)
        user.put("actions/a", {"exec": {"kind": "nodejs:20", "code": code}}).gives(shown)
        user.get("actions/a").gives(shown)

    def test_reject_put_with_conflict_for_pre_existing_action(self, user: User) -> None:
        user.make_action("a")
        user.put("actions/a", {"exec": {"kind": "python:3", "code": "??"}}).refuses(409, "resource already exists")
        user.get("actions/a").gives(an_action(user, "a"))

    def test_update_action_with_a_put(self, user: User) -> None:
        user.make_action("a", parameters=pairs(x="b"))
        limits = {"timeout": 60_000, "memory": 256, "logs": 10, "concurrency": 1}
        body = {"exec": {"kind": "nodejs:20", "code": NODE_ECHO}, "limits": limits}
        shown = an_action(user, "a", version="0.0.2", code=NODE_ECHO, kind="nodejs:20", parameters=pairs(x="b"))
        user.put("actions/a", body, overwrite=True).gives(shown)

    def test_update_action_parameters_with_a_put(self, user: User) -> None:
        user.make_action("a", parameters=pairs(x="b"))
        changed = user.put("actions/a", {"parameters": pairs(x="c")}, overwrite=True)
        changed.gives(an_action(user, "a", version="0.0.2", parameters=pairs(x="c")))

    def test_report_proper_error_when_runtime_is_not_supported(self, user: User) -> None:
        answer = user.put("actions/a", {"exec": {"kind": "swift:3.1.1", "code": "??"}})
        answer.refuses(400, matching(r".*The specified runtime 'swift:3.1.1' is not supported by this platform\..*"))

    def test_add_key_annotation_if_it_is_not_present_already(self, user: User) -> None:
        made = user.make_action("a", annotations=pairs(x="y"))
        assert made["annotations"] == pairs({"x": "y", "provide-api-key": False, "exec": "python:3"})

    @pytest.mark.parametrize("value", [True, False, 1, 0, None, "", "x", {}, []])
    def test_not_add_key_annotation_if_already_present_regardless_of_value(self, user: User, value: object) -> None:
        made = user.make_action("a", annotations=pairs({"provide-api-key": value}))
        assert made["annotations"] == pairs({"provide-api-key": value, "exec": "python:3"})

    def test_override_system_annotation_as_necessary(self, user: User) -> None:
        made = user.make_action("a", annotations=pairs({"exec": "mine"}))
        assert made["annotations"] == pairs({"exec": "python:3", "provide-api-key": False})

    # --- invoke ---

    def test_invoke_an_action_with_arguments_nonblocking(self, user: User) -> None:
        user.make_action("a", parameters=pairs(x="b"))
        told = user.post("actions/a", {"y": "c"})
        told.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": told.json["activationId"]})
        assert user.ended(told.json["activationId"])["response"]["result"] == {"x": "b", "y": "c"}

    def test_reject_post_to_action_in_namespace_not_owned_by_subject(self, user: User, other: User) -> None:
        other.make_action("a")
        text = f"The supplied authentication is not authorized to access '{other.namespace}/a'."
        user.post(f"/namespaces/{other.namespace}/actions/a").refuses(403, text)

    def test_ignore_result_when_invoking_nonblocking_action(self, user: User) -> None:
        user.make_action("a")
        user.post("actions/a", result=True).gives({"activationId": ID}, 202)

    def test_invoke_an_action_with_init_arguments(self, user: User) -> None:
        code = "import os\ndef main(args):\n    return {'environment': os.environ['E'], 'arguments': args}\n"
        user.make_action("a", code, parameters=[*pairs(x="b"), {"key": "E", "value": "given", "init": True}])
        assert user.result("a") == {"environment": "given", "arguments": {"x": "b"}}

    def test_invoke_an_action_nonblocking(self, user: User) -> None:
        user.make_action("a")
        user.send("POST", "actions/a").gives({"activationId": ID}, 202)

    def test_not_invoke_an_action_when_final_parameters_are_redefined(self, user: User) -> None:
        user.make_action("a", parameters=pairs(a=1, empty=None), annotations=pairs(final=True))
        text = "Request defines parameters that are not allowed (e.g., reserved properties)."
        user.post("actions/a", {"a": 2}).refuses(400, text)
        user.post("actions/a", {"empty": 2}).gives({"activationId": ID}, 202)

    def test_invoke_a_blocking_action_and_retrieve_result_via_active_ack(self, user: User) -> None:
        user.make_action("a")
        whole = user.post("actions/a", {"x": 1}, blocking=True)
        record = whole.gives(
            {
                "namespace": user.namespace,
                "name": "a",
                "version": "0.0.1",
                "subject": user.namespace,
                "activationId": ID,
                "start": MS,
                "end": MS,
                "duration": whole.json["end"] - whole.json["start"],
                "response": {"status": "success", "success": True, "result": {"x": 1}, "size": 7},
                "logs": [],
                "annotations": whole.json["annotations"],
                "publish": False,
            }
        )
        assert whole.headers["x-openwhisk-activation-id"] == record["activationId"]
        user.post("actions/a", {"x": 1}, blocking=True, result=True).gives({"x": 1})

    def test_invoke_a_blocking_action_waiting_up_to_specified_timeout(self, user: User) -> None:
        user.make_action("a", "import time\ndef main(args):\n    time.sleep(1)\n    return {'slept': True}\n")
        told = user.post("actions/a", blocking=True, timeout=100)
        told.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": told.json["activationId"]})
        assert user.ended(told.json["activationId"])["response"]["result"] == {"slept": True}
        text = "The query parameter 'timeout' was malformed:\nTimeout must be number of milliseconds up to 60000."
        for timeout in (0, 60_001, "x"):
            user.post("actions/a", blocking=True, timeout=timeout).refuses(400, text)

    def test_reject_activation_with_entity_which_is_too_big(self, user: User) -> None:
        user.make_action("a")
        content = b'{"x":"' + b"b" * MB + b'"}'
        text = f"Request larger than allowed: {len(content)} > {MB} bytes."
        user.send("POST", "actions/a", content=content).refuses(413, text)

    def test_reject_an_invoke_with_what_is_no_object(self, user: User) -> None:
        user.make_action("a")
        for payload in ([1], 1, "x", True):
            user.post("actions/a", payload).refuses(400, matching(r"The request content was malformed:\n.+"))


def annotated(kind: str) -> list[dict[str, object]]:
    return pairs({"provide-api-key": False, "exec": kind})
