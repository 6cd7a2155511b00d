"""What is in a value that may be of any type? Pure."""

from typing import Any

Document = dict[str, Any]


def mapping(value: Any) -> Document:
    """Its fields, none if it is no object."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """Its elements, none if it is no array."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Itself, or "" if it is no text."""
    return value if isinstance(value, str) else ""
