"""Upstream's `WskPackageTests`: packages and bindings, and what their actions inherit."""

from compat.openwhisk.asking import User, a_package, an_action, pairs
from compat.openwhisk.programs import NODE, PRINT_PARAMETERS
from compat.openwhisk.records import a_record, printed

FEW = {"p1": "v1", "p2": ""}
MORE = {"p1": "v1", "p2": "v2", "p3": "v3"}


class TestWskPackage:
    def test_allow_creation_and_deletion_of_a_package(self, user: User) -> None:
        user.put("packages/p", {}).gives(a_package(user, "p"))
        user.delete("packages/p").gives(a_package(user, "p"))
        user.get("packages").gives([])

    def test_allow_creation_of_a_package_with_parameters(self, user: User) -> None:
        user.put("packages/p", {"parameters": pairs(FEW)}).gives(a_package(user, "p", parameters=pairs(FEW)))

    def test_allow_updating_a_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(FEW))
        shown = a_package(user, "p", version="0.0.2", parameters=pairs(MORE))
        user.put("packages/p", {"parameters": pairs(MORE)}, overwrite=True).gives(shown)

    def test_allow_binding_of_a_package(self, user: User) -> None:
        user.make_package("p", parameters=pairs(FEW))
        binding = {"namespace": user.namespace, "name": "p"}
        shown = a_package(user, "b", parameters=pairs(MORE), binding=binding)
        user.put("packages/b", {"binding": binding, "parameters": pairs(MORE)}).gives(shown)

    def test_perform_package_binds_so_parameters_are_inherited(self, user: User) -> None:
        package, binding = {"key1a": "value1a", "key1b": "value1b"}, {"key2a": "value2a", "key1b": "value2b"}
        user.make_package("package1", parameters=pairs(package))
        user.make_action("package1/print", PRINT_PARAMETERS, kind=NODE, parameters=pairs(key0="value0"))
        user.make_binding("package2", user.namespace, "package1", parameters=pairs(binding))
        contents = user.get("packages/package1").json["actions"]
        inherited = {
            "parameters": pairs({**package, **binding}),
            "binding": {"namespace": user.namespace, "name": "package1"},
            "annotations": pairs(binding={"namespace": user.namespace, "name": "package1"}),
        }
        shown = a_package(user, "package2", **inherited)
        user.get("packages/package2").gives({**shown, "actions": contents, "feeds": []})
        for path, parameters in (
            ("package1/print", {**package, "key0": "value0"}),
            ("package2/print", {**package, **binding, "key0": "value0"}),
        ):
            shown = an_action(user, "package1/print", code=PRINT_PARAMETERS, kind=NODE, parameters=pairs(parameters))
            user.get(f"actions/{path}").gives(shown)
        given = {**package, **binding, "key0": "value0", "payload": "now"}
        logs = [printed(f"params.{key}: {value}") for key, value in sorted(given.items())]
        bound = {"binding": f"{user.namespace}/package2"}
        answer = user.post("actions/package2/print", {"payload": "now"}, blocking=True)
        answer.gives(a_record(user, "package1/print", {"params": given}, kind=NODE, logs=logs, ran=bound))

    def test_contain_an_binding_annotation_if_invoked_action_is_in_the_package_binding(self, user: User) -> None:
        user.make_package("p")
        user.make_action("p/a")
        user.make_binding("b", user.namespace, "p")
        shown = a_record(user, "p/a", {}, ran={"binding": f"{user.namespace}/b"})
        user.post("actions/b/a", blocking=True).gives(shown)

    def test_not_contain_an_binding_annotation_if_invoked_action_is_not_in_the_package_binding(
        self, user: User
    ) -> None:
        user.make_package("p")
        user.make_action("p/a")
        user.make_action("a")
        user.make_binding("b", user.namespace, "p")
        user.post("actions/p/a", blocking=True).gives(a_record(user, "p/a", {}))
        user.post("actions/a", blocking=True).gives(a_record(user, "a", {}))
