"""What does a decision know of the caller?

Prepared once per request from a mapping such as Keystone's middleware or `identity` makes, then used for every decision
of that request. The scope and the key `system` follow oslo.policy's `Enforcer.enforce`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

import msgspec

from rambla.policy.terms import SCOPES, Scope

PROFILES_MAX = 4096
Profile: TypeAlias = tuple[frozenset[str] | None, Scope]


class Credentials(msgspec.Struct, frozen=True):
    """`profile` is the caller's roles and scope, the same object for many callers, so that it is quickly looked up.

    Roles are in lower case, or None if they could not be read as names: asking for a role is then an error. `answers`
    are those that enforcers gave for this decision, by what their question names.
    """

    values: Mapping[str, object]
    profile: Profile
    answers: Mapping[str, bool] = {}

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
    scope: Scope = "system" if values.get("system") else "domain" if values.get("domain_id") else "project"
    try:
        profile = _profile(tuple(values.get("roles", ())), scope)  # type: ignore[arg-type]  # what is no list, is caught
    except Exception:
        profile = _unreadable(scope)
    return Credentials(values, profile)


@lru_cache(PROFILES_MAX)
def _profile(roles: tuple[str, ...], scope: Scope) -> Profile:
    """Raises AttributeError or TypeError if the roles are no names."""
    return frozenset([role.lower() for role in roles]), scope


@lru_cache(len(SCOPES))
def _unreadable(scope: Scope) -> Profile:
    return None, scope
