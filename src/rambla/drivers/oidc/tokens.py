"""What does a token say, and does it say so to us?

JSON Web Tokens in compact form (RFC 7515, 7519): ID tokens (OpenID Connect Core 1.0) and access tokens (RFC 9068).
Nothing of what a token says counts before its signature was verified; what is read before only says where to look. All
that a token may hold is bounded by its own length. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from jwt.utils import base64url_decode
from msgspec import Meta

from rambla.domain.errors import BadCredentials
from rambla.identity.keys import BYTES_MAX
from rambla.identity.ports import Account

METHOD = "oidc"
_FORM = re.compile(r"([A-Za-z0-9_-]{1,2000})\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{1,2000}")
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_DEPTH_MAX = 3
T = TypeVar("T")
Moment = Annotated[float, Meta(ge=0, le=2**40)]
"""Seconds since the Unix epoch (RFC 7519, NumericDate)."""


class Header(msgspec.Struct, frozen=True):
    """`crit` asks for what we do not know of. Keys that a header brings along, or says where to find, are not read."""

    alg: str
    kid: Annotated[str, Meta(max_length=1000)] | None = None
    typ: str = "JWT"
    crit: msgspec.Raw | None = None


class Claims(msgspec.Struct, frozen=True):
    """What is asked of a token. `events` have those that log somebody out (OpenID Connect Back-Channel Logout 1.0),
    `cnf` those that are good only beside a key, which a bearer does not show (RFC 7800)."""

    iss: str
    sub: Annotated[str, Meta(min_length=1, max_length=255)]
    aud: str | tuple[str, ...]
    exp: Moment
    iat: Moment
    nbf: Moment = 0.0
    azp: str | None = None
    auth_time: Moment | None = None
    events: msgspec.Raw | None = None
    cnf: msgspec.Raw | None = None


class Rules(msgspec.Struct, frozen=True):
    """From whom, for whom, and when. `max_age_ms` is how long ago they may have authenticated, 0 for any time."""

    issuer: str
    audiences: tuple[str, ...]
    leeway_ms: int
    max_age_ms: int


class _Issued(msgspec.Struct, frozen=True):
    iss: str


_HEADERS, _CLAIMS = msgspec.json.Decoder(Header), msgspec.json.Decoder(Claims)
_ISSUED, _ANY = msgspec.json.Decoder(_Issued), msgspec.json.Decoder(dict[str, Any])


def issuer_of(token: str) -> str | None:
    """Whoever issued it, if it speaks the truth; None if it is no token of this form."""
    try:
        return _read(_ISSUED, _parts(token)[1]).iss
    except BadCredentials:
        return None


def header_of(token: str) -> Header:
    """Raises BadCredentials for a token of another kind."""
    header = _read(_HEADERS, _parts(token)[0])
    if header.typ.lower() not in _TYPES or header.crit is not None:
        raise BadCredentials()
    return header


def account(payload: bytes, rules: Rules, now_ms: int) -> Account:
    """Of whom it speaks, whose signature is verified. Raises BadCredentials if it is for others, or another time."""
    claims = _read(_CLAIMS, payload)
    _check(claims, rules, now_ms)
    return Account(
        user=claims.sub,
        method=METHOD,
        attributes=attributes(_read(_ANY, payload)),
        issued_ms=_ms(claims.iat),
        expires_ms=_ms(claims.exp) + rules.leeway_ms,
    )


def attributes(claims: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Texts, lists of texts, and truths as `true` and `false`; what lies in an object as `outer.inner`.

    An address that its owner has not shown to be theirs is none, as anybody may claim anybody's.
    """
    found = dict(_flat(claims, "", _DEPTH_MAX))
    if claims.get("email_verified") in (False, "false"):
        found.pop("email", None)
    return found


def _flat(claims: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in claims.items():
        match value:
            case bool():
                yield before + name, ("true" if value else "false",)
            case str():
                yield before + name, (value,)
            case list():
                yield before + name, tuple(each for each in value if isinstance(each, str))
            case dict() if depth > 1:
                yield from _flat(value, f"{before}{name}.", depth - 1)


def _check(claims: Claims, rules: Rules, now_ms: int) -> None:
    audiences = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    ours = set(rules.audiences)
    begins_ms = max(_ms(claims.nbf), _ms(claims.iat))
    if (
        claims.iss != rules.issuer
        or claims.events is not None
        or claims.cnf is not None
        or not audiences & ours
        or (claims.azp is not None and claims.azp not in ours)
        or begins_ms > now_ms + rules.leeway_ms
        or _ms(claims.exp) + rules.leeway_ms <= now_ms
    ):
        raise BadCredentials()
    if rules.max_age_ms:
        since_ms = 0 if claims.auth_time is None else _ms(claims.auth_time)
        if since_ms + rules.max_age_ms + rules.leeway_ms <= now_ms:
            raise BadCredentials()


def _parts(token: str) -> tuple[bytes, bytes]:
    """Header and payload. Raises BadCredentials."""
    found = _FORM.fullmatch(token) if len(token) <= BYTES_MAX else None
    if found is None:
        raise BadCredentials()
    try:
        return base64url_decode(found[1]), base64url_decode(found[2])
    except ValueError:
        raise BadCredentials() from None


def _read(decoder: msgspec.json.Decoder[T], text: bytes) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # the message would repeat what it says
        raise BadCredentials() from None


def _ms(moment: float) -> int:
    return int(moment * 1000)
