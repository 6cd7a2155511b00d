"""What does Keystone say of a token?

Reads the document that `GET` and `POST /v3/auth/tokens` answer with (Identity API v3), strictly: what is not as it must
be is no answer. Pure.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from rambla.domain.errors import BadCredentials
from rambla.identity.ports import Account, Project

LISTED_MAX = 1000
APPLICATION_CREDENTIAL = "application_credential"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
Word = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,255}\Z")]
Moment = Annotated[datetime, Meta(tz=True)]


class _Id(msgspec.Struct, frozen=True):
    id: Word


class _Named(_Id, frozen=True):
    name: Word


class _OfDomain(_Named, frozen=True):
    domain: _Named


class _Role(msgspec.Struct, frozen=True):
    name: Word


class _Federation(msgspec.Struct, frozen=True):
    groups: Annotated[tuple[_Id, ...], Meta(max_length=LISTED_MAX)] = ()


class _User(_OfDomain, frozen=True, kw_only=True):
    federation: _Federation | None = msgspec.field(default=None, name="OS-FEDERATION")


class _Trust(_Id, frozen=True):
    trustor_user: _Id
    trustee_user: _Id
    impersonation: bool


class _ApplicationCredential(_Named, frozen=True):
    access_rules: list[object] = []


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    methods: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=20)]
    user: _User
    issued_at: Moment
    expires_at: Moment
    audit_ids: Annotated[tuple[Word, ...], Meta(max_length=20)] = ()
    roles: Annotated[tuple[_Role, ...], Meta(max_length=LISTED_MAX)] = ()
    project: _OfDomain | None = None
    domain: _Named | None = None
    system: dict[str, object] | None = None
    trust: _Trust | None = msgspec.field(default=None, name="OS-TRUST:trust")
    application_credential: _ApplicationCredential | None = None
    oauth2_credential: dict[str, object] | None = None


class _Document(msgspec.Struct, frozen=True):
    token: _Token


_decoder = msgspec.json.Decoder(_Document)


def account(document: bytes, *, own_domain: str, issued: bool) -> Account:
    """Whose token that is; `issued` says that the moment at which it was issued is known to whoever showed it.

    `own_domain` is the domain whose users' names are taken for theirs. Raises ValueError if it is no such document, and
    BadCredentials for a token that is good only with something that is not asked for here.
    """
    try:
        token = _decoder.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("no document of a token") from error
    return _account(token.token, own_domain, issued)


def _account(token: _Token, own_domain: str, issued: bool) -> Account:
    _refuse_bound(token)
    trust, user, project = token.trust, token.user, token.project
    return Account(
        # With impersonation, Keystone says that the trustor has it.
        user=trust.trustee_user.id if trust else user.id,
        method=_method(token),
        groups=tuple(group.id for group in user.federation.groups) if user.federation else (),
        roles=tuple(role.name for role in token.roles),
        attributes=dict(_attributes(token, own_domain)),
        project=Project(project.id, project.name, project.domain.name) if project else None,
        issued_ms=(token.issued_at - _EPOCH) // _MS if issued else None,
        expires_ms=(token.expires_at - _EPOCH) // _MS,
        on_behalf_of=trust.trustor_user.id if trust else "",
    )


def _refuse_bound(token: _Token) -> None:
    """A token may be good for some requests to other services only, or only with a certificate."""
    if token.oauth2_credential or (token.application_credential and token.application_credential.access_rules):
        raise BadCredentials()


def _method(token: _Token) -> str:
    """How its owner proved who they are: `token` stands for all that came before only if nothing else is said."""
    if token.application_credential:
        return "application-credential"
    return "+".join(sorted({*token.methods} - {"token"})) or "token"


def _attributes(token: _Token, own_domain: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A name is told only of users of `own_domain`: in another domain, somebody else may bear it."""
    yield "method", token.methods
    yield "audit_id", token.audit_ids
    if not (token.trust and token.trust.impersonation):
        yield "domain", (token.user.domain.name,)
        yield "domain_id", (token.user.domain.id,)
        if token.user.domain.name == own_domain:
            yield "name", (token.user.name,)
    if token.trust:
        yield "trust", (token.trust.id,)
    if token.application_credential:
        yield APPLICATION_CREDENTIAL, (token.application_credential.id,)
    yield from _scope(token).items()


def _scope(token: _Token) -> Mapping[str, tuple[str, ...]]:
    if project := token.project:
        named = {"project": project.name, "project_id": project.id, "project_domain": project.domain.name}
        return {"scope": ("project",), **{name: (value,) for name, value in named.items()}}
    if domain := token.domain:
        return {"scope": ("domain",), "scope_domain": (domain.name,), "scope_domain_id": (domain.id,)}
    return {"scope": ("system" if token.system else "none",)}
