"""What did the caller send, and is it within bounds?

A body is counted while it comes in and never kept beyond its limit. A client that sends too much is read on for a
while, into nothing, so that it gets to hear the 413 instead of a broken connection. Then the JSON is decoded into the
type that the endpoint states.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.requests import Request

from rambla.domain.errors import TooLarge, UnsupportedMedia
from rambla.domain.json_text import ENTITY_BYTES_MAX, decode, decode_once
from rambla.flow.platform import Limits

MB = 2**20
DISCARDED_BYTES_MAX = 64 * MB


class Body(NamedTuple):
    """The type of an endpoint's body, and how many bytes it may have on a platform with such limits.

    Type `bytes` is any JSON object, handed on as the text that it came as; `bytearray` is anything at all. With `once`
    no object in it may name a field twice.
    """

    type: Any
    bytes_max: Callable[[Limits], int] = lambda _: ENTITY_BYTES_MAX
    once: bool = False


PAYLOAD = Body(bytes, lambda limits: limits.payload_bytes_max)
OPAQUE = Body(bytearray, lambda limits: limits.payload_bytes_max)


async def read_body(request: Request, body: Body, limits: Limits) -> Any:
    """The decoded body; one that is empty counts as `{}`.

    Raises TooLarge, UnsupportedMedia or MalformedContent.
    """
    raw = await _read(request, body.bytes_max(limits))
    if body.type is bytearray:
        return raw
    if raw and not _is_json(request.headers.get("content-type", "")):
        raise UnsupportedMedia()
    return (decode_once if body.once else decode)(bytes(raw) or b"{}", body.type)


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
