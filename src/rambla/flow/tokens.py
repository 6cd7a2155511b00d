"""Which tokens do people make, for themselves and for programs?

A token may what its maker may, or less, and never more: the permissions and namespaces it is good for are some of its
maker's, and one that a token made does not outlive it. A program's token has nobody behind it, and only the roles that
it is given.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from rambla.domain.access import PROGRAMS, USUAL_TRUST, Caller, Target
from rambla.domain.errors import BadRequest, Conflict, NotFound
from rambla.domain.proofs import Shown
from rambla.flow import identify
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.identity.identities import Identity, account_of
from rambla.identity.ports import ApiToken as ApiToken  # what all of this gives

OWN = "identity:token"
OF_OTHERS = "identity:tokens-of-others"
PROGRAM = "platform:program"
API = "api"
TOKENS_MAX = 100
DAY_MS = 86_400_000
USUAL_MS, LONGEST_MS = 90 * DAY_MS, 366 * DAY_MS
_PERMISSION = re.compile(r"\*|[a-z][a-z-]*:(?:\*|[a-z][a-z-]*)")
_PROGRAM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Wish(NamedTuple):
    """What a token is to be. `lifetime_ms` of 0 leaves it to us; `only` and `namespaces` are all of its maker's if they
    are empty."""

    name: str
    lifetime_ms: int = 0
    only: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


class Program(NamedTuple):
    """`roles` are held everywhere, and those of `acts_in` in these namespaces."""

    roles: tuple[str, ...] = ()
    acts_in: Mapping[str, tuple[str, ...]] = {}
    trust: int = USUAL_TRUST


async def make(platform: Platform, op: Op, shown: Shown, wish: Wish) -> tuple[str, ApiToken]:
    """A token of one's own: its text, which is told once, and what is known of it. Raises BadRequest or Conflict."""
    async with guarded(platform, op, OWN, _target(op, wish.name)):
        maker = await identify.identity(platform, shown)
        callers = tuple(_narrowed(each, wish) for each in _makers(maker, wish.namespaces))
        account = account_of(maker.caller)
        return await _issue(platform, account, callers, wish.name, _lifetime_ms(platform, maker, wish.lifetime_ms))


async def make_for_program(platform: Platform, op: Op, wish: Wish, program: Program) -> tuple[str, ApiToken]:
    """A token of the account `token/NAME`. Raises BadRequest or Conflict."""
    if not _PROGRAM.fullmatch(wish.name):
        raise BadRequest(detail="A program's name has at most 64 small letters, digits, '.', '_' and '-'.")
    account = f"{PROGRAMS}/{wish.name}"
    async with guarded(platform, op, PROGRAM, Target("", account)):
        for namespace in program.acts_in:
            if await platform.namespaces.get(namespace) is None:
                raise BadRequest(detail=f"There is no namespace '{namespace}'.")
        held = program.acts_in or {"": ()}
        callers = tuple(_caller(account, namespace, program, roles) for namespace, roles in held.items())
        narrowed = tuple(_narrowed(each, wish) for each in callers)
        return await _issue(platform, account, narrowed, wish.name, wish.lifetime_ms or USUAL_MS)


async def own(platform: Platform, op: Op) -> list[ApiToken]:
    """One's own, sessions too, the newest first."""
    async with guarded(platform, op, OWN, _target(op)):
        return await platform.door.tokens.of(account_of(op.caller))


async def end(platform: Platform, op: Op, token_id: str) -> None:
    """One of one's own opens nothing any more. Raises NotFound."""
    async with guarded(platform, op, OWN, _target(op, token_id)):
        await _end(platform, await _own_token(platform, op, token_id))


async def renew(platform: Platform, op: Op, shown: Shown, token_id: str) -> tuple[str, ApiToken]:
    """Another secret for one of one's own, for as long as the old one was made for. It may what whoever renews it
    could make now, and no more: else one token would be the way to another. Raises NotFound, for a session too, or
    BadRequest."""
    async with guarded(platform, op, OWN, _target(op, token_id)):
        token = await _own_token(platform, op, token_id)
        if token.kind != API:
            raise NotFound()
        maker = await identify.identity(platform, shown)
        wish = Wish(token.name, only=token.callers[0].only, namespaces=token.callers[0].namespaces)
        callers = tuple(_narrowed(each, wish) for each in _makers(maker, wish.namespaces))
        until_ms = platform.clock.now_ms() + token.expires_ms - token.created_ms
        if (bound_ms := _bound_ms(maker)) is not None:
            until_ms = min(until_ms, bound_ms)
        renewed = await platform.door.tokens.renew(token, callers, until_ms)
        platform.door.forget_token(token_id)
        return renewed


