"""Upstream's `PackagesApiTests`: packages, what is in them, and what others are bound to."""

import pytest

from compat.openwhisk import pages
from compat.openwhisk.asking import MB, WRONG_COLLECTION, User, a_package, matching, pairs

NO_PROVIDER = "Binding references a package that does not exist."
NO_BINDING_OF_A_BINDING = "Cannot bind to another package binding."


def listed(user: User, name: str, **changed: object) -> dict[str, object]:
    shown = a_package(user, name, **{"binding": False, **changed})
    del shown["parameters"]
    return shown


def whole(user: User, name: str, **changed: object) -> dict[str, object]:
    """As a GET shows it."""
    return a_package(user, name, **{"actions": [], "feeds": [], **changed})


def bound_to(owner: User, name: str) -> dict[str, str]:
    return {"namespace": owner.namespace, "name": name}


def as_content(name: str, **annotations: object) -> dict[str, object]:
    """How an action is shown in its package."""
    shown = pairs({**annotations, "provide-api-key": False, "exec": "python:3"})
    return {"name": name, "version": "0.0.1", "annotations": shown}


def refused(owner: User, name: str = "") -> str:
    target = f"{owner.namespace}/{name}" if name else owner.namespace
    return f"The supplied authentication is not authorized to access '{target}'."


