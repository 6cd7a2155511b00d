import itertools

import pytest

import plain_rules
from rambla.domain.access import PLATFORMS_OWN, Caller, Target
from rambla.policy.credentials import prepare
from rambla.policy.defaults import attributes, credentials, policy

INSIDE = (
    "action:code",
    "action:invoke",
    "action:read",
    "action:write",
    "activation:list",
    "activation:read",
    "activation:result",
    "audit:read",
    "namespace:key",
    "object:read",
    "object:write",
    "package:read",
    "rule:read",
    "trigger:fire",
    "trigger:read",
    "usage:read",
)
PERMISSIONS = sorted(
    {*INSIDE, "namespace:read", "unheard:of"}
    | plain_rules.OPERATOR_PERMISSIONS
    | plain_rules.SOURCE_PERMISSIONS
    | plain_rules.PUBLIC_PERMISSIONS
    | plain_rules.WEB_PERMISSIONS
    | plain_rules.SHARED_PERMISSIONS
)
POLICY = policy()


@pytest.mark.parametrize("source", sorted(PLATFORMS_OWN))
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_the_layer_decides_as_the_plain_rules_do_and_names_the_same_rule(source: str, permission: str) -> None:
    names, flags = ("", "guest", "other"), (True, False)
    for own, owner, shared, exported in itertools.product(names, names, flags, flags):
        caller = Caller(subject="somebody", namespace=own, source=source)
        target = Target(namespace=owner, name="guest/x", shared=shared, exported=exported)
        wanted = plain_rules.decide(caller, permission, target)
        decision = POLICY.decide(credentials(caller), permission, attributes(target))
        assert (decision.allowed, decision.name) == (wanted.allowed, wanted.name)
        assert decision.line or not decision.allowed


def test_whoever_may_create_namespaces_need_not_see_inside_them() -> None:
    admin = prepare({"roles": ["namespace-admin"], "source": "key", "namespace": "guest"})
    for permission in ("namespace:create", "namespace:list", "namespace:delete"):
        assert POLICY.decide(admin, permission, {"namespace": "other"}).allowed
    for permission in INSIDE:
        for target in ({"namespace": "guest"}, {"namespace": "other", "shared": True, "exported": True}):
            assert not POLICY.decide(admin, permission, target).allowed
