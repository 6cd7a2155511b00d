"""Who is somebody here, and in which namespaces?

An account of a source, by its mapping, becomes callers: one for each namespace that they may act in, as a caller acts
in one at a time. Pure.
"""

from collections.abc import Mapping

import msgspec

from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials
from rambla.identity.mapping import Meaning
from rambla.identity.ports import Account, ApiToken, Project, Standing


class Identity(msgspec.Struct, frozen=True):
    """`caller` is who they are where nothing says otherwise. `valid_ms` is how long what they showed can be good at
    most, as a moment; `token` is what they showed, if it is the platform's own."""

    caller: Caller
    elsewhere: Mapping[str, Caller] = {}
    valid_ms: int | None = None
    token: ApiToken | None = None

    def acting_in(self, namespace: str) -> Caller:
        """Who they are when they ask about that namespace: a member of it, if they are one."""
        return self.elsewhere.get(namespace, self.caller)

    @property
    def callers(self) -> tuple[Caller, ...]:
        return tuple({self.caller: None, **dict.fromkeys(self.elsewhere.values())})


def of_token(token: ApiToken, *, person: str = "") -> Identity:
    """Whom the token makes; the first of its callers is the default."""
    callers = tuple(msgspec.structs.replace(each, person=person) for each in token.callers)
    return Identity(callers[0], {each.namespace: each for each in callers if each.namespace}, token.expires_ms, token)


def account_of(caller: Caller) -> str:
    """By what name accounts know them: `corp/ada`; and `key/guest` if they came with the key of `guest`."""
    own = f"{caller.source}/"
    return caller.subject if caller.subject.startswith(own) else own + caller.subject


class Proven(msgspec.Struct, frozen=True):
    """Somebody who has proven who they are, before it is known in which namespaces they act. `project` is whose
    namespace has to be found, if they come for one."""

    source: str
    trust: int
    account: Account
    meaning: Meaning

    @property
    def subject(self) -> str:
        return f"{self.source}/{self.meaning.user}"

    @property
    def project(self) -> Project | None:
        return self.account.project if self.meaning.project_roles else None

    def caller(self, namespace: str = "", roles: tuple[str, ...] = (), *, person: str = "") -> Caller:
        """They, acting in that namespace with these roles besides those that they hold everywhere."""
        behalf = self.account.on_behalf_of
        return Caller(
            subject=self.subject,
            namespace=namespace,
            source=self.source,
            roles=tuple(dict.fromkeys((*roles, *self.meaning.roles))),
            trust=self.trust,
            method=self.account.method,
            groups=self.meaning.groups,
            person=person,
            on_behalf_of=f"{self.source}/{behalf}" if behalf else "",
        )


def identity_of(proven: Proven, standing: Standing | None, project_namespace: str | None) -> Identity:
    """`standing` is what the platform knows of the account, `project_namespace` the namespace of the project they come
    for. Raises BadCredentials if it is blocked, or what they showed was revoked."""
    account = proven.account
    if standing is not None:
        refuse_revoked(standing, account.issued_ms)
    person = standing.person if standing else ""
    held = dict(proven.meaning.namespaces)
    if project_namespace is not None:
        held = {project_namespace: proven.meaning.project_roles, **held}
    callers = {name: proven.caller(name, roles, person=person) for name, roles in held.items()}
    default = next(iter(callers.values()), None) or proven.caller(person=person)
    return Identity(default, callers, account.expires_ms)


def refuse_revoked(standing: Standing, issued_ms: int | None) -> None:
    """What says not when it was issued is as good as its source says it is. Raises BadCredentials."""
    if standing.blocked or (issued_ms is not None and issued_ms <= standing.revoked_ms):
        raise BadCredentials()
