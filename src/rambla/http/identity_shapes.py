"""Which shapes do answers about people and tokens have?

As `shapes.py`: what is described is what is sent. Moments are in ms since the epoch.
"""

from typing import Any

from msgspec import UNSET, UnsetType

from rambla.http.shapes import Shape


class Source(Shape, frozen=True, kw_only=True):
    """`public` is what one must know to log in there, such as the issuer of its tokens."""

    name: str
    kind: str
    methods: list[str]
    public: dict[str, Any]


class Session(Shape, frozen=True, kw_only=True):
    """`token` is told once."""

    token: str
    id: str
    expires: int
    subject: str
    namespace: str
    person: str
    source: str
    method: str
    trust: int


class Acting(Shape, frozen=True, kw_only=True):
    """What somebody is in one namespace."""

    namespace: str
    roles: list[str]


class Whoami(Shape, frozen=True, kw_only=True):
    """`roles` are those that count in `namespace`. `expires` is when what they came with is no good any more, at the
    latest. `only` and `goodIn` are permissions and namespaces that their token is good for, if not for all; `token` is
    its id."""

    subject: str
    person: str
    source: str
    method: str
    trust: int
    groups: list[str]
    namespace: str
    roles: list[str]
    namespaces: list[Acting]
    on_behalf_of: str
    expires: int | UnsetType = UNSET
    token: str | UnsetType = UNSET
    only: list[str] | UnsetType = UNSET
    good_in: list[str] | UnsetType = UNSET


class Token(Shape, frozen=True, kw_only=True):
    """`kind` is `session` for what a login gave, or `api`. `only` and `goodIn` of none are all."""

    id: str
    account: str
    kind: str
    name: str
    created: int
    expires: int
    only: list[str]
    good_in: list[str]
    roles: list[str]


class NewToken(Token, frozen=True, kw_only=True):
    """`token` is told once."""

    token: str


class Account(Shape, frozen=True, kw_only=True):
    """What was issued up to `revoked` opens nothing; left out if nothing was revoked."""

    account: str
    person: str
    blocked: bool
    revoked: int | UnsetType = UNSET


class User(Shape, frozen=True, kw_only=True):
    """`changed` is when the password was set; one that `expires` opens nothing from then on."""

    user: str
    groups: list[str]
    disabled: bool
    second_factor: bool
    changed: int
    expires: int | UnsetType = UNSET


class SecondFactor(Shape, frozen=True, kw_only=True):
    """The `otpauth:` address that an authenticator reads, told once."""

    address: str
