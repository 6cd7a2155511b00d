"""What is in an action's result?

Read no deeper than needed, from the JSON text that it is, so that numbers stay as the action wrote them. What cannot be
read is not there, or is refused with OpenWhisk's text. Pure.
"""

from typing import NamedTuple

import msgspec

from rambla.domain.errors import BadRequest
from rambla.domain.media import MediaType

HTML, TEXT, MESSAGE = MediaType("text", "html"), MediaType("text", "plain"), MediaType("message", "http")
JSON, SVG = MediaType("application", "json"), MediaType("image", "svg+xml")
Headers = tuple[tuple[str, str], ...]


class Content(NamedTuple):
    """`media_type` is None where there is no content."""

    body: bytes = b""
    media_type: MediaType | None = None
    status: int = 200
    headers: Headers = ()


def fields_of(value: bytes) -> dict[str, msgspec.Raw] | None:
    """Its fields, or None if it is no object."""
    try:
        return msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def list_of(value: bytes) -> list[bytes]:
    try:
        return [bytes(one).strip() for one in msgspec.json.decode(value, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(MESSAGE) from error


def string_of(value: bytes | None) -> str | None:
    """None if it is no string."""
    try:
        return None if value is None else msgspec.json.decode(value, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def first_of(fields: dict[str, msgspec.Raw], *names: str) -> bytes | None:
    """The first of those that is there, as JSON text."""
    return next((bytes(fields[name]).strip() for name in names if name in fields), None)


def pretty(value: bytes, media_type: MediaType) -> bytes:
    try:
        return msgspec.json.format(value, indent=2)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(media_type) from error


def invalid(media_type: MediaType) -> BadRequest:
    return BadRequest(detail=f"Response is not valid '{media_type.essence}'.")
