"""How is a RADIUS server asked, and which answer is its own?

Packets of RFC 2865, each signed by a Message-Authenticator (RFC 2869, 5.14), without which somebody in between can turn
a no into a yes (CVE-2024-3596). Pure.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence

import msgspec

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
USER_NAME, USER_PASSWORD, FILTER_ID, REPLY_MESSAGE, STATE, CLASS = 1, 2, 11, 18, 24, 25
SESSION_TIMEOUT, NAS_IDENTIFIER, MESSAGE_AUTHENTICATOR = 27, 32, 80
AUTHENTICATOR_BYTES = 16
PACKET_BYTES_MAX = 4096
VALUE_BYTES_MAX = 253
PASSWORD_BYTES_MAX = 128
_HEADER_BYTES = 20
_ANSWERS = frozenset((ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE))
_UNSIGNED = bytes(AUTHENTICATOR_BYTES)


class NotOurs(Exception):
    """What was received is no answer to the request; the text says why."""


class Request(msgspec.Struct, frozen=True):
    """What is sent, and what its answer is recognised by."""

    packet: bytes
    secret: bytes

    def __repr__(self) -> str:
        return "<Request>"

    @property
    def identifier(self) -> int:
        return self.packet[1]

    @property
    def authenticator(self) -> bytes:
        return self.packet[4:_HEADER_BYTES]


class Answer(msgspec.Struct, frozen=True):
    code: int
    attributes: tuple[tuple[int, bytes], ...]

    def values(self, kind: int) -> tuple[bytes, ...]:
        return tuple(value for each, value in self.attributes if each == kind)


def access_request(
    identifier: int, authenticator: bytes, secret: bytes, password: bytes, attributes: Sequence[tuple[int, bytes]]
) -> Request:
    """`authenticator` are 16 bytes that nobody can guess and that were never used with this secret; the password has
    at most 128 bytes, a value at most 253."""
    hidden = (USER_PASSWORD, hide(password, secret, authenticator))
    signed = (MESSAGE_AUTHENTICATOR, _UNSIGNED)  # first, so that nothing unsigned comes before it
    body = b"".join(_encoded(kind, value) for kind, value in (signed, *attributes, hidden))
    packet = _header(ACCESS_REQUEST, identifier, _HEADER_BYTES + len(body)) + authenticator + body
    at = _HEADER_BYTES + 2
    return Request(packet[:at] + _signature(packet, secret) + packet[at + AUTHENTICATOR_BYTES :], secret)


def read_answer(received: bytes, request: Request) -> Answer:
    """Raises NotOurs unless it is a whole answer to that request, signed by who shares its secret."""
    if len(received) < _HEADER_BYTES:
        raise NotOurs("it is too short")
    length = int.from_bytes(received[2:4], "big")
    if not _HEADER_BYTES <= length <= min(len(received), PACKET_BYTES_MAX):
        raise NotOurs("its length is wrong")
    packet = received[:length]
    if packet[0] not in _ANSWERS or packet[1] != request.identifier:
        raise NotOurs("it answers something else")
    expected = hashlib.md5(
        packet[:4] + request.authenticator + packet[_HEADER_BYTES:] + request.secret, usedforsecurity=False
    ).digest()
    if not hmac.compare_digest(expected, packet[4:_HEADER_BYTES]):
        raise NotOurs("it is not signed with the shared secret")
    found = tuple(_attributes(packet))
    _check_signature(packet, found, request)
    return Answer(packet[0], tuple((kind, value) for kind, value, _ in found))


def hide(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """RFC 2865, 5.2."""
    padded = password + bytes(-len(password) % AUTHENTICATOR_BYTES)
    hidden, last = b"", authenticator
    for start in range(0, len(padded), AUTHENTICATOR_BYTES):
        key = hashlib.md5(secret + last, usedforsecurity=False).digest()
        last = bytes(one ^ other for one, other in zip(padded[start : start + AUTHENTICATOR_BYTES], key, strict=True))
        hidden += last
    return hidden


def _check_signature(packet: bytes, found: Sequence[tuple[int, bytes, int]], request: Request) -> None:
    signatures = [(value, at) for kind, value, at in found if kind == MESSAGE_AUTHENTICATOR]
    if len(signatures) != 1 or len(signatures[0][0]) != AUTHENTICATOR_BYTES:
        raise NotOurs("it has no Message-Authenticator")
    [(signature, at)] = signatures
    unsigned = packet[:4] + request.authenticator + packet[_HEADER_BYTES:at] + _UNSIGNED
    if not hmac.compare_digest(_signature(unsigned + packet[at + AUTHENTICATOR_BYTES :], request.secret), signature):
        raise NotOurs("its Message-Authenticator is wrong")


def _attributes(packet: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Kind and value of each, and where the value begins."""
    at = _HEADER_BYTES
    while at < len(packet):
        length = packet[at + 1] if at + 1 < len(packet) else 0
        if length < 2 or at + length > len(packet):
            raise NotOurs("its attributes are malformed")
        yield packet[at], packet[at + 2 : at + length], at + 2
        at += length


def _signature(packet: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, packet, "md5").digest()


def _header(code: int, identifier: int, length: int) -> bytes:
    return bytes((code, identifier)) + length.to_bytes(2, "big")


def _encoded(kind: int, value: bytes) -> bytes:
    return bytes((kind, len(value) + 2)) + value
