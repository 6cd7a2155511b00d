"""Upstream's `WskEntitlementTests`: what somebody may do with what is another's.

`user` asks for what `other` has, as upstream's default subject does for what its guest has.
"""

from typing import Any

from compat.openwhisk.asking import ECHO, MISSING, User, a_package, a_trigger, an_action, an_entity, pairs
from compat.openwhisk.programs import CONTEXT, NODE
from compat.openwhisk.records import a_record, a_sequence_record, failed

BODY = {"exec": {"kind": "python:3", "code": ECHO}}


def refusal(owner: User, name: str) -> str:
    return f"The supplied authentication is not authorized to access '{owner.namespace}/{name}'."


def below(owner: User, path: str) -> str:
    return f"/namespaces/{owner.namespace}/{path}"


def with_sample(owner: User, code: str = ECHO, /, **fields: Any) -> None:
    """`owner` shares a package with an action."""
    owner.make_package("p", publish=True, parameters=pairs(a="A"))
    owner.make_action("p/a", code, **fields)


def shared(owner: User, **changed: Any) -> dict[str, Any]:
    return an_entity(owner, "p", **{"publish": True, "binding": False, **changed})


class TestWskEntitlement:
    def test_not_allow_unauthorized_subject_to_operate_on_private_action(self, user: User, other: User) -> None:
        other.make_action("private")
        path, text = below(other, "actions/private"), refusal(other, "private")
        user.get(path).refuses(403, text)
        user.put(path, {}, overwrite=True).refuses(403, text)
        sequence = {"exec": {"kind": "sequence", "components": [f"/{other.namespace}/private"]}}
        user.put("actions/unauthorized sequence", sequence, overwrite=True).refuses(403, text)
        user.get("actions/unauthorized sequence").refuses(404, MISSING)
        user.delete(path).refuses(403, text)
        user.post(path).refuses(403, text)
        other.get("actions/private").gives(an_action(other, "private"))
        other.get("activations").gives([])

    def test_reject_deleting_action_in_shared_package_not_owned_by_authkey(self, user: User, other: User) -> None:
        with_sample(other)
        shown = an_action(other, "p/a", parameters=pairs(a="A"))
        user.get(below(other, "actions/p/a")).gives(shown)
        user.delete(below(other, "actions/p/a")).refuses(403, refusal(other, "p/a"))
        other.get("actions/p/a").gives(shown)

    def test_reject_create_action_in_shared_package_not_owned_by_authkey(self, user: User, other: User) -> None:
        other.make_package("p", publish=True)
        for name in ("notallowed", "p/notallowed"):
            user.put(below(other, f"actions/{name}"), BODY).refuses(403, refusal(other, name))
        other.get("actions").gives([])

    def test_reject_update_action_in_shared_package_not_owned_by_authkey(self, user: User, other: User) -> None:
        with_sample(other)
        user.put(below(other, "actions/p/a"), {}, overwrite=True).refuses(403, refusal(other, "p/a"))
        other.get("actions/p/a").gives(an_action(other, "p/a", parameters=pairs(a="A")))

    # --- lists ---

    def test_list_shared_packages(self, user: User, other: User) -> None:
        other.make_package("p", publish=True)
        user.get(below(other, "packages")).gives([shared(other)])

    def test_list_shared_packages_when_package_is_turned_into_public(self, user: User, other: User) -> None:
        other.make_package("p")
        user.get(below(other, "packages")).gives([])
        other.make_package("p", publish=True)
        user.get(below(other, "packages")).gives([shared(other, version="0.0.2")])

    def test_reject_getting_package_from_invalid_namespace(self, user: User) -> None:
        text = "The supplied authentication is not authorized to access 'whisk.systsdf/utils'."
        user.get("/namespaces/whisk.systsdf/packages/utils").refuses(403, text)

    def test_reject_getting_invalid_package_from_valid_namespace(self, user: User) -> None:
        text = "The supplied authentication is not authorized to access 'whisk.system/utilssss'."
        user.get("/namespaces/whisk.system/packages/utilssss").refuses(403, text)

    def test_not_list_private_packages(self, user: User, other: User) -> None:
        other.make_package("p")
        user.get(below(other, "packages")).gives([])
        other.get("packages").gives([shared(other, publish=False)])

    def test_list_shared_package_actions(self, user: User, other: User) -> None:
        with_sample(other)
        summary = an_action(other, "p/a", exec={"binary": False})
        del summary["parameters"]
        user.get(below(other, "actions/p/")).gives([summary])

    # --- bindings ---

    def test_create_a_package_binding(self, user: User, other: User) -> None:
        other.make_package("p", publish=True)
        binding = {"namespace": other.namespace, "name": "p"}
        shown = a_package(user, "b", binding=binding, annotations=pairs(a="A", binding=binding))
        user.put("packages/b", {"binding": binding, "annotations": pairs(a="A", binding="xxx")}).gives(shown)
        user.get("packages/b").gives({**shown, "actions": [], "feeds": []})

    def test_not_create_a_package_binding_for_private_package(self, user: User, other: User) -> None:
        other.make_package("p", publish=False)
        body = {"binding": {"namespace": other.namespace, "name": "p"}}
        user.put("packages/b", body).refuses(403, refusal(other, "p"))
        user.get("packages").gives([])

    # --- actions of packages ---

    def test_get_and_invoke_an_action_from_package(self, user: User, other: User) -> None:
        with_sample(other)
        path = below(other, "actions/p/a")
        user.get(path).gives(an_action(other, "p/a", parameters=pairs(a="A")))
        answer = user.post(path, {"x": 1}, blocking=True)
        answer.gives(a_record(user, "p/a", {"a": "A", "x": 1}, ran={"path": f"{other.namespace}/p/a"}))
        other.get("activations").gives([])

    def test_invoke_an_action_sequence_from_package(self, user: User, other: User) -> None:
        with_sample(other)
        user.make_sequence("s", [f"/{other.namespace}/p/a"])
        answer = user.post("actions/s", {"x": 1}, blocking=True)
        answer.gives(a_sequence_record(user, "s", {"a": "A", "x": 1}, 1))

    def test_not_allow_invoke_an_action_sequence_with_more_than_one_component_from_package_after_entitlement_change(
        self, user: User, other: User
    ) -> None:
        with_sample(other)
        other.make_package("private", publish=True)
        other.make_action("private/a")
        user.make_sequence("s", [f"/{other.namespace}/p/a", f"/{other.namespace}/private/a"])
        other.make_package("private", publish=False)
        for query in ({}, {"blocking": True}):
            user.post("actions/s", **query).refuses(403, refusal(other, "private/a"))
        user.get("activations").gives([])

    def test_invoke_a_packaged_action_not_owned_by_the_subject_to_get_the_subjects_namespace(
        self, user: User, other: User
    ) -> None:
        with_sample(other, CONTEXT, kind=NODE)
        answer = user.post(below(other, "actions/p/a"), blocking=True, result=True)
        assert answer.status == 200
        assert answer.json["__OW_NAMESPACE"] == user.namespace
        assert answer.json["__OW_ACTION_NAME"] == f"/{other.namespace}/p/a"

    # --- feeds ---

    def test_not_create_a_trigger_with_timeout_error_when_feed_fails_to_initialize(
        self, user: User, other: User
    ) -> None:
        other.make_package("p", publish=True)
        other.make_action("p/feed", "", kind=NODE)
        feed = f"/{other.namespace}/p/feed"
        made = a_trigger(user, "badfeed", annotations=pairs(feed=feed))
        user.put("triggers/badfeed", {"annotations": pairs(feed=feed)}).gives(made)
        lifecycle = {"lifecycleEvent": "CREATE", "triggerName": f"/{user.namespace}/badfeed", "authKey": user.key}
        answer = user.post(below(other, "actions/p/feed"), lifecycle, blocking=True)
        response = failed("Missing main/no code to execute.")
        ran = {"path": f"{other.namespace}/p/feed"}
        shown = a_record(user, "p/feed", {}, kind=NODE, ran=ran, response=response, logs=answer.json["logs"])
        answer.gives(shown, 502)
        user.delete("triggers/badfeed").gives(made)
        user.get("triggers/badfeed").refuses(404, MISSING)
