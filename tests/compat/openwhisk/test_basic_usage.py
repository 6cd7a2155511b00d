"""Upstream's `WskRestBasicUsageTests`: what authors rely on when they create things."""

import json
from typing import Any

import pytest

from compat.openwhisk.asking import (
    ECHO,
    MISSING,
    WRONG_COLLECTION,
    User,
    a_package,
    a_rule,
    a_trigger,
    an_action,
    differs,
    pairs,
)
from compat.openwhisk.records import a_record, fire, invoked, runs_of, without_headers

BODY = {"exec": {"kind": "python:3", "code": ECHO}}
GIVEN: dict[str, Any] = {
    "string": "This is a string",
    "strNum": "9",
    "number": 8,
    "bignumber": 12345678912.123456789012,
    "numArr": [44, 55],
    "strArr": ["44", "55"],
    "objArr": [{"name": "someName", "required": True}, {"name": "events", "count": 10}],
    "object": {"objString": "aString", "objStrNum": "123", "objNum": 300, "objBool": False, "objNumArr": [1, 2]},
}
FROM_A_FILE: dict[str, Any] = {
    "a key": "a value",
    "a bool": True,
    "objKey": {"b": "c"},
    "objKey2": {"another object": {"some string": "1111"}},
    "objKey3": {"json object": {"some int": 1111}},
    "a number arr": [1, 2, 3],
    "a string arr": ["1", "2", "3"],
    "a bool arr": [True, False, True],
    "strThatLooksLikeJSON": '{"someKey": "someValue"}',
}
ESCAPED: dict[str, Any] = {
    "key1": {"nonascii": "日本語"},
    "key2": {"valid": 'J\\SO"N'},
    '"key"with\\escapes': {"valid": "JSON"},
    'another"escape"': {"valid": "\\nJ\\rO\\tS\\bN\\f"},
}
NEW = {"exec": "python:3", "provide-api-key": False}


def keeps_in_actions(user: User, values: dict[str, Any], *, indented: bool = False) -> None:
    body = {**BODY, "parameters": pairs(values), "annotations": pairs(values)}
    content = json.dumps(body, ensure_ascii=False, indent=2 if indented else None).encode()
    shown = an_action(user, "a", parameters=pairs(values), annotations=pairs({**values, **NEW}))
    user.send("PUT", "actions/a", content=content).gives(shown)
    user.get("actions/a").gives(shown)


def keeps_in_packages(user: User, values: dict[str, Any], *, indented: bool = False) -> None:
    both = {"parameters": pairs(values), "annotations": pairs(values)}
    content = json.dumps(both, ensure_ascii=False, indent=2 if indented else None).encode()
    user.send("PUT", "packages/p", content=content).gives(a_package(user, "p", **both))
    user.get("packages/p").gives({**a_package(user, "p", **both), "actions": [], "feeds": []})


def keeps_in_triggers(user: User, values: dict[str, Any], *, indented: bool = False) -> None:
    both = {"parameters": pairs(values), "annotations": pairs(values)}
    content = json.dumps(both, ensure_ascii=False, indent=2 if indented else None).encode()
    user.send("PUT", "triggers/t", content=content).gives(a_trigger(user, "t", **both))
    user.get("triggers/t").gives(a_trigger(user, "t", **both))


