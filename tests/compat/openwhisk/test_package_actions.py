"""Upstream's `PackageActionsApiTests`: actions in packages and through bindings, of one's own and of others."""

from compat.openwhisk.asking import ECHO, ID, MISSING, WRONG_COLLECTION, User, an_action, pairs

BODY = {"exec": {"kind": "python:3", "code": ECHO}}
ON_BINDING = "Operation not permitted on package binding."


def summary(user: User, name: str) -> dict[str, object]:
    shown = an_action(user, name, exec={"binary": False})
    del shown["parameters"]
    return shown


def refused(owner: User, name: str) -> str:
    return f"The supplied authentication is not authorized to access '{owner.namespace}/{name}'."


def share(user: User, *, publish: bool = True) -> None:
    """A package `p` with an action `a`, both with parameters."""
    user.make_package("p", publish=publish, parameters=pairs(x="package", p="package"))
    user.make_action("p/a", parameters=pairs(x="action", a="action"))


class TestPackageActions:
    def test_list_all_actions_in_package(self, user: User) -> None:
        share(user)
        user.make_action("p/a2")
        user.make_action("outside")
        user.get("actions/p/").gives([summary(user, "p/a2"), summary(user, "p/a")])
        user.get("actions/p/", count=True).gives({"actions": 2})
        user.get("actions/p/", limit=1, skip=1).gives([summary(user, "p/a")])

    def test_list_all_actions_in_package_binding(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        user.get("actions/b/").gives([summary(other, "p/a")])

    def test_include_action_in_package_when_listing_all_actions(self, user: User) -> None:
        share(user)
        user.make_action("b")
        user.get("actions").gives([summary(user, "b"), summary(user, "p/a")])

    def test_reject_ambiguous_list_actions_in_package_without_trailing_slash(self, user: User) -> None:
        share(user)
        user.get("actions/p").refuses(409, WRONG_COLLECTION)

    def test_reject_invalid_verb_on_get_package_actions(self, user: User) -> None:
        share(user)
        user.delete("actions/p/").refuses(405, "HTTP method not allowed, supported methods: GET")

    def test_list_of_a_package_that_does_not_exist(self, user: User, other: User) -> None:
        user.get("actions/no/").refuses(404, MISSING)
        user.get(f"/namespaces/{other.namespace}/actions/no/").refuses(403, refused(other, "no"))

    # --- write ---

    def test_put_action_in_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(x="package"))
        user.put("actions/p/a", {**BODY, "parameters": pairs(y=1)}).gives(an_action(user, "p/a", parameters=pairs(y=1)))

    def test_reject_put_action_in_package_that_does_not_exist(self, user: User) -> None:
        user.put("actions/p/a", BODY).refuses(404, MISSING)

    def test_reject_put_action_in_package_binding_where_package_doesn_t_exist(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.delete("packages/p")
        user.put("actions/b/a", BODY).refuses(400, ON_BINDING)

    def test_reject_put_action_in_package_binding(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.put("actions/b/a", BODY).refuses(400, ON_BINDING)

    def test_reject_put_action_in_package_owned_by_different_subject(self, user: User, other: User) -> None:
        share(other)
        user.put(f"/namespaces/{other.namespace}/actions/p/b", BODY).refuses(403, refused(other, "p/b"))

    # --- delete ---

    def test_delete_action_in_package(self, user: User) -> None:
        share(user)
        user.delete("actions/p/a").gives(an_action(user, "p/a", parameters=pairs(x="action", a="action")))
        user.get("actions/p/a").refuses(404, MISSING)

    def test_reject_delete_action_in_package_that_does_not_exist(self, user: User) -> None:
        user.delete("actions/p/a").refuses(404, MISSING)

    def test_reject_delete_non_existent_action_in_package(self, user: User) -> None:
        share(user)
        user.delete("actions/p/b").refuses(404, MISSING)

    def test_reject_delete_action_in_package_binding_where_package_doesn_t_exist(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.delete("packages/p")
        user.delete("actions/b/a").refuses(400, ON_BINDING)

    def test_reject_delete_action_in_package_binding(self, user: User) -> None:
        share(user)
        user.make_binding("b", user.namespace, "p")
        user.delete("actions/b/a").refuses(400, ON_BINDING)

    def test_reject_delete_action_in_package_owned_by_different_subject(self, user: User, other: User) -> None:
        share(other)
        user.delete(f"/namespaces/{other.namespace}/actions/p/a").refuses(403, refused(other, "p/a"))

    # --- read ---

    def test_get_action_in_package(self, user: User) -> None:
        share(user)
        merged = pairs(x="action", p="package", a="action")
        user.get("actions/p/a").gives(an_action(user, "p/a", parameters=merged))

    def test_get_action_in_package_binding_with_public_package(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        merged = pairs(x="action", p="package", a="action")
        user.get("actions/b/a").gives(an_action(other, "p/a", parameters=merged))

    def test_get_action_in_package_binding_with_public_package_with_overriding_parameters(
        self, user: User, other: User
    ) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p", parameters=pairs(p="binding", b="binding", x="binding"))
        merged = pairs(x="action", p="binding", b="binding", a="action")
        user.get("actions/b/a").gives(an_action(other, "p/a", parameters=merged))

    def test_reject_get_action_in_package_that_does_not_exist(self, user: User) -> None:
        user.get("actions/p/a").refuses(404, MISSING)

    def test_reject_get_non_existent_action_in_package(self, user: User) -> None:
        share(user)
        user.get("actions/p/b").refuses(404, MISSING)

    def test_reject_get_action_in_package_binding_that_does_not_exist(self, user: User, other: User) -> None:
        share(other)
        user.get("actions/b/a").refuses(404, MISSING)

    def test_reject_get_action_in_package_binding_with_package_that_does_not_exist(
        self, user: User, other: User
    ) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        other.delete("packages/p", force=True)
        user.get("actions/b/a").refuses(403, refused(other, "p/a"))

    def test_reject_get_non_existing_action_in_package_binding(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        user.get("actions/b/no").refuses(404, MISSING)

    def test_reject_get_action_in_package_binding_with_private_package(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        other.make_package("p", publish=False)
        user.get("actions/b/a").refuses(403, refused(other, "p/a"))

    # --- invoke ---

    def test_allow_owner_to_invoke_an_action_in_package(self, user: User) -> None:
        share(user)
        user.post("actions/p/a").gives({"activationId": ID}, 202)
        assert user.result("p/a", {"x": "call"}) == {"x": "call", "p": "package", "a": "action"}

    def test_allow_non_owner_to_invoke_an_action_in_public_package(self, user: User, other: User) -> None:
        share(other)
        told = user.post(f"/namespaces/{other.namespace}/actions/p/a", blocking=True)
        assert (told.status, told.json["namespace"], told.json["subject"]) == (200, user.namespace, user.namespace)
        assert told.json["response"]["result"] == {"x": "action", "p": "package", "a": "action"}
        other.get("activations").gives([])

    def test_invoke_action_in_package_binding_with_public_package(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p", parameters=pairs(p="binding", b="binding"))
        user.post("actions/b/a").gives({"activationId": ID}, 202)
        assert user.result("b/a") == {"x": "action", "p": "binding", "b": "binding", "a": "action"}

    def test_reject_non_owner_invoking_an_action_in_private_package(self, user: User, other: User) -> None:
        share(other, publish=False)
        user.post(f"/namespaces/{other.namespace}/actions/p/a").refuses(403, refused(other, "p/a"))

    def test_reject_invoking_an_action_in_package_that_does_not_exist(self, user: User) -> None:
        user.post("actions/p/a").refuses(404, MISSING)

    def test_reject_invoking_a_non_existent_action_in_package(self, user: User) -> None:
        share(user)
        user.post("actions/p/no").refuses(404, MISSING)

    def test_reject_invoke_action_in_package_binding_with_private_package(self, user: User, other: User) -> None:
        share(other)
        user.make_binding("b", other.namespace, "p")
        other.make_package("p", publish=False)
        user.post("actions/b/a").refuses(403, refused(other, "p/a"))