async def of_all(platform: Platform, op: Op, *, skip: int, limit: int) -> list[ApiToken]:
    """Everybody's, the newest first."""
    async with guarded(platform, op, OF_OTHERS, Target("", "tokens")):
        return (await platform.door.tokens.of(""))[skip : skip + limit]


async def end_anybodys(platform: Platform, op: Op, token_id: str) -> None:
    """Raises NotFound."""
    async with guarded(platform, op, OF_OTHERS, Target("", f"tokens/{token_id}")):
        token = await platform.door.tokens.get(token_id)
        if token is None:
            raise NotFound()
        await _end(platform, token)


def _target(op: Op, name: str = "") -> Target:
    account = account_of(op.caller)
    return Target("", f"{account}/{name}" if name else account)


def _makers(maker: Identity, namespaces: tuple[str, ...]) -> tuple[Caller, ...]:
    """Whom the token makes: its maker, in those of their namespaces that were asked for, the first first."""
    if not namespaces:
        return maker.callers
    there = tuple(maker.elsewhere[name] for name in namespaces if name in maker.elsewhere)
    return there or (maker.caller,)


def _narrowed(caller: Caller, wish: Wish) -> Caller:
    """Raises BadRequest for what would be more than `caller` may, or is no permission at all."""
    for permission in wish.only:
        if not _PERMISSION.fullmatch(permission):
            raise BadRequest(detail=f"'{permission[:100]}' is no permission. Say action:invoke, action:* or *.")
        if caller.only and not any(_covers(each, permission) for each in caller.only):
            raise BadRequest(detail=f"What you came with is not good for {permission}, so no token that you make is.")
    for namespace in wish.namespaces:
        if caller.namespaces and namespace not in caller.namespaces:
            raise BadRequest(detail=f"What you came with is not good in {namespace[:256]}, so no token you make is.")
    return replace(caller, only=wish.only or caller.only, namespaces=wish.namespaces or caller.namespaces)


def _covers(pattern: str, permission: str) -> bool:
    return pattern in ("*", permission) or (pattern.endswith(":*") and permission.startswith(pattern[:-1]))


def _caller(account: str, namespace: str, program: Program, roles: tuple[str, ...]) -> Caller:
    held = tuple(dict.fromkeys((*roles, *program.roles)))
    return Caller(account, namespace, PROGRAMS, held, program.trust, method="token")


def _bound_ms(maker: Identity) -> int | None:
    """A person who logged in may make what outlives the session; what a token makes does not outlive that token."""
    return maker.valid_ms if maker.token and maker.token.kind == API else None


def _lifetime_ms(platform: Platform, maker: Identity, wanted_ms: int) -> int:
    bound_ms = _bound_ms(maker)
    left_ms = LONGEST_MS if bound_ms is None else bound_ms - platform.clock.now_ms()
    if wanted_ms > left_ms:
        raise BadRequest(detail="A token does not outlive the one that makes it.")
    return wanted_ms or min(USUAL_MS, left_ms)


async def _issue(
    platform: Platform, account: str, callers: tuple[Caller, ...], name: str, lifetime_ms: int
) -> tuple[str, ApiToken]:
    held = [token for token in await platform.door.tokens.of(account) if token.kind == API]
    if len(held) >= TOKENS_MAX:
        raise Conflict(detail=f"There are {TOKENS_MAX} tokens of {account} already: delete one first.")
    return await platform.door.tokens.issue(account, callers, kind=API, name=name, lifetime_ms=lifetime_ms)


async def _own_token(platform: Platform, op: Op, token_id: str) -> ApiToken:
    """Raises NotFound, also if it is somebody else's."""
    token = await platform.door.tokens.get(token_id)
    if token is None or token.account != account_of(op.caller):
        raise NotFound()
    return token


async def _end(platform: Platform, token: ApiToken) -> None:
    await platform.door.tokens.end(token.id)
    platform.door.forget_token(token.id)
