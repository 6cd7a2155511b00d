"""What the platform's own layer says of whom, in the words of its promise."""

from hypothesis import given
from hypothesis import strategies as st

from plain_rules import OPERATOR_PERMISSIONS, SOURCE_PERMISSIONS
from rambla.domain.access import Caller, Decision, Target
from rambla.policy.defaults import attributes, credentials, policy

OWNER = Caller(subject="guest", namespace="guest", source="key")
STRANGER = Caller(subject="other", namespace="other", source="key")
OPERATOR = Caller(subject="operator", namespace="", source="operator")
EVENTS = Caller(subject="events", namespace="", source="event-source")
POLICY = policy()
PERMISSIONS = ["action:invoke", "action:read", "rule:delete", "activation:result", "audit:read", "object:read"]


def decide(caller: Caller, permission: str, target: Target) -> Decision:
    return POLICY.decide(credentials(caller), permission, attributes(target))


def test_the_owner_may_do_everything_inside_and_nothing_to_the_namespace_itself() -> None:
    for permission in PERMISSIONS:
        assert decide(OWNER, permission, Target("guest", "guest/a")).allowed
    for permission in OPERATOR_PERMISSIONS | SOURCE_PERMISSIONS:
        assert not decide(OWNER, permission, Target("guest", "guest")).allowed


def test_nobody_else_may_do_anything_inside_but_see_what_is_published() -> None:
    for caller in (STRANGER, OPERATOR, EVENTS):
        for permission in PERMISSIONS:
            assert decide(caller, permission, Target("guest", "guest/a")).name == "defaults/deny"
    assert decide(STRANGER, "package:list", Target("guest", "guest")).allowed


def test_the_operator_tends_namespaces_and_a_source_only_delivers() -> None:
    assert all(decide(OPERATOR, permission, Target("guest", "guest")).allowed for permission in OPERATOR_PERMISSIONS)
    assert decide(EVENTS, "trigger:deliver", Target("guest", "guest/t")).allowed
    assert not decide(EVENTS, "trigger:fire", Target("guest", "guest/t")).allowed


@given(st.text(), st.text(), st.sampled_from(["key", "platform", "event-source", "operator"]))
def test_who_has_no_namespace_owns_nothing(permission: str, name: str, source: str) -> None:
    caller = Caller(subject="x", namespace="", source=source)  # type: ignore[arg-type]  # drawn from the literal's values
    decision = decide(caller, permission, Target("", name))
    assert decision.name != "defaults/owner"


def test_whoever_it_is_may_visit_what_is_exported_and_nothing_else() -> None:
    nobody = Caller(subject="", namespace="", source="key")
    for caller in (nobody, OWNER, STRANGER, OPERATOR, EVENTS):
        decision = decide(caller, "action:web", Target("guest", "guest/a", exported=True))
        assert (decision.allowed, decision.name) == (True, "defaults/web-export")
        assert not decide(caller, "action:web", Target("guest", "guest/a")).allowed
        exported = Target("guest", "guest/a", exported=True)
        assert decide(caller, "action:read", exported).allowed == (caller is OWNER)
