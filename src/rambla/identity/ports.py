"""What must a source of identities, and the stores of namespaces, accounts and tokens, be able to do?

All methods may be called at once from one event loop. Each of a store is one transaction: durable on return, or it
raised and nothing was changed. StorageFailed means the database is gone or full; the caller may try again.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import msgspec

from rambla.domain.access import Caller
from rambla.domain.entities import Namespace
from rambla.domain.proofs import Proof


class Project(msgspec.Struct, frozen=True):
    """An OpenStack project, whose members share a namespace of the platform. `domain` is the name of its domain."""

    id: str
    name: str
    domain: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of somebody who has proven who they are; the mapping says what it means here.

    `user` is the name that the source knows them by, which nobody else there ever has. `roles` are the source's own
    words, those held in `project` if there is one. `attributes` are texts by name, such as an LDAP entry's or a
    token's claims. What was shown was issued and expires at those moments, if it says so. `on_behalf_of` is the user
    of the same source who let them act in their place.
    """

    user: str
    method: str
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = {}
    project: Project | None = None
    issued_ms: int | None = None
    expires_ms: int | None = None
    on_behalf_of: str = ""


class Source(Protocol):
    """One place that knows people. Whoever calls bounds the time by cancelling, remembers what it says for a while,
    puts the same proof once at a time, and leaves it alone for a while after SourceAway."""

    def takes(self, proof: Proof) -> bool:
        """Whether this source may know it, by its looks alone: kind, issuer, form. Does no I/O and does not raise."""
        ...

    async def prove(self, proof: Proof) -> Account:
        """Whose proof that is.

        Raises BadCredentials if it proves nobody, or no more: an unknown user takes as long as a wrong password.
        Raises SourceAway if the source cannot be reached or its answer is none, SourceKnowsOthers if it can say
        something of others nevertheless. None holds a secret. When cancelled, it lets go of what it holds.
        """
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Public(Protocol):
    """A source that has something to tell whoever wants to log in."""

    @property
    def public(self) -> Mapping[str, object]:
        """Such as the issuer and the client that a provider of tokens knows; nothing secret."""
        ...


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform itself knows of an account, `SOURCE/USER`.

    `person` is whose account it is, "" if nobody joined it with others. What was issued up to `revoked_ms` proves
    nothing any more, and nothing does while it is `blocked`.
    """

    account: str
    person: str = ""
    revoked_ms: int = 0
    blocked: bool = False


class AccountStore(Protocol):
    """Accounts of whom something is known, and nothing of all others."""

    async def get(self, account: str) -> Standing | None: ...

    async def put(self, standing: Standing) -> None:
        """Keep it, in place of what was known. `changes` is another number from then on."""
        ...

    async def change(self, account: str, change: Callable[[Standing], Standing]) -> Standing:
        """Keep what `change` makes of what is known, and return it, without anybody coming between. As `put`."""
        ...

    async def all(self) -> list[Standing]:
        """All, by account."""
        ...

    async def changes(self) -> int:
        """A number that is another after every `put` of any node, by which nodes find out that they must forget."""
        ...


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the platform's own. `id` is its public half; of its secret only the SHA-256 is known, `digest`.

    `callers` are who it makes: first its default, then one for each further namespace. `kind` is `session` for what a
    login gave, or `api` for what somebody made for a program, called `name`.
    """

    id: str
    digest: bytes
    account: str
    kind: str
    name: str
    callers: tuple[Caller, ...]
    created_ms: int
    expires_ms: int


class TokenStore(Protocol):
    async def get(self, token_id: str) -> ApiToken | None: ...

    async def put(self, token: ApiToken) -> None:
        """Keep it, in place of one with its id."""
        ...

    async def delete(self, token_id: str) -> bool:
        """False if there was none."""
        ...

    async def of(self, account: str) -> list[ApiToken]:
        """Those of an account, the newest first; of all if it is ""."""
        ...

    async def expire(self, now_ms: int) -> int:
        """Delete those that expired before; how many."""
        ...


class LocalUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a source keeps itself. `hash` is that of the password, with its parameters and salt; `totp` the
    sealed secret of the second factor, b"" if there is none, and `totp_step` the last step of time whose code was used.
    `changed_ms` is when the password was set."""

    source: str
    user: str
    hash: str
    changed_ms: int
    groups: tuple[str, ...] = ()
    disabled: bool = False
    expires_ms: int | None = None
    totp: bytes = b""
    totp_step: int = 0

    def __repr__(self) -> str:
        return f"<LocalUser {self.source}/{self.user}>"


class UserStore(Protocol):
    async def get(self, source: str, user: str) -> LocalUser | None: ...

    async def change(
        self, source: str, user: str, change: Callable[[LocalUser | None], LocalUser | None]
    ) -> LocalUser | None:
        """Keep what `change` makes of what is known, None for nothing, and return it, without anybody coming between.
        What it raises is raised, and nothing is changed."""
        ...

    async def of(self, source: str) -> list[LocalUser]:
        """Those of a source, by name."""
        ...


@runtime_checkable
class Keeper(Protocol):
    """A source that keeps its people itself. NotFound for a user whom it does not know, BadRequest for a name or a
    password that it does not take."""

    async def users(self) -> list[LocalUser]:
        """All, by name."""
        ...

    async def create(self, user: str, password: str, groups: tuple[str, ...], expires_ms: int | None) -> LocalUser:
        """Raises AlreadyExists."""
        ...

    async def delete(self, user: str) -> None: ...

    async def enable(self, user: str, *, enabled: bool) -> LocalUser: ...

    async def set_password(self, user: str, password: str) -> LocalUser: ...

    async def enrol(self, user: str) -> str:
        """Ask them for a second factor from now on; the `otpauth:` address with its secret, which is told once."""
        ...

    async def release(self, user: str) -> None:
        """Ask them for no second factor any more."""
        ...


class LockStore(Protocol):
    """Names for which there were too many wrong passwords, whether somebody is called so or not."""

    async def locked_until_ms(self, source: str, user: str) -> int:
        """0 if it is not locked."""
        ...

    async def lock(self, source: str, user: str, until_ms: int) -> None: ...

    async def unlock(self, source: str, user: str) -> None: ...

    async def expire(self, now_ms: int) -> int:
        """Forget locks that ended before; how many."""
        ...


class NamespaceStore(Protocol):
    """A name that was used once is never free again: records and objects remain, and its next owner would get them."""

    async def get(self, name: str) -> Namespace | None: ...

    async def was_deleted(self, name: str) -> bool:
        """Whether there was a namespace of that name, and is none any more."""
        ...

    async def by_uuid(self, uuid: str) -> Namespace | None:
        """The namespace whose key begins with `uuid`. The caller compares the secret, in constant time."""
        ...

    async def by_owner(self, owner: str) -> Namespace | None:
        """The namespace of that project of a source, `SOURCE/PROJECT-ID`."""
        ...

    async def put(self, namespace: Namespace) -> None:
        """Create or replace it. AlreadyExists if another namespace has its uuid or owner, NamespaceDeleted if one of
        its name was deleted."""
        ...

    async def delete(self, name: str) -> bool:
        """Remove the namespace and every entity in it; False if there was none. Its name stays taken, and revisions go
        on counting."""
        ...

    async def all(self) -> list[Namespace]:
        """All, by name."""
        ...
