"""What do the parameters after the question mark say?

Parsed by OpenWhisk's rules and refused with its texts. Pure; what is not asked for is not looked at.
"""

import re
from collections.abc import Mapping
from typing import Any

from rambla.domain.errors import BadQuery, BadRequest
from rambla.domain.names import check_name
from rambla.flow.read import Page, Span
from rambla.flow.sync import WAIT_MS_MAX as SYNC_MS_MAX

LIMIT_DEFAULT = 30
LIMIT_MAX = 200
WAIT_MS_MAX = 60_000
_EPOCH: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
_FLAG: dict[str, Any] = {"type": "boolean"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 0, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    "skip": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1, "default": 0},
    "name": {"type": "string", "description": "[package/]action"},
    "since": _EPOCH,
    "upto": _EPOCH,
    "known": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1, "default": 0},
    "wait_ms": {"type": "integer", "minimum": 0, "maximum": SYNC_MS_MAX, "default": 0},
    "timeout": {"type": "integer", "minimum": 1, "maximum": WAIT_MS_MAX, "default": WAIT_MS_MAX},
    **dict.fromkeys(("blocking", "code", "count", "docs", "force", "overwrite", "result"), _FLAG),
}
"""Every parameter there is, as JSON Schema."""
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_EPOCH_MS = re.compile(r"[0-9]{1,15}")
_FLAGS = {
    text: value for value, texts in ((True, "true yes on 1"), (False, "false no off 0")) for text in texts.split()
}


def flag(query: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = query.get(name)
    if text is None:
        return default
    if text.lower() not in _FLAGS:
        raise BadQuery(name=name, detail=f"'{_short(text)}' is not a valid Boolean value")
    return _FLAGS[text.lower()]


def page(query: Mapping[str, str], collection: str) -> Page:
    """`skip` and `limit`; a limit of 0 means as many as are allowed."""
    skip = _integer(query, "skip", 0, collection)
    if skip < 0:
        detail = f"The value '{skip}' is not greater than or equal to 0 for {collection}."
        raise BadQuery(name="skip", detail=detail)
    limit = _integer(query, "limit", LIMIT_DEFAULT, collection)
    if not 0 <= limit <= LIMIT_MAX:
        detail = f"The value '{limit}' is not in the range of 0 to {LIMIT_MAX} for {collection}."
        raise BadQuery(name="limit", detail=detail)
    return Page(skip, limit or LIMIT_MAX)


def span(query: Mapping[str, str]) -> Span:
    """`name`, `since` and `upto` of a list of activations; an empty name filters nothing."""
    name = query.get("name") or None
    if name is not None:
        _check_path(name)
    return Span(name, epoch_ms(query, "since"), epoch_ms(query, "upto"))


def epoch_ms(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not _EPOCH_MS.fullmatch(text):
        raise BadQuery(name=name, detail=f"Parameter is not a valid value for epoch seconds: {_short(text)}")
    return int(text)


def wait_ms(query: Mapping[str, str]) -> int:
    """How long a blocking call waits: `timeout`, at most and by default 60 s."""
    text = query.get("timeout", str(WAIT_MS_MAX))
    if not _INTEGER.fullmatch(text) or not 0 < int(text) <= WAIT_MS_MAX:
        raise BadQuery(name="timeout", detail=f"Timeout must be number of milliseconds up to {WAIT_MS_MAX}.")
    return int(text)


def integer(query: Mapping[str, str], name: str) -> int:
    """One that PARAMETERS describes with its bounds and default."""
    known = PARAMETERS[name]
    text = query.get(name, str(known["default"]))
    if not _INTEGER.fullmatch(text) or not known["minimum"] <= int(text) <= known["maximum"]:
        raise BadQuery(name=name, detail=f"It must be a number from {known['minimum']} to {known['maximum']}.")
    return int(text)


def _integer(query: Mapping[str, str], name: str, default: int, collection: str) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _INTEGER.fullmatch(text):
        raise BadQuery(name=name, detail=f"The value '{_short(text)}' is not an integer for {collection}.")
    return int(text)


def _check_path(text: str) -> None:
    parts = text.split("/")
    try:
        if len(parts) > 2:
            raise BadRequest(detail="too many parts")
        for part in parts:
            check_name(part)
    except BadRequest as error:
        detail = f"Parameter may be a 'simple' name or 'package-name/simple' name: {_short(text)}"
        raise BadQuery(name="name", detail=detail) from error


def _short(text: str) -> str:
    return text[:64]
