"""People whom the platform keeps itself. (ports: rambla.identity.ports.Source and Keeper)

They lie in the catalogue's database, so all nodes know the same. What they may is said by the mapping, from the groups
that they are given here.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from rambla.domain.errors import AlreadyExists, BadCredentials, BadRequest, NotFound
from rambla.domain.proofs import Password, Proof
from rambla.drivers.local.codes import Codes
from rambla.drivers.local.hashing import Hasher
from rambla.drivers.settings import read_settings
from rambla.identity.ports import Account, LocalUser, UserStore
from rambla.kit.clock import Clock

PASSWORD_CHARS_MAX = 1024
_USER = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}")
METHOD, METHOD_TWICE = "password", "password+totp"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The costs of argon2id are those that RFC 9106 recommends second; whoever changes them has the hashes made anew as
    people log in."""

    key_file: str
    password_chars_min: Annotated[int, Meta(ge=8, le=128)] = 12
    memory_kib: Annotated[int, Meta(ge=8, le=4 * 2**20)] = 65_536
    passes: Annotated[int, Meta(ge=1, le=100)] = 3
    lanes: Annotated[int, Meta(ge=1, le=16)] = 4


class LocalSource:
    def __init__(self, name: str, settings: Settings, users: UserStore, clock: Clock) -> None:
        self._name = name
        self._chars_min = settings.password_chars_min
        self._users = users
        self._clock = clock
        self._hasher = Hasher(memory_kib=settings.memory_kib, passes=settings.passes, lanes=settings.lanes)
        self._codes = Codes(name, Path(settings.key_file))

    def takes(self, proof: Proof) -> bool:
        return isinstance(proof, Password) and not proof.domain and not proof.project

    async def prove(self, proof: Proof) -> Account:
        if not isinstance(proof, Password):
            raise BadCredentials()
        found = await self._users.get(self._name, proof.user)
        known = found if found and found.user == proof.user else None
        if not await self._hasher.matches(known.hash if known else None, proof.password) or known is None:
            raise BadCredentials()
        if known.disabled or (known.expires_ms is not None and known.expires_ms <= self._clock.now_ms()):
            raise BadCredentials()
        if bool(known.totp) != bool(proof.code):
            raise BadCredentials()
        if known.totp:
            await self._spend(known, proof.code)
        if self._hasher.is_outdated(known.hash):
            await self._hash_anew(known, proof.password)
        method = METHOD_TWICE if known.totp else METHOD
        return Account(user=known.user, method=method, groups=known.groups, expires_ms=known.expires_ms)

    async def close(self) -> None:
        pass

    async def users(self) -> list[LocalUser]:
        return await self._users.of(self._name)

    async def create(self, user: str, password: str, groups: tuple[str, ...], expires_ms: int | None) -> LocalUser:
        if not _USER.fullmatch(user):
            detail = "A user's name has at most 128 small letters, digits, '.', '_', '@', '+' and '-'."
            raise BadRequest(detail=detail)
        self._check(user, password)
        made = LocalUser(
            source=self._name,
            user=user,
            hash=await self._hasher.hash(password),
            changed_ms=self._clock.now_ms(),
            groups=groups,
            expires_ms=expires_ms,
        )

        def create(known: LocalUser | None) -> LocalUser:
            if known is not None:
                raise AlreadyExists()
            return made

        await self._users.change(self._name, user, create)
        return made

    async def delete(self, user: str) -> None:
        def delete(known: LocalUser | None) -> None:
            if known is None:
                raise NotFound()

        await self._users.change(self._name, user, delete)

    async def enable(self, user: str, *, enabled: bool) -> LocalUser:
        return await self._change(user, lambda known: replace(known, disabled=not enabled))

    async def set_password(self, user: str, password: str) -> LocalUser:
        self._check(user, password)
        made = await self._hasher.hash(password)
        now_ms = self._clock.now_ms()
        return await self._change(user, lambda known: replace(known, hash=made, changed_ms=now_ms))

    async def enrol(self, user: str) -> str:
        sealed, address = self._codes.new(f"{self._name}/{user}")
        await self._change(user, lambda known: replace(known, totp=sealed, totp_step=0))
        return address

    async def release(self, user: str) -> None:
        await self._change(user, lambda known: replace(known, totp=b"", totp_step=0))

    def _check(self, user: str, password: str) -> None:
        if not self._chars_min <= len(password) <= PASSWORD_CHARS_MAX or password.casefold() == user:
            limits = f"{self._chars_min} to {PASSWORD_CHARS_MAX} characters"
            raise BadRequest(detail=f"A password has {limits}, and is not the user's name.")

    async def _change(self, user: str, change: Callable[[LocalUser], LocalUser]) -> LocalUser:
        """Raises NotFound."""
        changed = await self._users.change(self._name, user, lambda known: change(_known(known)))
        return _known(changed)

    async def _spend(self, known: LocalUser, code: str) -> None:
        """A code is good once, on whatever node; so is none from before it. Raises BadCredentials."""
        step = self._codes.step_of(f"{self._name}/{known.user}", known.totp, code, self._clock.now_ms())

        def spend(now: LocalUser | None) -> LocalUser:
            if now is None or step is None or step <= now.totp_step or now.totp != known.totp:
                raise BadCredentials()
            return replace(now, totp_step=step)

        await self._users.change(self._name, known.user, spend)

    async def _hash_anew(self, known: LocalUser, password: str) -> None:
        made = await self._hasher.hash(password)

        def replace_hash(now: LocalUser | None) -> LocalUser | None:
            return replace(now, hash=made) if now and now.hash == known.hash else now

        await self._users.change(self._name, known.user, replace_hash)


def _known(user: LocalUser | None) -> LocalUser:
    if user is None:
        raise NotFound()
    return user


def open_source(name: str, given: Mapping[str, Any], catalog: Any, clock: Clock) -> LocalSource:
    """Raises BadSettings."""
    settings = read_settings(f"identity.{name}", Settings, given)
    return LocalSource(name, settings, catalog.users, clock)
