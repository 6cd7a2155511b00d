"""What did the caller send, and is it within bounds?

A body is counted while it comes in and never kept beyond its limit. A client that sends too much is read on for a
while, into nothing, so that it gets to hear the 413 instead of a broken connection. Then the JSON is decoded into the
type that the endpoint states.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from rambla.domain.errors import MalformedContent, TooLarge, UnsupportedMedia
from rambla.flow.platform import Limits

MB = 2**20
DEPTH_MAX = 200
CONTAINERS_MAX = 50_000
DISCARDED_BYTES_MAX = 64 * MB
ENTITY_BYTES_MAX = 3 * MB  # parameters and annotations of 1 MB each, and room for what JSON escapes
_OPENING = (b"[", b"{")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class Body(NamedTuple):
    """The type of an endpoint's body, and how many bytes it may have on a platform with such limits.

    Type `bytes` is any JSON object, handed on as the text that it came as.
    """

    type: Any
    bytes_max: Callable[[Limits], int] = lambda _: ENTITY_BYTES_MAX


PAYLOAD = Body(bytes, lambda limits: limits.payload_bytes_max)


async def read_body(request: Request, body: Body, limits: Limits) -> Any:
    """The decoded body; one that is empty counts as `{}`.

    Raises TooLarge, UnsupportedMedia or MalformedContent.
    """
    raw = await _read(request, body.bytes_max(limits))
    if raw and not _is_json(request.headers.get("content-type", "")):
        raise UnsupportedMedia()
    return decode(bytes(raw) or b"{}", body.type)


def decode(raw: bytes, kind: Any) -> Any:
    """`raw` as `kind`, nested at most DEPTH_MAX deep. Raises MalformedContent or TooLarge."""
    _check_shape(raw)
    try:
        value = msgspec.json.decode(raw, type=dict[str, Any] if kind is bytes else kind)
        return raw if kind is bytes else value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedContent(detail=str(error)) from error


def _check_shape(raw: bytes) -> None:
    """Raises if building the values of `raw` would cost much more than reading it; builds none.

    Strings, such as code, may be as long as the body may be; what is between them is bounded on its own, and its
    brackets are matched from the innermost outwards.
    """
    if len(raw) <= ENTITY_BYTES_MAX and sum(map(raw.count, _OPENING)) <= DEPTH_MAX:
        return
    between = _STRING.sub(b"", raw)
    if len(between) > ENTITY_BYTES_MAX:
        raise TooLarge(what="JSON outside of strings", size=len(between), limit=ENTITY_BYTES_MAX)
    brackets = between.translate(None, delete=_NO_BRACKETS)
    if len(brackets) > 2 * CONTAINERS_MAX:
        raise MalformedContent(detail=f"JSON has more than {CONTAINERS_MAX} objects and arrays")
    for _ in range(DEPTH_MAX):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise MalformedContent(detail=f"JSON is nested more than {DEPTH_MAX} deep")


async def _read(request: Request, bytes_max: int) -> bytearray:
    declared = _declared_bytes(request)
    if declared > bytes_max and (declared > DISCARDED_BYTES_MAX or "expect" in request.headers):
        raise TooLarge(what="Request", size=declared, limit=bytes_max)
    kept, seen, size = bytearray(), 0, declared
    async for chunk in request.stream():
        seen += len(chunk)
        size = max(size, seen)
        if size <= bytes_max:
            kept += chunk
        else:
            kept.clear()
        if seen > bytes_max + DISCARDED_BYTES_MAX:
            break
    if size > bytes_max:
        raise TooLarge(what="Request", size=size, limit=bytes_max)
    return kept


def _declared_bytes(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _is_json(content_type: str) -> bool:
    """None at all is taken for JSON, as OpenWhisk does."""
    return content_type.partition(";")[0].strip().lower() in ("", "application/json")
