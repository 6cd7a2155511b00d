"""Is this JSON fit to be read?

Text from outside becomes values only if it is well formed and if building them costs not much more than reading it.
Pure; what comes in is already counted and bounded by whoever read it.
"""

import json
import re
from typing import Any

import msgspec

from rambla.domain.errors import MalformedContent, TooLarge

DEPTH_MAX = 200
CONTAINERS_MAX = 50_000
ENTITY_BYTES_MAX = 3 * 2**20  # parameters and annotations of 1 MB each, and room for what JSON escapes
_OPENING = (b"[", b"{")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def decode(raw: bytes, kind: Any) -> Any:
    """`raw` as `kind`, nested at most DEPTH_MAX deep. Raises MalformedContent or TooLarge."""
    _check_shape(raw)
    try:
        value = msgspec.json.decode(raw, type=dict[str, Any] if kind is bytes else kind)
        return raw if kind is bytes else value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedContent(detail=str(error)) from error


def decode_once(raw: bytes, kind: Any) -> Any:
    """As `decode`; but refuses objects that name a field twice, which two readers could take for two things."""
    value = decode(raw, kind)
    try:
        json.loads(raw, object_pairs_hook=_once)
    except ValueError as error:
        raise MalformedContent(detail=str(error)) from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("an object names a field twice")


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