class TestWskRestBasicUsage:
    def test_allow_a_3_part_fully_qualified_name_fqn_without_a_leading_slash(self, user: User) -> None:
        user.make_package("p")
        user.make_trigger("t")
        user.make_action("p/a")
        body = {"trigger": f"{user.namespace}/t", "action": f"{user.namespace}/p/a"}
        user.put("rules/r", body).gives(a_rule(user, "r", "t", "p/a"))
        user.get(f"/namespaces/{user.namespace}/actions/p/a").gives(an_action(user, "p/a"))
        answer = user.post(f"/namespaces/{user.namespace}/actions/p/a", {"x": 1}, blocking=True)
        answer.gives(a_record(user, "p/a", {"x": 1}))

    # --- actions ---

    @pytest.mark.parametrize("name", [" ", "hi+there", "$hola", "dora%3F", "|dora|dora%3F"])
    def test_reject_creating_entities_with_invalid_names(self, user: User, name: str) -> None:
        for path in (f"actions/{name}", f"packages/{name}", f"triggers/{name}", f"rules/{name}"):
            user.put(path, BODY).refuses(400, "The name of the entity contains illegal characters.")
        user.get("actions").gives([])

    @differs("the path of no name at all is that of the collection, which is there and can be read: 405 and not 404")
    def test_reject_creating_entities_with_an_empty_name(self, user: User) -> None:
        user.put("actions/", BODY).refuses(405, "HTTP method not allowed, supported methods: GET", {"allow": "GET"})

    def test_create_and_get_an_action_to_verify_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_actions(user, GIVEN)

    def test_delete_the_given_annotations_using_delannotations(self, user: User) -> None:
        user.make_action("a", annotations=pairs(key1="value1", key2="value2"))
        body = {**BODY, "delAnnotations": ["key1"]}
        shown = an_action(user, "a", version="0.0.2", annotations=pairs({"key2": "value2", **NEW}))
        user.put("actions/a", body, overwrite=True).gives(shown)
        user.put("actions/a", BODY, overwrite=True).gives({**shown, "version": "0.0.3"})

    def test_create_and_get_an_action_to_verify_file_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_actions(user, FROM_A_FILE, indented=True)

    def test_create_an_action_with_the_proper_parameter_and_annotation_escapes(self, user: User) -> None:
        keeps_in_actions(user, ESCAPED)

    @pytest.mark.parametrize(("flag", "web", "raw"), [("true", True, False), ("no", False, False), ("raw", True, True)])
    def test_ensure_web_flags_set_the_proper_annotations(self, user: User, flag: str, web: bool, raw: bool) -> None:
        annotations = {"web-export": web, "raw-http": raw, "final": web}
        shown = an_action(user, f"web-{flag}", annotations=pairs({**annotations, **NEW}))
        user.put(f"actions/web-{flag}", {**BODY, "annotations": pairs(annotations)}).gives(shown)
        answer = user.visit(f"default/web-{flag}.json", params={"x": "1"})
        if not web:
            answer.refuses(404, MISSING)
        elif raw:
            assert (answer.status, answer.json["__ow_query"], answer.json["__ow_body"]) == (200, "x=1", "")
        else:
            assert (answer.status, answer.json["x"]) == (200, "1")

    def test_ensure_action_update_creates_an_action_with_web_flag(self, user: User) -> None:
        annotations = {"web-export": True, "raw-http": False, "final": True}
        shown = an_action(user, "a", annotations=pairs({**annotations, **NEW}))
        user.put("actions/a", {**BODY, "annotations": pairs(annotations)}, overwrite=True).gives(shown)

    # --- packages ---

    def test_create_and_delete_a_package(self, user: User) -> None:
        user.put("packages/p", {}).gives(a_package(user, "p"))
        user.delete("packages/p").gives(a_package(user, "p"))

    def test_create_and_get_a_package_to_verify_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_packages(user, GIVEN)

    def test_create_and_get_a_package_to_verify_file_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_packages(user, FROM_A_FILE, indented=True)

    def test_create_a_package_with_the_proper_parameter_and_annotation_escapes(self, user: User) -> None:
        keeps_in_packages(user, ESCAPED)

    def test_report_conformance_error_accessing_action_as_package(self, user: User) -> None:
        user.make_action("a")
        user.get("packages/a").refuses(409, WRONG_COLLECTION)
        bound = {"binding": {"namespace": "_", "name": "a"}}
        user.put("packages/bogus", bound).refuses(409, "Cannot bind to a resource that is not a package.")
        bound = {"binding": {"namespace": "_", "name": "bogus"}}
        user.put("packages/alsobogus", bound).refuses(400, "Binding references a package that does not exist.")

    # --- triggers ---

    def test_create_and_get_a_trigger_to_verify_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_triggers(user, GIVEN)

    def test_create_and_get_a_trigger_to_verify_file_parameter_and_annotation_parsing(self, user: User) -> None:
        keeps_in_triggers(user, FROM_A_FILE, indented=True)

    def test_create_a_trigger_with_the_proper_parameter_and_annotation_escapes(self, user: User) -> None:
        keeps_in_triggers(user, ESCAPED)

    @pytest.mark.parametrize("feed", ["bogus", "bogus/feed"])
    def test_not_create_a_trigger_when_feed_fails_to_initialize(self, user: User, feed: str) -> None:
        made = a_trigger(user, "badfeed", annotations=pairs(feed=f"/_/{feed}"))
        user.put("triggers/badfeed", {"annotations": pairs(feed=f"/_/{feed}")}).gives(made)
        user.post(f"actions/{feed}", {"lifecycleEvent": "CREATE"}, blocking=True).refuses(404, MISSING)
        user.delete("triggers/badfeed").gives(made)
        user.get("triggers/badfeed").refuses(404, MISSING)

    @pytest.mark.parametrize("event", ["CREATE", "READ", "DELETE"])
    def test_invoke_a_feed_action_with_the_correct_lifecyle_event_when_creating_retrieving_and_deleting_a_feed_trigger(
        self, user: User, event: str
    ) -> None:
        user.make_action("feed")
        made = a_trigger(user, "t", annotations=pairs(feed=f"/{user.namespace}/feed"))
        user.put("triggers/t", {"annotations": pairs(feed=f"/{user.namespace}/feed")}).gives(made)
        lifecycle = {"lifecycleEvent": event, "triggerName": f"/{user.namespace}/t", "authKey": user.key}
        user.post("actions/feed", lifecycle, blocking=True).gives(a_record(user, "feed", lifecycle))
        user.get("triggers/t").gives(made)
        user.delete("triggers/t").gives(made)

    @differs("all headers but `authorization`: the key of whoever fires is no argument of what runs")
    def test_forward_headers_as_parameters_to_the_associated_action(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"))
        user.make_action("a")
        user.make_rule("r", "t", "a")
        answer = user.send("POST", "triggers/t", json={"y": "c"}, headers={"Foo": "Bar"})
        fired = user.ended(answer.json["activationId"])
        assert fired["logs"] == [invoked(user, "r", "a")]
        (run,) = runs_of(user, fired)
        result = run["response"]["result"]
        assert without_headers(result) == {"x": "b", "y": "c"}
        sent = {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "user-agent",
            "content-length",
            "content-type",
            "foo",
        }
        assert set(result["__ow_headers"]) == sent
        assert result["__ow_headers"]["foo"] == "Bar"
        assert fire(user, "t", {"__ow_headers": {}})["response"]["result"] == {"__ow_headers": {}}
