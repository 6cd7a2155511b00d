"""How are questions to a directory written, and its answers read?

LDAPMessage of RFC 4511 in BER, as far as it takes to bind, to begin TLS and to search for equal values. Conditions are
built of their parts and never of text, so that no name in them can mean anything else.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc2251

MESSAGE_BYTES_MAX = 64 * 1024  # one attribute of one entry
START_TLS = "1.3.6.1.4.1.1466.20037"
_VERSION = 3
_SUBTREE = 2
_SEQUENCE = 0x30
_LONG_FORM = 0x80


class Malformed(Exception):
    """What was received is no message."""


class Result(msgspec.Struct, frozen=True):
    """The end of an operation; 0 is success."""

    number: int
    code: int


class Entry(msgspec.Struct, frozen=True):
    """One entry that was found, with the values of the attribute that was asked for as far as they are text."""

    number: int
    dn: str
    values: tuple[str, ...]


class Elsewhere(msgspec.Struct, frozen=True):
    """There may be more in another directory."""

    number: int


Message = Result | Entry | Elsewhere


def bind(number: int, dn: str, password: str) -> bytes:
    message = _message(number)
    request = message["protocolOp"]["bindRequest"]
    request["version"] = _VERSION
    request["name"] = dn.encode()
    request["authentication"]["simple"] = password.encode()
    return _encoded(message)


def start_tls(number: int) -> bytes:
    message = _message(number)
    message["protocolOp"]["extendedReq"]["requestName"] = START_TLS
    return _encoded(message)


def search(number: int, base: str, conditions: Sequence[tuple[str, str]], attribute: str, entries_max: int) -> bytes:
    """For what lies below `base` and fulfils any of the conditions: this attribute has this value."""
    message = _message(number)
    request = message["protocolOp"]["searchRequest"]
    request["baseObject"] = base.encode()
    request["scope"] = _SUBTREE
    request["derefAliases"] = 0
    request["sizeLimit"] = entries_max
    request["timeLimit"] = 0
    request["typesOnly"] = False
    for index, (name, value) in enumerate(conditions):
        equal = request["filter"]["or"][index]["equalityMatch"]
        equal["attributeDesc"] = name.encode()
        equal["assertionValue"] = value.encode()
    request["attributes"][0] = attribute.encode()
    return _encoded(message)


def length_of(start: bytes) -> int | None:
    """How many bytes the message has that begins so; None if more of it is needed to say. Raises Malformed."""
    if start[:1] not in (b"", bytes([_SEQUENCE])):
        raise Malformed
    if len(start) < 2:
        return None
    if start[1] < _LONG_FORM:
        return 2 + start[1]
    digits = start[1] - _LONG_FORM
    if not 1 <= digits <= 4:
        raise Malformed
    if len(start) < 2 + digits:
        return None
    length = 2 + digits + int.from_bytes(start[2 : 2 + digits], "big")
    if length > MESSAGE_BYTES_MAX:
        raise Malformed
    return length


def read(received: bytes) -> Message:
    """Raises Malformed, also for messages that nobody asked for."""
    try:
        message, rest = decoder.decode(received, asn1Spec=rfc2251.LDAPMessage())
        if rest:
            raise Malformed
        operation = message["protocolOp"]
        return _read(int(message["messageID"]), operation.getName(), operation.getComponent())
    except (PyAsn1Error, UnicodeDecodeError, ValueError, RecursionError, IndexError, KeyError, TypeError) as error:
        raise Malformed from error


def _read(number: int, kind: str, body: Any) -> Message:
    match kind:
        case "searchResEntry":
            values = [bytes(value) for attribute in body["attributes"] for value in attribute["vals"]]
            return Entry(number, bytes(body["objectName"]).decode(), tuple(_texts(values)))
        case "searchResRef":
            return Elsewhere(number)
        case "bindResponse" | "searchResDone" | "extendedResp":
            return Result(number, int(body["resultCode"]))
    raise Malformed


def _texts(values: Sequence[bytes]) -> list[str]:
    texts = []
    for value in values:
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            continue
    return texts


def _message(number: int) -> Any:
    message = rfc2251.LDAPMessage()
    message["messageID"] = number
    return message


def _encoded(message: Any) -> bytes:
    return bytes(encoder.encode(message))
