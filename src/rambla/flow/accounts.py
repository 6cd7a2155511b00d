"""Who is kept out, whose accounts are joined, and from when on?

What a source says of somebody is its own; what is said here stands beside it: that what they were given until now is no
good any more, that nothing is while they are blocked, and who the person behind an account is. It holds on this node
when it is answered, and on all others a moment later.
"""

import re
from typing import Any

from msgspec.structs import replace

from rambla.domain.access import PLATFORMS_OWN, Target
from rambla.domain.errors import BadRequest, NotFound
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.identity.ports import Standing as Standing  # what most of this gives

READ = "identity:read"
REVOKE = "identity:revoke"
BLOCK = "identity:block"
ALIAS = "identity:alias"
_SOURCE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_NAME = re.compile(r"[^\0-\x1f\x7f\ud800-\udfff]{1,255}")


async def standings(platform: Platform, op: Op, *, skip: int, limit: int) -> list[Standing]:
    """The accounts of whom something was said here, by name."""
    async with guarded(platform, op, READ, Target("", "accounts")):
        return (await platform.accounts.all())[skip : skip + limit]


async def revoke(platform: Platform, op: Op, source: str, user: str) -> Standing:
    """What the account was given until now opens nothing any more: sessions, tokens, and whatever says when it was
    made. Raises NotFound for what can be nobody's name, as all of these do."""
    async with guarded(platform, op, REVOKE, Target("", f"{source}/{user}")):
        return await end_all(platform, _account(source, user))


async def block(platform: Platform, op: Op, source: str, user: str) -> Standing:
    """Nothing that the account shows opens anything from now on. Raises BadRequest for the platform's own keys."""
    async with guarded(platform, op, BLOCK, Target("", f"{source}/{user}")):
        if source in PLATFORMS_OWN:
            raise BadRequest(detail="A key of the platform itself is not blocked. Fix: rambla key NAMESPACE --rotate")
        return await _say(platform, _account(source, user), blocked=True)


async def unblock(platform: Platform, op: Op, source: str, user: str) -> Standing:
    async with guarded(platform, op, BLOCK, Target("", f"{source}/{user}")):
        return await _say(platform, _account(source, user), blocked=False)


async def unlock(platform: Platform, op: Op, source: str, user: str) -> None:
    """After too many wrong passwords they may try again. Raises NotFound if there is no such source."""
    async with guarded(platform, op, BLOCK, Target("", f"{source}/{user}")):
        await platform.door.unlock(source, user)


async def join(platform: Platform, op: Op, source: str, user: str, person: str) -> Standing:
    """Say who the person is whose account it is; "" for none. Raises BadRequest."""
    async with guarded(platform, op, ALIAS, Target("", f"{source}/{user}")):
        if person and not _NAME.fullmatch(person):
            raise BadRequest(detail="A person's name has at most 255 characters, and none that controls a terminal.")
        return await _say(platform, _account(source, user), person=person)


async def end_all(platform: Platform, name: str) -> Standing:
    """Not guarded: for whoever has been allowed something that means this too."""
    now_ms = platform.clock.now_ms()
    standing = await platform.accounts.change(
        name, lambda known: replace(known, revoked_ms=max(known.revoked_ms, now_ms))
    )
    # Revoked is whatever was made until then. The tokens go too, as another node's clock may have been ahead of ours.
    for token in await platform.door.tokens.of(name):
        await platform.door.tokens.end(token.id)
    platform.door.forget()
    return standing


async def _say(platform: Platform, account: str, **said: Any) -> Standing:
    standing = await platform.accounts.change(account, lambda known: replace(known, **said))
    platform.door.forget()
    return standing


def _account(source: str, user: str) -> str:
    if not _SOURCE.fullmatch(source) or not _NAME.fullmatch(user):
        raise NotFound()
    return f"{source}/{user}"
