"""Upstream's `ConductorsApiTests` and `WskConductorTests`: actions that say which comes next."""

from collections.abc import Mapping
from typing import Any

import pytest

from compat.openwhisk.asking import ECHO, ID, User, pairs
from compat.openwhisk.records import APPLICATION_ERROR, LIMITS, a_record, a_sequence_record, failed, parts_of

CONDUCTOR = """
def main(args):
    if 'error' in args:
        return args
    step = {name: args.pop(name) for name in ('action', 'state', 'params') if name in args}
    return {**step, 'params': {**args, **step.get('params', {})}}
"""
STEP = "def main(args):\n    return {'n': args['n'] + 1} if 'n' in args else {'error': 'missing parameter'}\n"
TEXT = "this is a test"
MISSING_PARAMETER = failed("missing parameter", APPLICATION_ERROR)
TOO_LONG = failed("Too many actions in the composition.", APPLICATION_ERROR)
LONGEST = 50
NESTED = {"topmost": False, "causedBy": "sequence"}


def make_conductor(user: User, name: str, code: str, /) -> None:
    user.make_action(name, code, annotations=pairs(conductor=True))


def composition(user: User, name: str, result: Any, parts: int, /, **changed: Any) -> dict[str, Any]:
    """The record of a composition of so many `parts`, runs of the conductor among them; `memory` is the most of one."""
    limits = {**LIMITS, "memory": changed.pop("memory", 256)}
    ran = {"conductor": True, "limits": limits, **changed.pop("ran", {})}
    return a_sequence_record(user, name, result, parts, ran=ran, **changed)


def composed(
    user: User, payload: Mapping[str, Any], result: Any, parts: int, /, **changed: Any
) -> list[dict[str, Any]]:
    """The parts of a run of the conductor `conductor`, whose record is as described."""
    answer = user.post("actions/conductor", payload, blocking=True)
    shown = composition(user, "conductor", result, parts, **changed)
    return parts_of(user, answer.gives(shown, 502 if "response" in changed else 200))


@pytest.fixture
def echo(user: User) -> User:
    """Somebody with a conductor that gives back what it gets."""
    make_conductor(user, "echo", ECHO)
    return user


@pytest.fixture
def stepping(user: User) -> User:
    """Somebody with upstream's conductor and an action that counts."""
    make_conductor(user, "conductor", CONDUCTOR)
    user.make_action("step", STEP)
    return user


class TestConductors:
    @pytest.mark.parametrize(
        ("payload", "result"),
        [
            ({"payload": TEXT}, {"payload": TEXT}),
            ({"params": {"payload": TEXT}}, {"payload": TEXT}),
        ],
    )
    def test_invoke_a_conductor_action_with_no_dynamic_steps(
        self, echo: User, payload: dict[str, Any], result: dict[str, Any]
    ) -> None:
        answer = echo.post("actions/echo", payload, blocking=True)
        parts_of(echo, answer.gives(composition(echo, "echo", result, 1)))
        answer = echo.post("actions/echo", {"error": TEXT}, blocking=True)
        response = failed(TEXT, APPLICATION_ERROR)
        parts_of(echo, answer.gives(composition(echo, "echo", {}, 1, response=response), 502))

    def test_invoke_a_conductor_action_with_dynamic_steps(self, stepping: User, other: User) -> None:
        other.make_action("step", STEP)
        composed(stepping, {"action": "step", "params": {"n": 1}}, {"n": 2}, 3)
        composed(stepping, {"action": "step"}, {}, 3, response=MISSING_PARAMETER)
        composed(stepping, {"action": "step", "state": {"witness": 42}, "n": 1}, {"n": 2, "witness": 42}, 3)
        forbidden = f"{other.namespace}/step"
        text = f"Failed entitlement check for action with name '{forbidden}' during composition."
        response = failed(text, APPLICATION_ERROR)
        composed(stepping, {"action": f"/{forbidden}"}, {}, 2, response=response)
        composed(stepping, {"action": "step", "state": {"action": "step"}, "n": 1}, {"n": 3}, 5)
        inner = {"action": "step"}
        composed(stepping, {"action": "conductor", "params": inner, "n": 1}, {"n": 2}, 3)
        composed(stepping, {"action": "conductor", "state": inner, "params": inner, "n": 1}, {"n": 3}, 5)
        twice = {"action": "conductor", "state": inner, "params": inner}
        composed(stepping, {"action": "conductor", "state": inner, "params": twice, "n": 1}, {"n": 4}, 5)

    def test_abort_if_composition_is_too_long(self, stepping: User) -> None:
        longest: dict[str, Any] = {}
        for _ in range(LONGEST):
            longest = {"action": "step", "state": longest}
        composed(stepping, {**longest, "n": 0}, {"n": LONGEST}, 2 * LONGEST + 1)
        too_long = {"action": "step", "state": longest}
        composed(stepping, {**too_long, "n": 0}, {}, 2 * LONGEST + 2, response=TOO_LONG)
        composed(stepping, {"action": "conductor", "params": longest, "n": 0}, {"n": LONGEST}, 3)
        composed(stepping, {"action": "conductor", "params": too_long, "n": 0}, {}, 3, response=TOO_LONG)

    def test_abort_if_composition_recurses_too_often(self, stepping: User) -> None:
        deepest: dict[str, Any] = {}
        for _ in range(LONGEST):
            deepest = {"action": "conductor", "params": deepest}
        composed(stepping, {**deepest, "n": 0}, {"n": 0}, 3)
        composed(stepping, {"action": "conductor", "params": deepest, "n": 0}, {}, 2, response=TOO_LONG)


