"""Upstream's `RulesApiTests`: how a trigger is tied to an action, and when it is not."""

import pytest

from compat.openwhisk import pages
from compat.openwhisk.asking import (
    MB,
    MISSING,
    WRONG_COLLECTION,
    Answer,
    User,
    a_rule,
    a_trigger,
    an_entity,
    matching,
    pairs,
)

NO_TRIGGER = "Only rules with existing triggers can be activated"
UNQUALIFIED = "The fully qualified name of the entity must contain at least the namespace and the name of the entity."


def listed(user: User, name: str) -> dict[str, object]:
    shown = a_rule(user, name, "t", "a")
    del shown["status"]
    return shown


@pytest.fixture
def ruled(user: User) -> User:
    """Has a trigger `t`, an action `a` and a rule `r`; `t2` and `a2` beside them."""
    for name in ("t", "t2"):
        user.make_trigger(name)
    for name in ("a", "a2"):
        user.make_action(name)
    user.make_rule("r", "t", "a")
    return user


def update(user: User, **fields: str) -> Answer:
    """Of the rule `r`."""
    return user.put("rules/r", {key: f"/_/{value}" for key, value in fields.items()}, overwrite=True)


def rules_of(user: User, trigger: str) -> object:
    return user.get(f"triggers/{trigger}").json.get("rules")


def linked(user: User, action: str, status: str = "active") -> object:
    return {f"{user.namespace}/r": {"action": {"path": user.namespace, "name": action}, "status": status}}


