"""Upstream's `SequenceApiTests`: what a sequence may be made of."""

import pytest

from compat.openwhisk.asking import ID, User, an_action, pairs

TOO_LONG = "Too many actions in the sequence."
CYCLIC = "Sequence may not refer to itself."
UNQUALIFIED = "The fully qualified name of the entity must contain at least the namespace and the name of the entity."
COMPONENTS_MAX = 50


def sequence(*components: str) -> dict[str, object]:
    """The body that makes one of these, of one's own namespace."""
    return {"exec": {"kind": "sequence", "components": [f"/_/{name}" for name in components]}}


def a_sequence(user: User, name: str, *components: str, **changed: object) -> dict[str, object]:
    names = [f"/{user.namespace}/{one}" for one in components]
    return an_action(
        user,
        name,
        exec={"kind": "sequence", "components": names},
        annotations=pairs({"provide-api-key": False, "exec": "sequence"}),
        parameters=pairs(_actions=names),
        **changed,
    )


@pytest.fixture
def user(user: User) -> User:
    """Has actions `a` and `b`."""
    for name in ("a", "b"):
        user.make_action(name)
    return user


class TestSequence:
    def test_partially_invoke_a_sequence_with_missing_component_and_produce_component_missing_error(
        self, user: User
    ) -> None:
        user.make_sequence("s", ["/_/a", "/_/b"])
        user.delete("actions/b")
        answer = user.post("actions/s", {"x": 1}, blocking=True)
        record = answer.json
        failed = {"error": "Sequence component does not exist."}
        assert answer.status == 502
        assert record["response"] == {"status": "application error", "success": False, "result": failed, "size": 46}
        assert record["logs"] == [ID]
        first = user.ended(record["logs"][0])
        assert (first["name"], first["cause"], first["response"]["success"]) == ("a", record["activationId"], True)

    def test_reject_creation_of_sequence_with_more_actions_than_allowed_limit(self, user: User) -> None:
        user.put("actions/s", sequence(*["a"] * (COMPONENTS_MAX + 1))).refuses(400, TOO_LONG)

    def test_reject_creation_of_sequence_with_no_component_specified(self, user: User) -> None:
        user.put("actions/s", sequence()).refuses(400, "No component specified for the sequence.")

    def test_reject_update_of_sequence_with_no_component_specified(self, user: User) -> None:
        user.make_sequence("s", ["/_/a", "/_/b"])
        text = "No component specified for the sequence."
        user.put("actions/s", sequence(), overwrite=True).refuses(400, text)
        user.get("actions/s").gives(a_sequence(user, "s", "a", "b"))

    def test_reject_creation_of_sequence_with_non_existent_action(self, user: User) -> None:
        user.put("actions/s", sequence("bogus")).refuses(400, "Sequence component does not exist.")

    def test_reject_create_sequence_that_points_to_itself(self, user: User) -> None:
        user.put("actions/s", sequence("s")).refuses(400, CYCLIC)

    def test_reject_create_sequence_that_points_to_itself_with_many_components(self, user: User) -> None:
        user.put("actions/s", sequence("a", "s", "a")).refuses(400, CYCLIC)

    def test_reject_update_of_sequence_with_cycle(self, user: User) -> None:
        user.make_sequence("s", ["/_/a", "/_/a"])
        user.put("actions/s", sequence("a", "s"), overwrite=True).refuses(400, CYCLIC)

    def test_allow_creation_of_sequence_provided_the_number_of_actions_is_at_most_the_allowed_limit(
        self, user: User
    ) -> None:
        components = ["a"] * COMPONENTS_MAX
        user.put("actions/s", sequence(*components)).gives(a_sequence(user, "s", *components))

    def test_allow_creation_of_sequence_with_actions_with_package_bindings(self, user: User) -> None:
        user.make_package("p", publish=True)
        user.make_action("p/a")
        user.make_binding("bound", user.namespace, "p")
        user.put("actions/s", sequence("bound/a")).gives(a_sequence(user, "s", "bound/a"))

    def test_reject_update_of_sequence_with_cycle_through_bindings(self, user: User) -> None:
        user.make_package("p", publish=True)
        user.make_sequence("p/s", ["/_/a", "/_/a"])
        user.make_binding("bound", user.namespace, "p")
        user.put("actions/p/s", sequence("a", "bound/s"), overwrite=True).refuses(400, CYCLIC)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_reject_creation_of_a_sequence_with_components_that_don_t_have_at_least_namespace_and_action_name(
        self, user: User, overwrite: bool
    ) -> None:
        body = {"exec": {"kind": "sequence", "components": ["a", "b"]}}
        text = f"The request content was malformed:\nrequirement failed: {UNQUALIFIED}"
        user.put("actions/s", body, overwrite=overwrite).refuses(400, text)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_reject_create_or_update_of_a_sequence_with_no_components(self, user: User, overwrite: bool) -> None:
        text = "The request content was malformed:\n'components' must be defined for sequence kind"
        user.put("actions/s", {"exec": {"kind": "sequence"}}, overwrite=overwrite).refuses(400, text)

    def test_create_a_sequence_of_type_s_x_x_where_x_is_a_sequence_and_correctly_count_the_atomic_actions(
        self, user: User
    ) -> None:
        half = COMPONENTS_MAX // 2
        user.make_sequence("x", ["/_/a"] * half)
        user.put("actions/s", sequence("x", "x")).gives(a_sequence(user, "s", "x", "x"))
        user.put("actions/s", sequence("x", "x", "a"), overwrite=True).refuses(400, TOO_LONG)

    def test_create_a_complex_sequence_allow_updates_with_no_cycle_and_reject_updates_with_cycle(
        self, user: User
    ) -> None:
        user.make_sequence("y", ["/_/a"])
        user.make_sequence("z", ["/_/a"])
        user.make_sequence("x", ["/_/b", "/_/z"])
        user.put("actions/s", sequence("a", "x", "y")).gives(a_sequence(user, "s", "a", "x", "y"))
        user.put("actions/z", sequence("s"), overwrite=True).refuses(400, CYCLIC)
        user.put("actions/s", sequence("a", "s", "b"), overwrite=True).refuses(400, CYCLIC)
        user.put("actions/z", sequence("y"), overwrite=True).gives(a_sequence(user, "z", "y", version="0.0.2"))
        longer = ("a", "x", "y", "a", "b")
        user.put("actions/s", sequence(*longer), overwrite=True).gives(a_sequence(user, "s", *longer, version="0.0.2"))
        assert user.result("s", {"n": 1}) == {"n": 1}
