"""Upstream's `TriggersApiTests`: what a trigger is, and what happens when it is fired."""

import json

import pytest

from compat.openwhisk import pages
from compat.openwhisk.asking import ID, MB, MISSING, MS, WRONG_COLLECTION, User, a_trigger, an_entity, matching, pairs

BAD_FEED = "Feed name is not valid"


class TestTriggers:
    def test_list_triggers_by_default_explicit_namespace(self, user: User) -> None:
        for name in ("t", "t2"):
            user.make_trigger(name, parameters=pairs(x="b"))
        for path in ("triggers", f"/namespaces/{user.namespace}/triggers"):
            user.get(path).gives([an_entity(user, "t2"), an_entity(user, "t")])
        user.get("triggers", count=True).gives({"triggers": 2})

    def test_list_triggers_with_explicit_namespace_owned_by_subject(self, user: User) -> None:
        user.make_trigger("t")
        user.get(f"/namespaces/{user.namespace}/triggers").gives([an_entity(user, "t")])

    def test_reject_list_triggers_with_explicit_namespace_not_owned_by_subject(self, user: User, other: User) -> None:
        text = f"The supplied authentication is not authorized to access '{user.namespace}'."
        other.get(f"/namespaces/{user.namespace}/triggers").refuses(403, text)

    def test_reject_list_when_limit_is_greater_than_maximum_allowed_value(self, user: User) -> None:
        pages.refuses_a_limit_beyond_the_maximum(user, "triggers")

    def test_reject_list_when_limit_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_limit_that_is_no_integer(user, "triggers")

    def test_reject_list_when_skip_is_negative(self, user: User) -> None:
        pages.refuses_a_negative_skip(user, "triggers")

    def test_reject_list_when_skip_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_skip_that_is_no_integer(user, "triggers")

    # --- read ---

    def test_get_trigger_by_name_in_default_explicit_namespace(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"))
        for path in ("triggers/t", f"/namespaces/{user.namespace}/triggers/t"):
            user.get(path).gives(a_trigger(user, "t", parameters=pairs(x="b")))

    def test_get_trigger_by_name_in_explicit_namespace_owned_by_subject(self, user: User) -> None:
        user.make_trigger("t")
        user.get(f"/namespaces/{user.namespace}/triggers/t").gives(a_trigger(user, "t"))

    def test_reject_get_trigger_by_name_in_explicit_namespace_not_owned_by_subject(
        self, user: User, other: User
    ) -> None:
        user.make_trigger("t")
        text = f"The supplied authentication is not authorized to access '{user.namespace}/t'."
        other.get(f"/namespaces/{user.namespace}/triggers/t").refuses(403, text)

    def test_get_trigger_with_updated_field(self, user: User) -> None:
        updated = user.make_trigger("t")["updated"]
        user.get("triggers/t").gives(a_trigger(user, "t", updated=updated))
        user.get("triggers").gives([an_entity(user, "t", updated=updated)])

    def test_report_conflict_if_the_name_was_of_a_different_type(self, user: User) -> None:
        user.make_package("p")
        user.get("triggers/p").refuses(409, WRONG_COLLECTION)

    def test_report_not_found_for_a_trigger_that_is_not_there(self, user: User) -> None:
        user.get("triggers/t").refuses(404, MISSING)
        user.delete("triggers/t").refuses(404, MISSING)

    # --- delete ---

    def test_delete_trigger_by_name(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"))
        user.delete("triggers/t").gives(a_trigger(user, "t", parameters=pairs(x="b")))
        user.get("triggers/t").refuses(404, MISSING)

    # --- write ---

    def test_put_should_accept_request_with_missing_optional_properties(self, user: User) -> None:
        user.put("triggers/t", {}).gives(a_trigger(user, "t"))

    def test_put_should_accept_request_with_valid_feed_parameter(self, user: User) -> None:
        annotations = pairs(feed=f"/{user.namespace}/p/feed")
        user.put("triggers/t", {"annotations": annotations}).gives(a_trigger(user, "t", annotations=annotations))

    def test_put_should_reject_request_with_undefined_feed_parameter(self, user: User) -> None:
        user.put("triggers/t", {"annotations": pairs(feed="")}).refuses(400, BAD_FEED)

    @pytest.mark.parametrize("feed", ["a,b", 1, ["/a/b"], "/", "/a/,"])
    def test_put_should_reject_request_with_bad_feed_parameters(self, user: User, feed: object) -> None:
        user.put("triggers/t", {"annotations": pairs(feed=feed)}).refuses(400, BAD_FEED)
        user.get("triggers").gives([])

    def test_reject_create_with_parameters_which_are_too_big(self, user: User) -> None:
        text = matching(rf"parameters larger than allowed: \d+ > {MB} bytes\.")
        user.put("triggers/t", {"parameters": pairs(x="b" * MB)}).refuses(413, text)

    def test_reject_create_with_annotations_which_are_too_big(self, user: User) -> None:
        text = matching(rf"annotations larger than allowed: \d+ > {MB} bytes\.")
        user.put("triggers/t", {"annotations": pairs(x="b" * MB)}).refuses(413, text)

    def test_reject_update_with_parameters_which_are_too_big(self, user: User) -> None:
        user.make_trigger("t")
        text = matching(rf"parameters larger than allowed: \d+ > {MB} bytes\.")
        user.put("triggers/t", {"parameters": pairs(x="b" * MB)}, overwrite=True).refuses(413, text)
        user.get("triggers/t").gives(a_trigger(user, "t"))

    def test_put_should_accept_update_request_with_missing_optional_properties(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"), annotations=pairs(y="c"))
        kept = a_trigger(user, "t", version="0.0.2", parameters=pairs(x="b"), annotations=pairs(y="c"))
        user.put("triggers/t", {}, overwrite=True).gives(kept)

    def test_put_should_reject_update_request_for_trigger_with_existing_feed(self, user: User) -> None:
        """Upstream's case, too, asserts that it is accepted."""
        user.make_trigger("t", annotations=pairs(feed=f"/{user.namespace}/p/feed"))
        changed = user.put("triggers/t", {"annotations": []}, overwrite=True)
        changed.gives(a_trigger(user, "t", version="0.0.2"))

    def test_put_should_reject_update_request_for_trigger_with_new_feed(self, user: User) -> None:
        """Upstream's case, too, asserts that it is accepted."""
        user.make_trigger("t")
        annotations = pairs(feed=f"/{user.namespace}/p/feed")
        changed = user.put("triggers/t", {"annotations": annotations}, overwrite=True)
        changed.gives(a_trigger(user, "t", version="0.0.2", annotations=annotations))

    def test_replace_the_annotations_of_a_trigger_and_keep_its_rules(self, user: User) -> None:
        user.make_trigger("t", annotations=pairs(x=1, y=2))
        user.make_action("a")
        user.make_rule("r", "t", "a")
        rules = {f"{user.namespace}/r": {"action": {"path": user.namespace, "name": "a"}, "status": "active"}}
        changed = user.put("triggers/t", {"annotations": pairs(x=3)}, overwrite=True)
        changed.gives(a_trigger(user, "t", version="0.0.2", annotations=pairs(x=3), rules=rules))

    def test_reject_create_of_a_trigger_that_exists(self, user: User) -> None:
        user.make_trigger("t")
        user.put("triggers/t", {}).refuses(409, "resource already exists")

    # --- fire ---

    def test_reject_activation_with_entity_which_is_too_big(self, user: User) -> None:
        user.make_trigger("t")
        content = b'{"x":"' + b"b" * MB + b'"}'
        text = f"Request larger than allowed: {len(content)} > {MB} bytes."
        user.send("POST", "triggers/t", content=content).refuses(413, text)

    def test_fire_a_trigger(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"))
        user.make_action("a")
        user.make_rule("r", "t", "a")
        told = user.post("triggers/t", {"a": "c"})
        activation_id = told.json["activationId"]
        told.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": activation_id})
        record = user.ended(activation_id)
        line = json.loads(record["logs"][0])
        rule = {"rule": f"{user.namespace}/r", "action": f"{user.namespace}/a"}
        assert line == {"statusCode": 0, "success": True, "activationId": ID, **rule}
        assert record == {
            "namespace": user.namespace,
            "name": "t",
            "version": "0.0.1",
            "subject": user.namespace,
            "activationId": activation_id,
            "start": MS,
            "response": {"status": "success", "success": True, "result": {"a": "c"}, "size": 9},
            "logs": record["logs"],
            "annotations": [],
            "publish": False,
        }
        fired = user.ended(line["activationId"])
        assert {key: fired["response"]["result"][key] for key in ("x", "a")} == {"x": "b", "a": "c"}
        assert "cause" not in fired

    def test_fire_a_trigger_without_args(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(x="b"))
        user.make_action("a")
        user.make_rule("r", "t", "a")
        told = user.send("POST", "triggers/t")
        told.gives({"activationId": ID}, 202)
        assert user.ended(told.json["activationId"])["response"]["result"] == {}

    def test_not_fire_a_trigger_without_a_rule(self, user: User) -> None:
        user.make_trigger("t")
        user.post("triggers/t").is_empty(204)
        user.make_action("a")
        user.make_rule("r", "t", "a")
        user.post("rules/r", {"status": "inactive"})
        user.post("triggers/t").is_empty(204)

    def test_reject_invalid_resource(self, user: User) -> None:
        user.make_trigger("t")
        user.get("triggers/t/bar").refuses(404, "The requested resource could not be found.")