class TestRules:
    def test_list_rules_by_default_explicit_namespace(self, ruled: User) -> None:
        ruled.make_rule("r2", "t", "a")
        for path in ("rules", f"/namespaces/{ruled.namespace}/rules"):
            ruled.get(path).gives([listed(ruled, "r2"), listed(ruled, "r")])
        ruled.get("rules", count=True).gives({"rules": 2})

    def test_list_rules_with_explicit_namespace_owned_by_subject(self, ruled: User) -> None:
        ruled.get(f"/namespaces/{ruled.namespace}/rules").gives([listed(ruled, "r")])

    def test_reject_list_rules_with_explicit_namespace_not_owned_by_subject(self, ruled: User, other: User) -> None:
        text = f"The supplied authentication is not authorized to access '{ruled.namespace}'."
        other.get(f"/namespaces/{ruled.namespace}/rules").refuses(403, text)

    def test_reject_list_when_limit_is_greater_than_maximum_allowed_value(self, user: User) -> None:
        pages.refuses_a_limit_beyond_the_maximum(user, "rules")

    def test_reject_list_when_limit_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_limit_that_is_no_integer(user, "rules")

    def test_reject_list_when_skip_is_negative(self, user: User) -> None:
        pages.refuses_a_negative_skip(user, "rules")

    def test_reject_list_when_skip_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_skip_that_is_no_integer(user, "rules")

    # --- read ---

    def test_get_rule_by_name_in_default_explicit_namespace(self, ruled: User, other: User) -> None:
        for path in ("rules/r", f"/namespaces/{ruled.namespace}/rules/r"):
            ruled.get(path).gives(a_rule(ruled, "r", "t", "a"))
        text = f"The supplied authentication is not authorized to access '{ruled.namespace}/r'."
        other.get(f"/namespaces/{ruled.namespace}/rules/r").refuses(403, text)

    def test_reject_get_of_non_existent_rule(self, user: User) -> None:
        user.get("rules/xxx").refuses(404, MISSING)

    def test_get_rule_with_active_state_in_trigger(self, ruled: User) -> None:
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a", status="active"))
        assert rules_of(ruled, "t") == linked(ruled, "a")

    def test_get_rule_with_updated_field(self, ruled: User) -> None:
        updated = ruled.get("rules").json[0]["updated"]
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a", updated=updated))

    def test_get_rule_with_no_rule_entries_in_trigger(self, ruled: User) -> None:
        ruled.delete("triggers/t")
        ruled.make_trigger("t")
        assert rules_of(ruled, "t") == linked(ruled, "a", "inactive")
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))

    def test_report_conflict_if_the_name_was_of_a_different_type(self, ruled: User) -> None:
        ruled.get("rules/t").refuses(409, WRONG_COLLECTION)

    # --- delete ---

    def test_not_reject_delete_rule_in_state_active(self, ruled: User) -> None:
        ruled.delete("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))
        ruled.get("triggers/t").gives(a_trigger(ruled, "t"))

    def test_delete_rule_in_state_inactive(self, ruled: User) -> None:
        ruled.post("rules/r", {"status": "inactive"})
        ruled.delete("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))

    def test_delete_rule_in_state_inactive_even_if_the_trigger_has_been_deleted(self, ruled: User) -> None:
        ruled.delete("triggers/t")
        ruled.delete("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))
        ruled.get("rules/r").refuses(404, MISSING)

    def test_delete_rule_in_state_inactive_even_if_the_trigger_has_no_reference_to_the_rule(self, ruled: User) -> None:
        ruled.delete("triggers/t")
        ruled.make_trigger("t")
        ruled.delete("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))
        assert rules_of(ruled, "t") is None

    # --- create ---

    def test_create_rule(self, ruled: User) -> None:
        body = {
            "trigger": {"path": ruled.namespace, "name": "t2"},
            "action": {"path": ruled.namespace, "name": "a"},
        }
        ruled.put("rules/new", body).gives(a_rule(ruled, "new", "t2", "a"))
        action = {"path": ruled.namespace, "name": "a"}
        assert rules_of(ruled, "t2") == {f"{ruled.namespace}/new": {"action": action, "status": "active"}}

    def test_create_rule_without_fully_qualifying_name(self, ruled: User) -> None:
        body = {"trigger": "/_/t", "action": "/_/a"}
        ruled.put("rules/new", body).gives(a_rule(ruled, "new", "t", "a"))

    @pytest.mark.parametrize("body", [{"trigger": "t", "action": "/_/a"}, {"trigger": "/_/t", "action": "a"}])
    def test_reject_create_rule_without_namespace_in_referenced_entities(
        self, ruled: User, body: dict[str, str]
    ) -> None:
        text = f"The request content was malformed:\nrequirement failed: {UNQUALIFIED}"
        ruled.put("rules/new", body).refuses(400, text)

    def test_create_rule_with_an_action_in_a_package(self, ruled: User) -> None:
        ruled.make_package("p")
        ruled.make_action("p/a")
        body = {"trigger": "/_/t", "action": "/_/p/a"}
        ruled.put("rules/new", body).gives(a_rule(ruled, "new", "t", "p/a"))

    def test_create_rule_with_an_action_in_a_binding(self, ruled: User, other: User) -> None:
        other.make_package("p", publish=True)
        other.make_action("p/a")
        ruled.make_binding("b", other.namespace, "p")
        body = {"trigger": "/_/t", "action": "/_/b/a"}
        ruled.put("rules/new", body).gives(a_rule(ruled, "new", "t", "b/a"))

    def test_reject_create_rule_with_annotations_which_are_too_big(self, ruled: User) -> None:
        body = {"trigger": "/_/t", "action": "/_/a", "annotations": pairs(x="b" * MB)}
        text = matching(rf"annotations larger than allowed: \d+ > {MB} bytes\.")
        ruled.put("rules/new", body).refuses(413, text)

    def test_reject_update_rule_with_annotations_which_are_too_big(self, ruled: User) -> None:
        text = matching(rf"annotations larger than allowed: \d+ > {MB} bytes\.")
        ruled.put("rules/r", {"annotations": pairs(x="b" * MB)}, overwrite=True).refuses(413, text)
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a"))

    def test_reject_rule_if_action_does_not_exist(self, ruled: User) -> None:
        body = {"trigger": "/_/t", "action": "/_/bogus action"}
        ruled.put("rules/new", body).refuses(400, f"action /{ruled.namespace}/bogus action does not exist")

    def test_reject_rule_if_trigger_does_not_exist(self, ruled: User) -> None:
        body = {"trigger": "/_/bogus trigger", "action": "/_/a"}
        ruled.put("rules/new", body).refuses(400, f"trigger /{ruled.namespace}/bogus trigger does not exist")

    def test_reject_rule_if_neither_action_or_trigger_do_not_exist(self, ruled: User) -> None:
        body = {"trigger": "/_/bogus trigger", "action": "/_/bogus action"}
        ruled.put("rules/new", body).refuses(400, f"trigger /{ruled.namespace}/bogus trigger does not exist")

    def test_reject_rule_that_names_no_trigger_or_no_action(self, ruled: User) -> None:
        for body in ({}, {"trigger": "/_/t"}, {"action": "/_/a"}):
            ruled.put("rules/new", body).refuses(400, "rule requires a valid trigger and a valid action")

    # --- update ---

    def test_update_rule_with_new_trigger_and_action_at_once(self, ruled: User) -> None:
        update(ruled, trigger="t2", action="a2").gives(a_rule(ruled, "r", "t2", "a2", version="0.0.2"))
        assert (rules_of(ruled, "t"), rules_of(ruled, "t2")) == (None, linked(ruled, "a2"))

    def test_update_rule_with_a_new_action_while_passing_the_same_trigger(self, ruled: User) -> None:
        update(ruled, trigger="t", action="a2").gives(a_rule(ruled, "r", "t", "a2", version="0.0.2"))
        assert rules_of(ruled, "t") == linked(ruled, "a2")

    def test_update_rule_with_just_a_new_action(self, ruled: User) -> None:
        update(ruled, action="a2").gives(a_rule(ruled, "r", "t", "a2", version="0.0.2"))
        assert rules_of(ruled, "t") == linked(ruled, "a2")

    def test_update_rule_with_just_a_new_trigger(self, ruled: User) -> None:
        update(ruled, trigger="t2").gives(a_rule(ruled, "r", "t2", "a", version="0.0.2"))
        assert (rules_of(ruled, "t"), rules_of(ruled, "t2")) == (None, linked(ruled, "a"))

    def test_update_rule_when_no_new_content_is_provided(self, ruled: User) -> None:
        update(ruled).gives(a_rule(ruled, "r", "t", "a", version="0.0.2"))

    def test_reject_update_rule_if_trigger_does_not_exist(self, ruled: User) -> None:
        update(ruled, trigger="bogus").refuses(400, f"trigger /{ruled.namespace}/bogus does not exist")
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a"))

    def test_reject_update_rule_if_action_does_not_exist(self, ruled: User) -> None:
        update(ruled, action="bogus").refuses(400, f"action /{ruled.namespace}/bogus does not exist")
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a"))

    def test_reject_update_rule_if_neither_trigger_or_action_exist(self, ruled: User) -> None:
        answer = update(ruled, trigger="bogus", action="bogus")
        answer.refuses(400, f"trigger /{ruled.namespace}/bogus does not exist")

    def test_not_reject_update_rule_in_state_active(self, ruled: User) -> None:
        changed = ruled.put("rules/r", {"publish": True, "annotations": pairs(x=1)}, overwrite=True)
        changed.gives(a_rule(ruled, "r", "t", "a", version="0.0.2", publish=True, annotations=pairs(x=1)))

    # --- its status ---

    def test_do_nothing_to_disable_already_disabled_rule(self, ruled: User) -> None:
        for _ in range(2):
            ruled.post("rules/r", {"status": "inactive"}).is_empty(200)
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))

    def test_do_nothing_to_enable_already_enabled_rule(self, ruled: User) -> None:
        ruled.post("rules/r", {"status": "active"}).is_empty(200)
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a"))

    def test_reject_post_with_status_undefined(self, ruled: User) -> None:
        ruled.post("rules/r", {}).refuses(400, matching(r"The request content was malformed:\n.+"))

    def test_reject_post_with_invalid_status(self, ruled: User) -> None:
        ruled.post("rules/r", {"status": "xxx"}).refuses(400, matching(r"The request content was malformed:\n.+"))

    def test_activate_rule(self, ruled: User) -> None:
        ruled.post("rules/r", {"status": "inactive"}).is_empty(200)
        ruled.post("rules/r", {"status": "active", "trigger": None, "action": None}).is_empty(200)
        assert rules_of(ruled, "t") == linked(ruled, "a")

    def test_activate_rule_without_rule_in_trigger(self, ruled: User) -> None:
        ruled.delete("triggers/t")
        ruled.make_trigger("t")
        ruled.post("rules/r", {"status": "active"}).is_empty(200)
        assert rules_of(ruled, "t") == linked(ruled, "a")

    def test_reject_rule_activation_if_the_trigger_is_absent(self, ruled: User) -> None:
        ruled.delete("triggers/t")
        ruled.post("rules/r", {"status": "active"}).refuses(404, NO_TRIGGER)

    def test_deactivate_rule(self, ruled: User) -> None:
        ruled.post("rules/r", {"status": "inactive"}).is_empty(200)
        ruled.get("rules/r").gives(a_rule(ruled, "r", "t", "a", status="inactive"))
        assert rules_of(ruled, "t") == linked(ruled, "a", "inactive")

    def test_reject_invalid_resource(self, ruled: User) -> None:
        ruled.get("rules/r/bar").refuses(404, "The requested resource could not be found.")

    def test_ignore_the_status_of_a_put(self, ruled: User) -> None:
        body = {"name": "new", "status": "", "trigger": "/_/t", "action": "/_/a"}
        ruled.put("rules/new", body).gives(an_entity(ruled, "new", **tied(ruled), status="active"))


def tied(user: User) -> dict[str, object]:
    return {key: {"path": user.namespace, "name": name} for key, name in (("trigger", "t"), ("action", "a"))}
