"""How does oslo.policy's generic check read its two sides?

The left side is a Python literal or a path into the credentials, the right side a template filled with `%` from the
target (oslo_policy/_checks.py, GenericCheck, 6.0.1). Parsed here once, so that a decision only compares.
"""

import ast
import keyword
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache

import msgspec

CACHE_MAX = 4096
KIND_CHARS_MAX = 1000
TEMPLATE_CHARS_MAX = 1000
_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_WIDTH = re.compile(r"%%|%(?:\(.*?\))?[-+ #0]*(\d{4,}|\d*\.\d{4,})?")
_SUBSTITUTION = re.compile(r"%\(([^()]*)\)s")


class Undecidable(Exception):
    """A term could not be read; the decision it belongs to is no."""


class Literal(msgspec.Struct, frozen=True):
    text: str


class Path(msgspec.Struct, frozen=True):
    segments: tuple[str, ...]


class Unreadable(msgspec.Struct, frozen=True):
    """Not Python at all: oslo.policy raises when it is asked."""


Left = Literal | Path | Unreadable


def left(kind: str) -> Left:
    """The left side of `kind:match`; nothing as long as a page is a name or a value."""
    return _left(kind) if len(kind) <= KIND_CHARS_MAX else Unreadable()


@lru_cache(CACHE_MAX)
def _left(kind: str) -> Left:
    segments = tuple(kind.split("."))
    if _PATH.fullmatch(kind) and not any(keyword.iskeyword(segment) for segment in segments):
        return Path(segments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Literal(str(ast.literal_eval(kind)))
    except ValueError:
        return Path(segments)
    except (SyntaxError, TypeError, MemoryError, RecursionError):
        return Unreadable()


def constant(template: str) -> str | None:
    """The text of a template that takes nothing from the target."""
    return None if "%" in template else template


def single_key(template: str) -> str | None:
    """The key of a template that is one `%(key)s` and no more."""
    found = _SUBSTITUTION.fullmatch(template)
    return found[1] if found else None


def keys(template: str) -> list[str]:
    """The keys of the target that a template takes."""
    return [found[1] for found in _SUBSTITUTION.finditer(template)]


def fill(template: str, target: Mapping[str, object]) -> str:
    """Raises KeyError for an absent key, ValueError or TypeError for a template that is none, or that is too long."""
    if "%" not in template:
        return template
    if len(template) > TEMPLATE_CHARS_MAX or _asks_for_width(template):
        raise ValueError("a template is long, or asks for a text of a thousand characters")
    return template % target


@lru_cache(CACHE_MAX)
def _asks_for_width(template: str) -> bool:
    return any(found[1] for found in _WIDTH.finditer(template))


def found(value: object, segments: tuple[str, ...], wanted: str) -> bool:
    """Whether the path leads to `wanted`, through any item of the lists on the way.

    Raises TypeError where it leads through something that has no parts.
    """
    if not segments:
        return wanted == str(value)
    try:
        value = value[segments[0]]  # type: ignore[index]  # what has no parts is the caller's TypeError, as promised
    except KeyError:
        return False
    if isinstance(value, list):
        return any(found(item, segments[1:], wanted) for item in value)
    return found(value, segments[1:], wanted)


def left_is(left: Left, kind: str, wanted: str, values: Mapping[str, object]) -> bool:
    """Whether the left side, which was written as `kind`, is `wanted`. Raises Undecidable if it is unreadable."""
    match left:
        case Literal(text):
            return wanted == text
        case Path(segments):
            return found(values, segments, wanted)
        case Unreadable():
            raise Undecidable(f"'{kind}' is neither a name nor a literal")
