"""What does a decision know of the caller?

Prepared once per request from a mapping such as Keystone's middleware or `identity` makes, then used for every decision
of that request. The scope and the key `system` follow oslo.policy's `Enforcer.enforce`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

import msgspec

from rambla.policy.terms import Scope

PROFILES_MAX = 4096
Profile: TypeAlias = tuple[frozenset[str] | None, Scope]


class Credentials(msgspec.Struct, frozen=True):
    """`profile` is the caller's roles and scope, the same object for many callers, so that it is quickly looked up.

    Roles are in lower case, or None if they could not be read as names: asking for a role is then an error.
    """

    values: Mapping[str, object]
    profile: Profile

    @property
    def roles(self) -> frozenset[str] | None:
        return self.profile[0]

    @property
    def scope(self) -> Scope:
        return self.profile[1]


def prepare(values: Mapping[str, object]) -> Credentials:
    """Credentials of any mapping; never fails, whatever the values are."""
    if system := values.get("system_scope"):
        values = {**values, "system": system}
    return Credentials(values, _profile(_roles(values), _scope(values)))


@lru_cache(PROFILES_MAX)
def _profile(roles: frozenset[str] | None, scope: Scope) -> Profile:
    return roles, scope


def _roles(values: Mapping[str, object]) -> frozenset[str] | None:
    roles = values.get("roles", ())
    try:
        return frozenset([role.lower() for role in roles])  # type: ignore[attr-defined]  # what is no name, is caught
    except (AttributeError, TypeError):
        return None


def _scope(values: Mapping[str, object]) -> Scope:
    if values.get("system"):
        return "system"
    return "domain" if values.get("domain_id") else "project"