class TestWskConductor:
    @pytest.mark.parametrize(
        ("payload", "result"),
        [
            ({"payload": TEXT, "state": TEXT}, {"payload": TEXT, "state": TEXT}),
            ({"params": {"payload": TEXT}, "result": TEXT, "state": TEXT}, {"payload": TEXT}),
        ],
    )
    def test_invoke_a_conductor_action_with_no_continuation(
        self, echo: User, payload: dict[str, Any], result: dict[str, Any]
    ) -> None:
        told = echo.post("actions/echo", payload).gives({"activationId": ID}, 202)
        whole = echo.ended(told["activationId"])
        assert whole == composition(echo, "echo", result, 1)
        (part,) = parts_of(echo, whole)
        ran = {"causedBy": "sequence"}
        assert part == a_record(echo, "echo", payload, cause=whole["activationId"], ran=ran)

    def test_invoke_a_conductor_action_with_an_invalid_continuation(self, echo: User) -> None:
        invalid = 'Failed to parse action name from json value "invalid#Action" during composition.'
        missing = f"Failed to resolve action with name '{echo.namespace}/missingAction' during composition."
        for name, text in (("invalid#Action", invalid), ("missingAction", missing)):
            answer = echo.post("actions/echo", {"payload": TEXT, "action": name}, blocking=True)
            response = failed(text, APPLICATION_ERROR)
            parts_of(echo, answer.gives(composition(echo, "echo", {}, 2, response=response), 502))

    def test_invoke_a_conductor_action_with_a_continuation(self, user: User) -> None:
        make_conductor(user, "conductor", CONDUCTOR)
        user.make_action("step", STEP, limits={"memory": 257})
        parts = composed(user, {"action": "step", "n": 1}, {"n": 2}, 3, memory=257)
        assert [part["name"] for part in parts] == ["conductor", "step", "conductor"]
        composed(user, {"action": "step"}, {}, 3, memory=257, response=MISSING_PARAMETER)
        told = user.post("actions/conductor", {"action": "step", "n": 1}).gives({"activationId": ID}, 202)
        assert user.ended(told["activationId"]) == composition(user, "conductor", {"n": 2}, 3, memory=257)
        composed(user, {"action": "step", "state": {"witness": 42}, "n": 1}, {"n": 2, "witness": 42}, 3, memory=257)
        composed(user, {"action": "step", "state": {"action": "step"}, "n": 1}, {"n": 3}, 5, memory=257)

    def test_invoke_nested_conductor_actions(self, user: User) -> None:
        make_conductor(user, "conductor", CONDUCTOR)
        user.make_action("step", STEP, limits={"memory": 255})
        inner = {"action": "step"}
        parts = composed(user, {"action": "conductor", "params": inner, "n": 1}, {"n": 2}, 3)
        cause = parts[0]["cause"]
        assert parts[1] == composition(user, "conductor", {"n": 2}, 3, cause=cause, ran=NESTED)
        assert [part["name"] for part in parts_of(user, parts[1])] == ["conductor", "step", "conductor"]
        composed(user, {"action": "conductor", "state": inner, "params": inner, "n": 1}, {"n": 3}, 5)
        twice = {"action": "conductor", "state": inner, "params": inner}
        composed(user, {"action": "conductor", "state": inner, "params": twice, "n": 1}, {"n": 4}, 5)

    @pytest.mark.parametrize(
        ("payload", "result"),
        [
            ({"payload": TEXT, "state": TEXT}, {"payload": TEXT, "state": TEXT}),
            ({"params": {"payload": TEXT}, "result": TEXT, "state": TEXT}, {"payload": TEXT}),
            ({"error": TEXT}, None),
        ],
    )
    def test_invoke_a_conductor_action_in_a_package_binding(
        self, user: User, payload: dict[str, Any], result: object
    ) -> None:
        user.make_package("package1")
        user.make_binding("package2", user.namespace, "package1")
        make_conductor(user, "package1/echo", ECHO)
        answer = user.post("actions/package2/echo", payload, blocking=True)
        more: dict[str, Any] = {"ran": {"binding": f"{user.namespace}/package2"}}
        if "error" in payload:
            more["response"] = failed(TEXT, APPLICATION_ERROR)
        shown = composition(user, "package1/echo", result, 1, **more)
        parts_of(user, answer.gives(shown, 502 if "error" in payload else 200))