class TestPackages:
    def test_list_all_packages_references(self, user: User, other: User) -> None:
        user.make_package("p", parameters=pairs(a=1))
        user.make_binding("b", user.namespace, "p")
        shown = [listed(user, "b", binding=bound_to(user, "p")), listed(user, "p")]
        for path in ("packages", f"/namespaces/{user.namespace}/packages"):
            user.get(path).gives(shown)
        user.get("packages", count=True).gives({"packages": 2})
        other.get(f"/namespaces/{user.namespace}/packages").gives([])

    def test_list_all_public_packages_in_explicit_namespace_excluding_bindings(self, user: User, other: User) -> None:
        user.make_package("private")
        user.make_package("public", publish=True)
        user.make_binding("b", user.namespace, "public", publish=True)
        other.get(f"/namespaces/{user.namespace}/packages").gives([listed(user, "public", publish=True)])
        other.get(f"/namespaces/{user.namespace}/packages", count=True).gives({"packages": 1})

    def test_reject_list_when_limit_is_greater_than_maximum_allowed_value(self, user: User) -> None:
        pages.refuses_a_limit_beyond_the_maximum(user, "packages")

    def test_reject_list_when_limit_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_limit_that_is_no_integer(user, "packages")

    def test_reject_list_when_skip_is_negative(self, user: User) -> None:
        pages.refuses_a_negative_skip(user, "packages")

    def test_reject_list_when_skip_is_not_an_integer(self, user: User) -> None:
        pages.refuses_a_skip_that_is_no_integer(user, "packages")

    def test_ignore_public_on_list_all_packages(self, user: User) -> None:
        user.make_package("private")
        user.make_package("public", publish=True)
        shown = [listed(user, "public", publish=True), listed(user, "private")]
        for value in (True, False, "x"):
            user.get("packages", public=value).gives(shown)

    def test_return_empty_list_for_invalid_namespace(self, user: User) -> None:
        user.get("/namespaces/whatever/packages").gives([])

    # --- read ---

    def test_get_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(a="A"), annotations=pairs(x=1))
        user.get("packages/p").gives(whole(user, "p", parameters=pairs(a="A"), annotations=pairs(x=1)))

    def test_get_package_with_updated_field(self, user: User) -> None:
        updated = user.make_package("p")["updated"]
        user.get("packages/p").gives(whole(user, "p", updated=updated))

    def test_get_package_reference_for_private_package_in_same_namespace(self, user: User) -> None:
        user.make_package("p", parameters=pairs(a="A", b="B"))
        user.make_binding("b", user.namespace, "p", parameters=pairs(b="b", c="C"))
        binding = bound_to(user, "p")
        annotations, parameters = pairs(binding=binding), pairs(a="A", b="b", c="C")
        user.get("packages/b").gives(whole(user, "b", binding=binding, parameters=parameters, annotations=annotations))

    def test_not_get_package_reference_for_a_private_package_in_other_namespace(self, user: User, other: User) -> None:
        other.make_package("p", publish=True)
        user.make_binding("b", other.namespace, "p")
        other.make_package("p", publish=False)
        user.get("packages/b").refuses(403, refused(other, "p"))

    def test_get_package_with_its_actions_and_feeds(self, user: User) -> None:
        user.make_package("p")
        user.make_action("p/a")
        user.make_action("p/f", annotations=pairs(feed=True))
        user.make_action("a")
        contents = {"actions": [as_content("a")], "feeds": [as_content("f", feed=True)]}
        user.get("packages/p").gives(whole(user, "p", **contents))

    def test_reject_get_private_package_from_other_subject(self, user: User, other: User) -> None:
        user.make_package("p")
        other.get(f"/namespaces/{user.namespace}/packages/p").refuses(403, refused(user, "p"))

    def test_get_package_reference_with_its_actions_and_feeds(self, user: User, other: User) -> None:
        other.make_package("p", publish=True)
        other.make_action("p/a")
        other.make_action("p/f", annotations=pairs(feed=True))
        user.make_binding("b", other.namespace, "p")
        contents = {"actions": [as_content("a")], "feeds": [as_content("f", feed=True)]}
        binding = bound_to(other, "p")
        user.get("packages/b").gives(whole(user, "b", binding=binding, annotations=pairs(binding=binding), **contents))

    def test_reject_get_package_reference_from_other_subject(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        user.make_binding("b", user.namespace, "p")
        other.get(f"/namespaces/{user.namespace}/packages/b").refuses(403, refused(user, "b"))

    def test_not_get_package_reference_with_its_actions_and_feeds_from_private_package(
        self, user: User, other: User
    ) -> None:
        other.make_package("p", publish=True)
        other.make_action("p/a")
        user.make_binding("b", other.namespace, "p")
        other.make_package("p", publish=False)
        user.get("packages/b").refuses(403, refused(other, "p"))
        user.get("actions/b/").refuses(403, refused(other, "p"))

    def test_report_conflict_if_the_name_was_of_a_different_type(self, user: User) -> None:
        user.make_action("a")
        user.get("packages/a").refuses(409, WRONG_COLLECTION)

    def test_reject_invalid_resource(self, user: User) -> None:
        user.make_package("p")
        user.get("packages/p/bar").refuses(404, "The requested resource could not be found.")

    # --- create ---

    def test_create_package(self, user: User) -> None:
        body = {"publish": True, "parameters": pairs(a=1), "annotations": pairs(x=[1, None, {"y": "z"}])}
        user.put("packages/p", body).gives(a_package(user, "p", **body))

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_reject_create_update_package_when_package_name_is_reserved(self, user: User, overwrite: bool) -> None:
        text = "Package name 'default' is reserved."
        user.put("packages/default", {}, overwrite=overwrite).refuses(400, text)

    def test_create_package_reference_with_explicit_namespace(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        body = {"binding": bound_to(user, "p"), "annotations": pairs(x=1, binding="???"), "parameters": pairs(y=2)}
        annotations = pairs(x=1, binding=bound_to(user, "p"))
        user.put("packages/b", body).gives(a_package(user, "b", **{**body, "annotations": annotations}))
        other.put(f"/namespaces/{user.namespace}/packages/b2", body).refuses(403, refused(user, "b2"))

    def test_reject_create_package_reference_in_some_other_namespace(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        body = {"binding": bound_to(user, "p")}
        user.put(f"/namespaces/{other.namespace}/packages/b", body).refuses(403, refused(other, "b"))

    def test_not_create_package_reference_from_private_package_in_another_namespace(
        self, user: User, other: User
    ) -> None:
        other.make_package("p")
        user.put("packages/b", {"binding": bound_to(other, "p")}).refuses(403, refused(other, "p"))
        user.get("packages").gives([])

    def test_create_package_reference_with_implicit_namespace(self, user: User) -> None:
        user.make_package("p")
        body = {"binding": {"namespace": "_", "name": "p"}}
        user.put("packages/b", body).gives(a_package(user, "b", binding=bound_to(user, "p")))

    def test_reject_create_package_reference_when_referencing_non_existent_package_in_same_namespace(
        self, user: User
    ) -> None:
        user.put("packages/b", {"binding": bound_to(user, "no")}).refuses(400, NO_PROVIDER)

    def test_reject_create_package_reference_when_referencing_non_existent_package_in_another_namespace(
        self, user: User, other: User
    ) -> None:
        user.put("packages/b", {"binding": bound_to(other, "no")}).refuses(403, refused(other, "no"))

    def test_reject_create_package_reference_when_referencing_a_non_package(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.put("packages/b2", {"binding": bound_to(user, "b")}).refuses(400, NO_BINDING_OF_A_BINDING)

    @pytest.mark.parametrize("field", ["annotations", "parameters"])
    def test_reject_create_package_reference_when_annotations_are_too_big(self, user: User, field: str) -> None:
        user.make_package("p")
        body = {"binding": bound_to(user, "p"), field: pairs(x="b" * MB)}
        user.put("packages/b", body).refuses(413, matching(rf"{field} larger than allowed: \d+ > {MB} bytes\."))

    def test_reject_update_package_reference_when_parameters_are_too_big(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        text = matching(rf"parameters larger than allowed: \d+ > {MB} bytes\.")
        user.put("packages/b", {"parameters": pairs(x="b" * MB)}, overwrite=True).refuses(413, text)

    def test_reject_bind_to_non_package(self, user: User) -> None:
        user.make_trigger("t")
        text = "Cannot bind to a resource that is not a package."
        user.put("packages/b", {"binding": bound_to(user, "t")}).refuses(409, text)

    # --- update ---

    def test_update_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(a=1), annotations=pairs(x=1, y=2))
        changed = user.put("packages/p", {"publish": True, "annotations": pairs(x=3)}, overwrite=True)
        changed.gives(
            a_package(user, "p", version="0.0.2", publish=True, parameters=pairs(a=1), annotations=pairs(x=3))
        )

    def test_reject_update_package_owned_by_different_user(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        path = f"/namespaces/{user.namespace}/packages/p"
        other.put(path, {"publish": False}, overwrite=True).refuses(403, refused(user, "p"))

    def test_update_package_reference(self, user: User) -> None:
        for name in ("p", "q"):
            user.make_package(name)
        user.make_binding("b", user.namespace, "p")
        body = {"binding": bound_to(user, "q"), "publish": True, "parameters": pairs(a=1)}
        user.put("packages/b", body, overwrite=True).gives(a_package(user, "b", version="0.0.2", **body))

    def test_reject_update_package_reference_owned_by_different_user(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        user.make_binding("b", user.namespace, "p")
        path = f"/namespaces/{user.namespace}/packages/b"
        other.put(path, {"publish": True}, overwrite=True).refuses(403, refused(user, "b"))

    def test_reject_update_package_with_binding(self, user: User) -> None:
        for name in ("p", "q"):
            user.make_package(name)
        text = "Resource is a package and cannot be converted into a binding."
        user.put("packages/p", {"binding": bound_to(user, "q")}, overwrite=True).refuses(409, text)

    def test_reject_update_package_reference_when_new_binding_refers_to_non_existent_package_in_same_namespace(
        self, user: User
    ) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.put("packages/b", {"binding": bound_to(user, "no")}, overwrite=True).refuses(400, NO_PROVIDER)

    def test_reject_update_package_reference_when_new_binding_refers_to_non_existent_package_in_another_namespace(
        self, user: User, other: User
    ) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        changed = user.put("packages/b", {"binding": bound_to(other, "no")}, overwrite=True)
        changed.refuses(403, refused(other, "no"))

    def test_reject_update_package_reference_when_new_binding_refers_to_itself(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        changed = user.put("packages/b", {"binding": bound_to(user, "b")}, overwrite=True)
        changed.refuses(400, NO_BINDING_OF_A_BINDING)
        binding = bound_to(user, "p")
        user.get("packages/b").gives(whole(user, "b", binding=binding, annotations=pairs(binding=binding)))

    def test_reject_update_package_reference_when_new_binding_refers_to_private_package_in_another_namespace(
        self, user: User, other: User
    ) -> None:
        user.make_package("p")
        other.make_package("q")
        user.make_binding("b", user.namespace, "p")
        changed = user.put("packages/b", {"binding": bound_to(other, "q")}, overwrite=True)
        changed.refuses(403, refused(other, "q"))

    # --- delete ---

    def test_delete_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(a=1))
        user.delete("packages/p").gives(a_package(user, "p", parameters=pairs(a=1)))
        user.get("packages/p").refuses(404, f"The requested resource '{user.namespace}/p' does not exist.")

    def test_reject_deleting_package_owned_by_different_user(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        other.delete(f"/namespaces/{user.namespace}/packages/p").refuses(403, refused(user, "p"))

    def test_delete_package_reference_regardless_of_package_existence(self, user: User) -> None:
        user.make_package("p")
        user.make_binding("b", user.namespace, "p")
        user.delete("packages/p")
        user.delete("packages/b").gives(a_package(user, "b", binding=bound_to(user, "p")))

    def test_reject_deleting_package_reference_owned_by_different_user(self, user: User, other: User) -> None:
        user.make_package("p", publish=True)
        user.make_binding("b", user.namespace, "p")
        other.delete(f"/namespaces/{user.namespace}/packages/b").refuses(403, refused(user, "b"))

    def test_delete_package_and_its_actions_if_force_flag_is_set_to_true(self, user: User) -> None:
        user.make_package("p")
        user.make_action("p/a")
        user.delete("packages/p", force=True).gives(a_package(user, "p"))
        user.get("actions").gives([])

    def test_reject_delete_non_empty_package_if_force_flag_is_not_set(self, user: User) -> None:
        user.make_package("p")
        user.make_action("p/a")
        text = "Package not empty (contains 1 entity). Set force param or delete package contents."
        user.delete("packages/p").refuses(409, text)
        user.delete("packages/p", force=False).refuses(409, text)
        user.delete("actions/p/a")
        user.delete("packages/p").gives(a_package(user, "p"))
