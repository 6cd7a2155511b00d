"""What does a request about people and tokens ask for?

The shapes that clients send, and what they mean. None of them is ever shown, as most hold a secret. Pure.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rambla.domain.access import HIGHEST_TRUST, USUAL_TRUST
from rambla.domain.errors import BadRequest
from rambla.domain.proofs import ApplicationCredential, Certificate, KeystoneToken, Password, Proof, Token
from rambla.flow.tokens import LONGEST_MS, Program, Wish

BODY_BYTES_MAX = 64 * 1024
Method = Literal["password", "token", "keystone-token", "application-credential", "certificate"]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Word = Annotated[str, Meta(max_length=2048)]
Long = Annotated[str, Meta(max_length=16 * 1024)]
Words = Annotated[tuple[Name, ...], Meta(max_length=100)]


class SecretBody(msgspec.Struct, frozen=True, rename="camel"):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class LoginBody(SecretBody, frozen=True):
    """`method` says which of the others count; `source` of "" is any. `domain` and `project` are Keystone's."""

    source: Word = ""
    method: Method = "password"
    user: Word = ""
    password: Word = ""
    code: Word = ""
    domain: Word = ""
    project: Word = ""
    token: Long = ""
    id: Word = ""
    secret: Word = ""
    namespace: Word = ""


class TokenBody(SecretBody, frozen=True):
    """`lifetime` in ms; without one it is 90 days. `only` are permissions such as `action:*`."""

    name: Name
    lifetime: Annotated[int, Meta(ge=0, le=LONGEST_MS)] = 0
    only: Words = ()
    namespaces: Words = ()


class ProgramBody(TokenBody, frozen=True):
    """`roles` are held everywhere, and those of `actsIn` in these namespaces."""

    roles: Words = ()
    acts_in: Annotated[dict[Name, Words], Meta(max_length=100)] = {}
    trust: Annotated[int, Meta(ge=0, le=HIGHEST_TRUST)] = USUAL_TRUST


class PersonBody(SecretBody, frozen=True):
    person: Name


class UserBody(SecretBody, frozen=True):
    """`expires` is a moment."""

    user: Name
    password: Word
    groups: Words = ()
    expires: Annotated[int, Meta(ge=0, lt=10**15)] | None = None


class PasswordBody(SecretBody, frozen=True):
    password: Word


def proof_of(body: LoginBody, certificate: bytes) -> Proof:
    """`certificate` is that of the connection. Raises BadRequest if something is missing."""
    match body.method:
        case "password":
            _need(user=body.user, password=body.password)
            return Password(
                user=body.user, password=body.password, code=body.code, domain=body.domain, project=body.project
            )
        case "token":
            _need(token=body.token)
            return Token(token=body.token)
        case "keystone-token":
            _need(token=body.token)
            return KeystoneToken(token=body.token)
        case "application-credential":
            _need(id=body.id, secret=body.secret)
            return ApplicationCredential(id=body.id, secret=body.secret)
        case "certificate":
            if not certificate:
                raise BadRequest(detail="The connection came without a certificate.")
            return Certificate(der=certificate)


def wish_of(body: TokenBody) -> Wish:
    return Wish(body.name, body.lifetime, body.only, body.namespaces)


def program_of(body: ProgramBody) -> Program:
    return Program(body.roles, body.acts_in, body.trust)


def _need(**fields: str) -> None:
    for name, value in fields.items():
        if not value:
            raise BadRequest(detail=f"To log in so, '{name}' must be given.")
