"""Upstream's `WskRestBasicTests`: what is made, changed, shown and refused, each kind of entity for itself."""

from typing import Any

from compat.openwhisk.asking import (
    ECHO,
    MISSING,
    MS,
    WRONG_COLLECTION,
    User,
    a_package,
    a_rule,
    a_trigger,
    an_action,
    an_entity,
    pairs,
)
from compat.openwhisk.programs import NODE

EXISTS = "resource already exists"
DESCRIBED: dict[str, Any] = {
    "description": "A description",
    "parameters": [{"name": "one", "description": "The first"}, {"name": "two", "description": "The second"}],
}


def ruled(user: User) -> None:
    """With a trigger, an action and a rule between them."""
    user.make_trigger("t")
    user.make_action("a")
    user.make_rule("r", "t", "a")


class TestWskRestBasic:
    def test_reject_creating_duplicate_entity(self, user: User) -> None:
        user.make_trigger("a")
        user.put("actions/a", {"exec": {"kind": "python:3", "code": ECHO}}).refuses(409, WRONG_COLLECTION)

    def test_reject_deleting_entity_in_wrong_collection(self, user: User) -> None:
        user.make_trigger("t")
        user.delete("actions/t").refuses(409, WRONG_COLLECTION)
        user.get("triggers/t").gives(a_trigger(user, "t"))

    def test_reject_unauthenticated_access(self, user: User) -> None:
        challenge = {"www-authenticate": 'Basic realm="OpenWhisk secure realm"'}
        answer = user.send("GET", "/namespaces", auth=("xxx", ""))
        answer.refuses(401, "The supplied authentication is invalid", challenge)

    # --- packages ---

    def test_create_update_get_and_list_a_package(self, user: User) -> None:
        shown = a_package(user, "p", parameters=pairs(a="A"), publish=True)
        user.put("packages/p", {"parameters": pairs(a="A"), "publish": True}).gives(shown)
        shown["version"] = "0.0.2"
        user.put("packages/p", {}, overwrite=True).gives(shown)
        user.get("packages/p").gives({**shown, "actions": [], "feeds": []})
        user.get("packages").gives([an_entity(user, "p", version="0.0.2", publish=True, binding=False)])

    def test_create_and_get_a_package_summary(self, user: User) -> None:
        user.make_package("p", annotations=pairs(DESCRIBED))
        user.make_action("p/a", kind="nodejs:default", annotations=pairs(DESCRIBED))
        annotations = pairs({**DESCRIBED, "provide-api-key": False, "exec": NODE})
        contents = [{"name": "a", "version": "0.0.1", "annotations": annotations}]
        user.get("packages/p").gives(
            {**a_package(user, "p", annotations=pairs(DESCRIBED)), "actions": contents, "feeds": []}
        )

    def test_create_a_package_with_a_name_that_contains_spaces(self, user: User) -> None:
        user.put("packages/package with spaces", {}).gives(a_package(user, "package with spaces"))
        shown = {**a_package(user, "package with spaces"), "actions": [], "feeds": []}
        user.get("packages/package with spaces").gives(shown)

    def test_create_a_package_and_get_its_individual_fields(self, user: User) -> None:
        user.make_package("p", parameters=pairs(payload="test"))
        shown = user.get("packages/p").gives(
            {
                "namespace": user.namespace,
                "name": "p",
                "version": "0.0.1",
                "publish": False,
                "annotations": [],
                "parameters": pairs(payload="test"),
                "binding": {},
                "updated": MS,
                "actions": [],
                "feeds": [],
            }
        )
        assert "invalid" not in shown

    def test_reject_creation_of_duplication_packages(self, user: User) -> None:
        user.make_package("p")
        user.put("packages/p", {}).refuses(409, EXISTS)

    def test_reject_delete_of_package_that_does_not_exist(self, user: User) -> None:
        user.delete("packages/p").refuses(404, MISSING)

    def test_reject_get_of_package_that_does_not_exist(self, user: User) -> None:
        user.get("packages/p").refuses(404, f"The requested resource '{user.namespace}/p' does not exist.")

    # --- actions ---

    def test_create_the_same_action_twice_with_different_cases(self, user: User) -> None:
        for name in ("TWICE", "twice"):
            user.put(f"actions/{name}", {"exec": {"kind": "python:3", "code": ECHO}}).gives(an_action(user, name))
        assert [one["name"] for one in user.get("actions").json] == ["twice", "TWICE"]

    def test_create_update_get_and_list_an_action(self, user: User) -> None:
        user.make_action("a", parameters=pairs(a="A"))
        shown = an_action(user, "a", version="0.0.2", parameters=pairs(b="B"))
        user.put("actions/a", {"parameters": pairs(b="B")}, overwrite=True).gives(shown)
        user.get("actions/a").gives(shown)
        summary = {key: value for key, value in shown.items() if key != "parameters"}
        user.get("actions").gives([{**summary, "exec": {"binary": False}}])

    def test_reject_create_of_an_action_that_already_exists(self, user: User) -> None:
        user.make_action("a")
        user.put("actions/a", {"exec": {"kind": "python:3", "code": ECHO}}).refuses(409, EXISTS)

    def test_reject_delete_of_action_that_does_not_exist(self, user: User) -> None:
        user.delete("actions/a").refuses(404, MISSING)

    def test_reject_invocation_of_action_that_does_not_exist(self, user: User) -> None:
        user.post("actions/a").refuses(404, MISSING)
        user.post("actions/a", blocking=True, result=True).refuses(404, MISSING)

    def test_reject_get_of_an_action_that_does_not_exist(self, user: User) -> None:
        user.get("actions/a").refuses(404, MISSING)

    def test_create_an_action_and_get_its_individual_fields(self, user: User) -> None:
        user.make_action("a", kind="nodejs:default", parameters=pairs(payload="test"))
        user.get("actions/a").gives(
            {
                "namespace": user.namespace,
                "name": "a",
                "version": "0.0.1",
                "publish": False,
                "updated": MS,
                "exec": {"kind": NODE, "code": ECHO, "binary": False},
                "parameters": pairs(payload="test"),
                "annotations": pairs({"exec": NODE, "provide-api-key": False}),
                "limits": {"timeout": 60000, "memory": 256, "logs": 10, "concurrency": 1},
            }
        )

    def test_create_and_get_an_action_summary(self, user: User) -> None:
        user.make_action("a", kind="nodejs:default", annotations=pairs(DESCRIBED))
        annotations = pairs({**DESCRIBED, "exec": NODE, "provide-api-key": False})
        user.get("actions/a", code=False).gives(an_action(user, "a", code=None, kind=NODE, annotations=annotations))

    def test_create_an_action_with_a_name_that_contains_spaces(self, user: User) -> None:
        user.make_action("action with spaces")
        user.get("actions/action with spaces").gives(an_action(user, "action with spaces"))

    def test_create_and_get_docker_action_get_ensure_exec_code_is_omitted(self, user: User) -> None:
        user.put("actions/a", {"exec": {"kind": "blackbox", "image": "fake-container"}})
        annotations = pairs({"exec": "blackbox", "provide-api-key": False})
        executed = {"kind": "blackbox", "image": "fake-container", "binary": False}
        user.get("actions/a").gives(an_action(user, "a", exec=executed, annotations=annotations))

    # --- triggers ---

    def test_create_and_get_a_trigger_summary(self, user: User) -> None:
        user.make_trigger("t", annotations=pairs(DESCRIBED))
        user.get("triggers/t").gives(a_trigger(user, "t", annotations=pairs(DESCRIBED)))

    def test_create_a_trigger_with_a_name_that_contains_spaces(self, user: User) -> None:
        user.put("triggers/trigger with spaces", {}).gives(a_trigger(user, "trigger with spaces"))
        user.get("triggers/trigger with spaces").gives(a_trigger(user, "trigger with spaces"))

    def test_create_a_trigger_and_get_its_individual_fields(self, user: User) -> None:
        user.make_trigger("t", parameters=pairs(payload="test"))
        user.get("triggers/t").gives(
            {
                "namespace": user.namespace,
                "name": "t",
                "version": "0.0.1",
                "publish": False,
                "updated": MS,
                "annotations": [],
                "parameters": pairs(payload="test"),
                "limits": {},
            }
        )

    def test_reject_creation_of_duplicate_triggers(self, user: User) -> None:
        user.make_trigger("t")
        user.put("triggers/t", {}).refuses(409, EXISTS)

    def test_reject_delete_of_trigger_that_does_not_exist(self, user: User) -> None:
        user.delete("triggers/t").refuses(404, MISSING)

    def test_reject_get_of_trigger_that_does_not_exist(self, user: User) -> None:
        user.get("triggers/t").refuses(404, MISSING)

    def test_reject_firing_of_a_trigger_that_does_not_exist(self, user: User) -> None:
        user.post("triggers/t", {"x": 1}).refuses(404, MISSING)

    # --- rules ---

    def test_create_rule_get_rule_update_rule_and_list_rule(self, user: User) -> None:
        ruled(user)
        shown = a_rule(user, "r", "t", "a", version="0.0.2")
        body = {"trigger": f"/{user.namespace}/t", "action": f"/{user.namespace}/a"}
        user.put("rules/r", body, overwrite=True).gives(shown)
        user.get("rules/r").gives(shown)
        del shown["status"]
        user.get("rules").gives([shown])

    def test_create_rule_get_rule_ensure_rule_is_enabled_by_default(self, user: User) -> None:
        ruled(user)
        user.get("rules/r").gives(a_rule(user, "r", "t", "a", status="active"))

    def test_display_a_rule_summary_when_summary_flag_is_used_with_wsk_rule_get(self, user: User) -> None:
        ruled(user)
        user.get("rules/r", summary=True).gives(a_rule(user, "r", "t", "a"))

    def test_create_a_rule_and_get_its_individual_fields(self, user: User) -> None:
        ruled(user)
        user.get("rules/r").gives(
            {
                "namespace": user.namespace,
                "name": "r",
                "version": "0.0.1",
                "publish": False,
                "updated": MS,
                "annotations": [],
                "status": "active",
                "trigger": {"path": user.namespace, "name": "t"},
                "action": {"path": user.namespace, "name": "a"},
            }
        )

    def test_reject_creation_of_duplicate_rules(self, user: User) -> None:
        ruled(user)
        user.put("rules/r", {"trigger": "/_/t", "action": "/_/a"}).refuses(409, EXISTS)

    def test_reject_delete_of_rule_that_does_not_exist(self, user: User) -> None:
        user.delete("rules/r").refuses(404, MISSING)

    def test_reject_enable_of_rule_that_does_not_exist(self, user: User) -> None:
        body = {"status": "active", "trigger": None, "action": None}
        user.post("rules/r", body).refuses(404, MISSING)

    def test_reject_disable_of_rule_that_does_not_exist(self, user: User) -> None:
        body = {"status": "inactive", "trigger": None, "action": None}
        user.post("rules/r", body).refuses(404, MISSING)

    def test_reject_status_of_rule_that_does_not_exist(self, user: User) -> None:
        ruled(user)
        user.get("rules/other").refuses(404, MISSING)

    def test_reject_get_of_rule_that_does_not_exist(self, user: User) -> None:
        user.get("rules/r").refuses(404, MISSING)

    # --- namespaces and activations ---

    def test_return_a_list_of_exactly_one_namespace(self, user: User) -> None:
        user.get("/namespaces").gives([user.namespace])

    def test_reject_get_of_activation_that_does_not_exist(self, user: User) -> None:
        user.get(f"activations/{'0' * 32}").refuses(404, MISSING)

    def test_reject_logs_of_activation_that_does_not_exist(self, user: User) -> None:
        user.get(f"activations/{'0' * 32}/logs").refuses(404, MISSING)

    def test_reject_result_of_activation_that_does_not_exist(self, user: User) -> None:
        user.get(f"activations/{'0' * 32}/result").refuses(404, MISSING)
