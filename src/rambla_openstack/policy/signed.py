"""Is this the policy that was published, and how old is that knowledge?

Reads a bundle and a statement of freshness as the platform signs them: Ed25519 (RFC 8032) over JSON without spaces
(RFC 8259). Nothing of either is believed before its signature is verified by one of the keys that the host has pinned;
what is wrong in any way is `Untrusted`. Pure; `pinned` knows the keys and `folder` the files.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BUNDLE_FORMAT = "rambla policy bundle 1"
STATEMENT_FORMAT = "rambla policy newest 1"
BUNDLE_BYTES_MAX = 16 * 2**20
STATEMENT_BYTES_MAX = 4096
FieldT = TypeVar("FieldT")


class Untrusted(ValueError):
    """It is broken, forged, or signed by somebody whom this host does not trust. The text says which."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A published policy; `files` by name."""

    number: int
    at_ms: int
    hash: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """That the bundle of this number and hash was the newest at that time; number 0: there was none yet."""

    number: int
    hash: str
    at_ms: int

    def names(self, bundle: Bundle) -> bool:
        return (self.number, self.hash) == (bundle.number, bundle.hash)


def bundle_of(data: bytes, keys: Collection[str]) -> Bundle:
    """The bundle, if one of `keys` signed it. Raises Untrusted."""
    document = _document(data, BUNDLE_BYTES_MAX)
    number, at_ms = _field(document, "number", int), _field(document, "at_ms", int)
    author, note, hash_ = (_field(document, name, str) for name in ("author", "note", "hash"))
    pairs = [_pair(each) for each in _field(document, "files", list)]
    _verify(document, [BUNDLE_FORMAT, number, at_ms, author, note, hash_, pairs], keys)
    if hash_ != hashlib.sha256(_json(pairs)).hexdigest():
        raise Untrusted("its hash is another's")
    if len(dict(pairs)) != len(pairs):
        raise Untrusted("two of its files have one name")
    return Bundle(number, at_ms, hash_, dict(pairs))


def statement_of(data: bytes, keys: Collection[str]) -> Statement:
    """The statement, if one of `keys` signed it. Raises Untrusted."""
    document = _document(data, STATEMENT_BYTES_MAX)
    number, at_ms = _field(document, "number", int), _field(document, "at_ms", int)
    hash_ = _field(document, "hash", str)
    _verify(document, [STATEMENT_FORMAT, number, hash_, at_ms], keys)
    return Statement(number, hash_, at_ms)


def check_key(text: str) -> str:
    """A public key in hexadecimal, in small letters. Raises ValueError."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError:
        raise ValueError(f"'{text[:80]}' is no public key: it has 64 hexadecimal digits") from None
    return text.lower()


def _document(data: bytes, bytes_max: int) -> dict[str, Any]:
    if len(data) > bytes_max:
        raise Untrusted(f"it has more than {bytes_max} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Untrusted("it is no JSON") from None
    if not isinstance(document, dict):
        raise Untrusted("it is no JSON object")
    return document


def _field(document: dict[str, Any], name: str, kind: type[FieldT]) -> FieldT:
    value = document.get(name)
    if type(value) is not kind:  # and not a bool for a number
        raise Untrusted(f"its '{name}' is missing or of another kind")
    return value


def _pair(value: Any) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(each, str) for each in value):
        raise Untrusted("a file is no pair of name and text")
    return value[0], value[1]


def _verify(document: dict[str, Any], signed: list[Any], keys: Collection[str]) -> None:
    key, signature = _field(document, "key", str), _field(document, "signature", str)
    if key not in keys:
        raise Untrusted(f"it is signed by the key {key[:64]}, which is not pinned here")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), _json(signed))
    except (InvalidSignature, ValueError):
        raise Untrusted("its signature is wrong") from None


def _json(value: list[Any]) -> bytes:
    """Raises ValueError for what is no text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
