"""Which status, headers and body does a result of `{"statusCode", "headers", "body"}` mean?

The transcoder of the extension `.http`. Nothing that an action says can break the connection: it has a final status, a
bounded number of headers that are headers, and none that frames the message. Pure.
"""

import base64
import re
from collections.abc import Iterator

from rambla.domain.entities import is_binary
from rambla.domain.errors import BadRequest
from rambla.domain.media import MediaType, parse_media_type
from rambla.http.web_result import (
    HTML,
    JSON,
    MESSAGE,
    Content,
    fields_of,
    first_of,
    invalid,
    list_of,
    pretty,
    string_of,
)

HEADERS_MAX = 100
HEADERS_BYTES_MAX = 32 * 2**10
UNKNOWN_TYPE = "Response did not specify a known content-type."
WRONG_TYPE = "Response type in header did not match generated content type."
_CONNECTION = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
_FRAMING = frozenset((*_CONNECTION, "content-length", "content-type"))
"""What belongs to the connection or to us, whatever an action says."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def as_http(result: bytes) -> Content:
    fields = fields_of(result)
    if fields is None:
        raise invalid(MESSAGE)
    headers = tuple(_checked(_headers(first_of(fields, "headers"))))
    status = _status(first_of(fields, "statusCode"))
    passed = tuple((name, value) for name, value in headers if name.lower() not in _FRAMING)
    body = first_of(fields, "body")
    if body in (None, b"null", b'""'):
        return Content(status=status or 204, headers=passed)
    assert body is not None
    given = next((value for name, value in headers if name.lower() == "content-type"), None)
    text = string_of(body)
    if text is None:
        content, media_type = _json_body(body, given)
    else:
        content, media_type = _string_body(text, given)
    return Content(content, media_type, status or 200, passed)


def _json_body(body: bytes, given: str | None) -> tuple[bytes, MediaType]:
    media_type = JSON if given is None else parse_media_type(given)
    if media_type is None or not media_type.is_json:
        raise BadRequest(detail=WRONG_TYPE)
    return pretty(body, MESSAGE), media_type


def _string_body(text: str, given: str | None) -> tuple[bytes, MediaType]:
    """Text as it is, bytes from base64; and JSON that looks like base64 too, as it was once sent so."""
    media_type = HTML if given is None else parse_media_type(given)
    if media_type is None:
        raise BadRequest(detail=UNKNOWN_TYPE)
    if media_type.is_text and not (media_type.is_json and is_binary(text)):
        return text.encode(), media_type
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True), media_type
    except ValueError as error:
        raise BadRequest(detail=WRONG_TYPE) from error


def _status(value: bytes | None) -> int | None:
    """A final status that HTTP knows (RFC 9110, section 15): 1xx would leave the client waiting for another."""
    if value is None:
        return None
    text = (string_of(value) or value.decode(errors="replace")).removesuffix(".0")
    if len(text) != 3 or not text.isascii() or not text.isdigit() or not 200 <= int(text) < 600:
        raise invalid(MESSAGE)
    return int(text)


def _headers(value: bytes | None) -> Iterator[tuple[str, str]]:
    """Of an object of names; a list of values is that header several times."""
    if value is None:
        return
    fields = fields_of(value)
    if fields is None:
        raise invalid(MESSAGE)
    for name in fields:
        found = first_of(fields, name) or b""
        for one in list_of(found) if found.startswith(b"[") else [found]:
            yield name, _header_value(one)


def _header_value(value: bytes) -> str:
    if value.startswith((b"{", b"[", b"null")):
        raise invalid(MESSAGE)
    text = string_of(value)
    return value.decode("latin-1") if text is None else text.strip(" \t")


def _checked(headers: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    size = 0
    for number, (name, value) in enumerate(headers, 1):
        size += len(name) + len(value)
        if number > HEADERS_MAX or size > HEADERS_BYTES_MAX:
            raise invalid(MESSAGE)
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise invalid(MESSAGE)
        yield name, value
