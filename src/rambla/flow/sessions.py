"""How does somebody log in and out, and who are they then?

Whoever proves who they are once, to one of the sources, gets a token that stands for them for a while. That they came
is on record before there is one. What a token is good for does not bind what it asks about itself.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from rambla.domain.access import Caller, Target
from rambla.domain.errors import BadRequest
from rambla.domain.proofs import ApplicationCredential, KeystoneToken, Password, Proof, Shown
from rambla.domain.records import Intent
from rambla.flow import identify
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.identity.asking import Asking
from rambla.identity.identities import Identity as Identity  # what `whoami` gives
from rambla.identity.identities import account_of
from rambla.identity.ports import ApiToken as ApiToken  # what `log_in` gives

LOGIN = "identity:login"
SELF = "identity:self"
SESSION = "session"
SESSIONS_MAX = 100
_ANY = "any"
_SAMPLES: Mapping[str, Proof] = {
    "password": Password(user=_ANY, password=_ANY),
    "keystone-token": KeystoneToken(token=_ANY),
    "application-credential": ApplicationCredential(id=_ANY, secret=_ANY),
}


class Session(NamedTuple):
    """`text` is the token itself, which is told once; `caller` is who it makes where nothing says otherwise."""

    text: str
    token: ApiToken
    caller: Caller


class SourceView(NamedTuple):
    """`methods` are ways to log in there; `public` is what one must know besides."""

    name: str
    kind: str
    methods: tuple[str, ...]
    public: Mapping[str, object]


def sources(platform: Platform) -> list[SourceView]:
    """Those who know people, in the order in which they are asked. Public."""
    return [_view(each) for each in platform.door.sources.values()]


async def log_in(platform: Platform, op: Op, source: str, proof: Proof, namespace: str) -> Session:
    """A session of whoever that proves to the source, or ("") to the first that knows them. They act in `namespace`, or
    ("") in the one that is theirs by default.

    Raises BadCredentials, TooManyAttempts, SourceAway, Refused, or BadRequest if the namespace is not theirs.
    """
    identity = await platform.door.log_in(source, proof, partial(identify.find_project, platform))
    caller = _acting(identity, namespace)
    async with guarded(platform, Op(op.id, caller), LOGIN, Target("", caller.subject)):
        account = account_of(caller)
        await _make_room(platform, account)
        callers = tuple(dict.fromkeys((caller, *identity.callers)))
        lifetime_ms = _lifetime_ms(platform, identity)
        text, token = await platform.door.tokens.issue(
            account, callers, kind=SESSION, name=caller.method, lifetime_ms=lifetime_ms
        )
    return Session(text, token, caller)


async def log_out(platform: Platform, op: Op, shown: Shown) -> None:
    """The session that is shown opens nothing any more. Raises BadRequest if it is something else."""
    async with _about_oneself(platform, op):
        token = (await identify.identity(platform, shown)).token
        if token is None or token.kind != SESSION:
            raise BadRequest(detail="What came with the request is no session, so there is none to end.")
        await platform.door.tokens.end(token.id)
        platform.door.forget_token(token.id)


async def whoami(platform: Platform, op: Op, shown: Shown) -> Identity:
    async with _about_oneself(platform, op):
        return await identify.identity(platform, shown)


def _about_oneself(platform: Platform, op: Op) -> AbstractAsyncContextManager[Intent]:
    caller = replace(op.caller, only=(), namespaces=())
    return guarded(platform, Op(op.id, caller), SELF, Target("", caller.subject))


def _acting(identity: Identity, namespace: str) -> Caller:
    caller = identity.acting_in(namespace)
    if namespace and caller.namespace != namespace:
        raise BadRequest(detail=f"The namespace '{namespace}' is not one of yours.")
    return caller


def _lifetime_ms(platform: Platform, identity: Identity) -> int:
    usual_ms = platform.limits.session_ms
    return usual_ms if identity.valid_ms is None else min(usual_ms, identity.valid_ms - platform.clock.now_ms())


async def _make_room(platform: Platform, account: str) -> None:
    """Whoever logs in again and again loses their oldest sessions."""
    held = [token for token in await platform.door.tokens.of(account) if token.kind == SESSION]
    for token in held[SESSIONS_MAX - 1 :]:
        await platform.door.tokens.end(token.id)
        platform.door.forget_token(token.id)


def _view(asking: Asking) -> SourceView:
    methods = tuple(name for name, proof in _SAMPLES.items() if asking.takes(proof))
    return SourceView(asking.name, asking.terms.kind, methods, asking.public)
