"""How are questions to a directory written, and its answers read?

LDAPMessage of RFC 4511 in BER, as far as it takes to bind, to begin TLS and to search for equal values. Conditions are
built of their parts and never of text, so that no name in them can mean anything else. A bind asks what the password
policy says of it (draft-behera-ldap-password-policy-10).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import namedtype, tag, univ
from pyasn1_modules import rfc2251

MESSAGE_BYTES_MAX = 64 * 1024  # some attributes of one entry
START_TLS = "1.3.6.1.4.1.1466.20037"
PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105  # the name of a control
INVALID_CREDENTIALS = 49
_VERSION = 3
_SUBTREE = 2
_SEQUENCE = 0x30
_LONG_FORM = 0x80


class Malformed(Exception):
    """What was received is no message."""


class TooLong(Malformed):
    """It has more bytes than are read."""


class Query(msgspec.Struct, frozen=True):
    """For at most `entries_max` entries below `base`, and these attributes of theirs. Of each group of conditions one
    must hold: this attribute has this value."""

    base: str
    conditions: Sequence[Sequence[tuple[str, str]]]
    attributes: Sequence[str]
    entries_max: int


class Result(msgspec.Struct, frozen=True):
    """The end of an operation; 0 is success. A bind that is good for nothing but another password has failed."""

    number: int
    code: int


class Entry(msgspec.Struct, frozen=True):
    """One entry that was found, with the values of the attributes that were asked for as far as they are text."""

    number: int
    dn: str
    attributes: Mapping[str, tuple[str, ...]]

    def values(self, attribute: str) -> tuple[str, ...]:
        """Directories may spell an attribute as they like, and put options behind it."""
        return self.attributes.get(attribute.lower(), ())


class Elsewhere(msgspec.Struct, frozen=True):
    """There may be more in another directory."""

    number: int


Message = Result | Entry | Elsewhere


def _within(kind: Any, number: int) -> Any:
    """With a tag that says which of several it is."""
    return kind.subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, number))


class _Warning(univ.Sequence):
    """One of both; read as a sequence, since what is inside an explicit tag looks the same."""

    componentType = namedtype.NamedTypes(  # noqa: N815  # pyasn1 has the name
        namedtype.OptionalNamedType("timeBeforeExpiration", _within(univ.Integer(), 0)),
        namedtype.OptionalNamedType("graceAuthNsRemaining", _within(univ.Integer(), 1)),
    )


class _PolicyResponse(univ.Sequence):
    componentType = namedtype.NamedTypes(  # noqa: N815  # pyasn1 has the name
        namedtype.OptionalNamedType("warning", _within(_Warning(), 0)),
        namedtype.OptionalNamedType("error", _within(univ.Enumerated(), 1)),
    )


def bind(number: int, dn: str, password: str) -> bytes:
    message = _message(number)
    request = message["protocolOp"]["bindRequest"]
    request["version"] = _VERSION
    request["name"] = dn.encode()
    request["authentication"]["simple"] = password.encode()
    message["controls"][0]["controlType"] = PASSWORD_POLICY
    return _encoded(message)


def start_tls(number: int) -> bytes:
    message = _message(number)
    message["protocolOp"]["extendedReq"]["requestName"] = START_TLS
    return _encoded(message)


def search(number: int, query: Query) -> bytes:
    message = _message(number)
    request = message["protocolOp"]["searchRequest"]
    request["baseObject"] = query.base.encode()
    request["scope"] = _SUBTREE
    request["derefAliases"] = 0
    request["sizeLimit"] = query.entries_max
    request["timeLimit"] = 0
    request["typesOnly"] = False
    for index, conditions in enumerate(query.conditions):
        group = request["filter"]["and"][index]["or"]
        for place, (name, value) in enumerate(conditions):
            equal = group[place]["equalityMatch"]
            equal["attributeDesc"] = name.encode()
            equal["assertionValue"] = value.encode()
    for index, attribute in enumerate(query.attributes):
        request["attributes"][index] = attribute.encode()
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
        raise TooLong
    return length


def read(received: bytes) -> Message:
    """Raises Malformed, also for messages that nobody asked for."""
    try:
        message, rest = decoder.decode(received, asn1Spec=rfc2251.LDAPMessage())
        if rest:
            raise Malformed
        operation = message["protocolOp"]
        found = _read(int(message["messageID"]), operation.getName(), operation.getComponent())
        if isinstance(found, Result) and not found.code and _has_policy_error(message["controls"]):
            return Result(found.number, INVALID_CREDENTIALS)
        return found
    except (PyAsn1Error, UnicodeDecodeError, ValueError, RecursionError, IndexError, KeyError, TypeError) as error:
        raise Malformed from error


def _read(number: int, kind: str, body: Any) -> Message:
    match kind:
        case "searchResEntry":
            return Entry(number, bytes(body["objectName"]).decode(), _attributes(body["attributes"]))
        case "searchResRef":
            return Elsewhere(number)
        case "bindResponse" | "searchResDone" | "extendedResp":
            return Result(number, int(body["resultCode"]))
    raise Malformed


def _attributes(found: Any) -> dict[str, tuple[str, ...]]:
    attributes: dict[str, tuple[str, ...]] = {}
    for attribute in found:
        name = bytes(attribute["type"]).decode().partition(";")[0].lower()
        attributes[name] = attributes.get(name, ()) + _texts([bytes(value) for value in attribute["vals"]])
    return attributes


def _texts(values: Sequence[bytes]) -> tuple[str, ...]:
    texts = []
    for value in values:
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            continue
    return tuple(texts)


def _has_policy_error(controls: Any) -> bool:
    for control in controls if controls.isValue else ():
        if bytes(control["controlType"]) == PASSWORD_POLICY.encode():
            policy, rest = decoder.decode(bytes(control["controlValue"]), asn1Spec=_PolicyResponse())
            return bool(rest) or bool(policy["error"].isValue)
    return False


def _message(number: int) -> Any:
    message = rfc2251.LDAPMessage()
    message["messageID"] = number
    return message


def _encoded(message: Any) -> bytes:
    return bytes(encoder.encode(message))
