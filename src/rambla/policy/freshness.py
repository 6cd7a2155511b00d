"""Which bundle is the newest, said so that whoever hears it later can prove when it was said?

A statement of a bundle's number and hash at a time, signed by the key that signs bundles. Whoever holds a bundle can
tell by it how old their knowledge is, though they got both from somebody they do not trust. One signature serves
everybody who asks within a second.
"""

import msgspec

from rambla.policy.policies import InForce
from rambla.policy.ports import Signer

FORMAT = "rambla policy newest 1"
SIGNED_MS = 1000


class Statement(msgspec.Struct, frozen=True):
    """`key` is the public key, in hexadecimal, that `signature` is verified by. Number 0: nothing was published yet."""

    number: int
    hash: str
    at_ms: int
    key: str
    signature: bytes


def payload(number: int, hash_: str, at_ms: int) -> bytes:
    """The bytes that are signed: JSON without spaces, in this order (RFC 8259)."""
    return msgspec.json.encode([FORMAT, number, hash_, at_ms])


class Freshness:
    def __init__(self) -> None:
        self._last: Statement | None = None

    def statement(self, in_force: InForce, signer: Signer, at_ms: int) -> Statement:
        """What was true `at_ms`, or within the second before. Raises StorageFailed."""
        if self._last is not None and self._holds(self._last, in_force, at_ms):
            return self._last
        key, signature = signer.sign(payload(in_force.number, in_force.hash, at_ms))
        self._last = Statement(in_force.number, in_force.hash, at_ms, key, signature)
        return self._last

    def _holds(self, last: Statement, in_force: InForce, at_ms: int) -> bool:
        same = (last.number, last.hash) == (in_force.number, in_force.hash)
        return same and 0 <= at_ms - last.at_ms < SIGNED_MS
