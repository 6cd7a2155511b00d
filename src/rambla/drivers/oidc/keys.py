"""With which keys does a provider sign?

Reads its JSON Web Key Set (RFC 7517) and verifies signatures (RFC 7515). A key counts for the algorithms of its own
kind that are allowed, and for no other: what a token says of its algorithm chooses among these, and never makes a
public key a secret. Keys that nobody can use here are passed over. Pure.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec
from jwt import PyJWK, PyJWS, PyJWTError
from msgspec import Meta

from rambla.domain.errors import BadCredentials

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
KEYS_MAX = 100
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
_KINDS = {"RS256": ("RSA", None), "PS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
_PUBLIC = ("kty", "crv", "n", "e", "x", "y")
_VERIFIER = PyJWS(algorithms=list(ALGORITHMS))


class _Jwk(msgspec.Struct, frozen=True):
    """What is private is not read, should a provider show it."""

    kty: str
    kid: str | None = None
    use: str = "sig"
    alg: str | None = None
    key_ops: tuple[str, ...] = ("verify",)
    crv: str | None = None
    n: str | None = None
    e: Annotated[str, Meta(max_length=8)] | None = None
    x: str | None = None
    y: str | None = None


class _JwkSet(msgspec.Struct, frozen=True):
    keys: Annotated[tuple[msgspec.Raw, ...], Meta(max_length=KEYS_MAX)]


class Key(msgspec.Struct, frozen=True):
    """For signatures of one algorithm."""

    id: str | None
    algorithm: Algorithm
    made: PyJWK


def read_keys(text: bytes, algorithms: Sequence[Algorithm]) -> tuple[Key, ...]:
    """Raises ValueError if it is no key set."""
    return tuple(key for raw in msgspec.json.decode(text, type=_JwkSet).keys for key in _read_key(raw, algorithms))


def choose(keys: Sequence[Key], name: str | None, algorithm: str) -> Key | None:
    """The one key of that name for that algorithm; without a name, the only one there is. None if nobody could say."""
    found = [key for key in keys if key.algorithm == algorithm and name in (None, key.id)]
    return found[0] if len(found) == 1 else None


def verify(token: str, key: Key) -> bytes:
    """What was signed with that key. Raises BadCredentials."""
    try:
        payload: bytes = _VERIFIER.decode_complete(token, key.made, [key.algorithm])["payload"]
    except (PyJWTError, ValueError, TypeError):
        raise BadCredentials() from None
    return payload


def _read_key(raw: msgspec.Raw, algorithms: Sequence[Algorithm]) -> list[Key]:
    try:
        jwk = msgspec.json.decode(raw, type=_Jwk)
        return [Key(jwk.kid, each, _make(jwk, each)) for each in algorithms if _fits(jwk, each)]
    except (msgspec.MsgspecError, PyJWTError, ValueError, TypeError, KeyError):
        return []


def _fits(jwk: _Jwk, algorithm: Algorithm) -> bool:
    return (
        (jwk.kty, jwk.crv) == _KINDS[algorithm]
        and jwk.alg in (None, algorithm)
        and jwk.use == "sig"
        and "verify" in jwk.key_ops
    )


def _make(jwk: _Jwk, algorithm: Algorithm) -> PyJWK:
    """Raises ValueError for an RSA key that is too short to be safe, or too long to be verified in passing."""
    public = {name: value for name in _PUBLIC if (value := getattr(jwk, name)) is not None}
    made = PyJWK(public, algorithm)
    key: Any = made.key
    if jwk.kty == "RSA" and not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise ValueError(key.key_size)
    return made
