"""What does it mean here what a source says of somebody?

A mapping is a YAML file: which attribute names the person, which their groups, and who gets which roles, here or in
which namespaces. What it gives never goes beyond the ceiling that the settings put over its source. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec
import yaml
from msgspec import Meta

from rambla.domain.errors import BadCredentials, BadSettings
from rambla.identity.ports import Account

USER_CHARS_MAX = 255
GROUPS_MAX = 1000
NAMESPACES_MAX = 100
BYTES_MAX = 2**20
_USER = re.compile(rf"[^\0-\x1f\x7f\ud800-\udfff]{{1,{USER_CHARS_MAX}}}")
Roles = tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...]
OneOrMore = str | tuple[str, ...]


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`roles` everywhere, and those of `namespaces` in these, for whoever fulfils all conditions of `if`.

    A condition names an attribute and what it is, or several of which one suffices; `group` and `role` are what the
    source says of both. `*` at the end stands for anything.
    """

    conditions: dict[str, OneOrMore] = msgspec.field(default_factory=dict, name="if")
    roles: Roles = ()
    namespaces: dict[str, Roles] = {}


class Translation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` and `groups` name attributes, "" for what the source itself takes. `projects` says what the source's own
    roles in a project are called here, in the namespace of that project."""

    user: str = ""
    groups: str = ""
    grants: tuple[Grant, ...] = ()
    projects: dict[str, Roles] = {}


class Ceiling(msgspec.Struct, frozen=True):
    """The roles that a source may give, and the namespaces in which; patterns such as `team-*`."""

    roles: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def role(self, name: str) -> bool:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.roles)

    def namespace(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.namespaces)


class Meaning(msgspec.Struct, frozen=True):
    """Who somebody is here: `user` in the source's name space; roles everywhere, and in each namespace."""

    user: str
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    namespaces: Mapping[str, tuple[str, ...]]
    project_roles: tuple[str, ...] = ()


def read(name: str, text: str, ceiling: Ceiling) -> Translation:
    """Raises BadSettings, also if it would give what its source may not."""
    setting = f"identity.{name}.mapping"
    try:
        mapping = msgspec.convert(yaml.safe_load(text) or {}, Translation)
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError, ValueError) as error:
        raise BadSettings(name=setting, detail=str(error).splitlines()[0]) from error
    for role in sorted(set(_roles_in(mapping))):
        if not ceiling.role(role):
            detail = f"it gives the role '{role}', which the source may not give. Fix: add it to identity.{name}.roles"
            raise BadSettings(name=setting, detail=detail)
    for namespace in sorted({each for grant in mapping.grants for each in grant.namespaces}):
        if not ceiling.namespace(namespace):
            fix = f"Fix: add it to identity.{name}.namespaces"
            raise BadSettings(name=setting, detail=f"it opens the namespace '{namespace}', which it may not. {fix}")
    return mapping


def meaning(mapping: Translation, ceiling: Ceiling, account: Account) -> Meaning:
    """Raises BadCredentials if the source's word for the person is no name."""
    user = _only(account, mapping.user) if mapping.user else account.user
    if not _USER.fullmatch(user):
        raise BadCredentials()
    groups = account.groups + (account.attributes.get(mapping.groups, ()) if mapping.groups else ())
    known = {**account.attributes, "group": groups, "role": account.roles}
    roles: dict[str, None] = {}
    namespaces: dict[str, dict[str, None]] = {}
    for grant in mapping.grants:
        if all(_holds(known.get(name, ()), wanted) for name, wanted in grant.conditions.items()):
            roles.update(dict.fromkeys(grant.roles))
            for namespace, given in grant.namespaces.items():
                namespaces.setdefault(namespace, {}).update(dict.fromkeys(given))
    held = [role for own in account.roles for role in mapping.projects.get(own, ())] if account.project else []
    return Meaning(
        user=user,
        groups=groups[:GROUPS_MAX],
        roles=tuple(filter(ceiling.role, roles)),
        namespaces={name: tuple(filter(ceiling.role, given)) for name, given in namespaces.items()},
        project_roles=tuple(filter(ceiling.role, dict.fromkeys(held))),
    )


def _only(account: Account, attribute: str) -> str:
    """Its one value. Raises BadCredentials if there are none or several, as nobody could say who it is."""
    values = account.attributes.get(attribute, ())
    if len(values) != 1:
        raise BadCredentials()
    return values[0]


def _holds(values: tuple[str, ...], wanted: OneOrMore) -> bool:
    patterns = (wanted,) if isinstance(wanted, str) else wanted
    return any(_matches(value, pattern) for pattern in patterns for value in values)


def _matches(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _roles_in(mapping: Translation) -> Iterator[str]:
    for grant in mapping.grants:
        yield from grant.roles
        for given in grant.namespaces.values():
            yield from given
    for given in mapping.projects.values():
        yield from given
