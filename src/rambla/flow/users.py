"""How are people kept whom the platform knows itself?

Those of a source of kind `local`. Whatever makes somebody less than they were, or changes how they prove who they are,
ends what they were given until then.
"""

from typing import NamedTuple

from msgspec.structs import replace

from rambla.domain.access import Target
from rambla.domain.errors import NotFound
from rambla.flow.accounts import end_all
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.identity.ports import Keeper
from rambla.identity.ports import LocalUser as LocalUser  # what most of this gives

USER = "identity:user"


class NewUser(NamedTuple):
    """`expires_ms` is a moment, None for never."""

    user: str
    password: str
    groups: tuple[str, ...] = ()
    expires_ms: int | None = None

    def __repr__(self) -> str:
        return f"<NewUser {self.user}>"


async def all_of(platform: Platform, op: Op, source: str, *, skip: int, limit: int) -> list[LocalUser]:
    """By name. Raises NotFound for a source that keeps nobody, as all of these do."""
    async with guarded(platform, op, USER, Target("", source)):
        return (await _keeper(platform, source).users())[skip : skip + limit]


async def create(platform: Platform, op: Op, source: str, wanted: NewUser) -> LocalUser:
    """Raises AlreadyExists or BadRequest."""
    async with guarded(platform, op, USER, Target("", f"{source}/{wanted.user}")):
        return await _keeper(platform, source).create(*wanted)


async def delete(platform: Platform, op: Op, source: str, user: str) -> None:
    """Whoever gets the name later is somebody else: not the same person, and with nothing that was theirs."""
    async with guarded(platform, op, USER, Target("", f"{source}/{user}")):
        await _keeper(platform, source).delete(user)
        await platform.accounts.change(f"{source}/{user}", lambda known: replace(known, person=""))
        await end_all(platform, f"{source}/{user}")


async def enable(platform: Platform, op: Op, source: str, user: str, *, enabled: bool) -> LocalUser:
    async with guarded(platform, op, USER, Target("", f"{source}/{user}")):
        changed = await _keeper(platform, source).enable(user, enabled=enabled)
        await end_all(platform, f"{source}/{user}")
        return changed


async def set_password(platform: Platform, op: Op, source: str, user: str, password: str) -> LocalUser:
    """Raises BadRequest."""
    async with guarded(platform, op, USER, Target("", f"{source}/{user}")):
        changed = await _keeper(platform, source).set_password(user, password)
        await end_all(platform, f"{source}/{user}")
        return changed


async def enrol(platform: Platform, op: Op, source: str, user: str) -> str:
    """The `otpauth:` address of a new second factor, which is told once."""
    async with guarded(platform, op, USER, Target("", f"{source}/{user}")):
        address = await _keeper(platform, source).enrol(user)
        await end_all(platform, f"{source}/{user}")
        return address


async def release(platform: Platform, op: Op, source: str, user: str) -> None:
    async with guarded(platform, op, USER, Target("", f"{source}/{user}")):
        await _keeper(platform, source).release(user)
        await end_all(platform, f"{source}/{user}")


def _keeper(platform: Platform, source: str) -> Keeper:
    asking = platform.door.sources.get(source)
    if asking is None or asking.keeper is None:
        raise NotFound()
    return asking.keeper
