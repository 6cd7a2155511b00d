"""What may be put into a question, and how are an enforcer's settings read?

What callers and targets are named is hostile: whoever writes it into a filter, a statement or a document escapes it;
here it is only bounded.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rambla.domain.access import Question
from rambla.domain.errors import BadSettings, NoAnswer

WORD_CHARS_MAX = 1000
SECRET_BYTES_MAX = 64 * 1024
_NAME = re.compile(rf"[^\0\ud800-\udfff]{{1,{WORD_CHARS_MAX}}}")
Kind = TypeVar("Kind")


def word(enforcer: str, question: Question, argument: str, name: str) -> str:
    """What `argument`, `permission`, `target_NAME` or the name of one of the caller's attributes stands for.

    Raises NoAnswer if there is no such text, or nobody is called so: empty, very long, with a NUL or half a character.
    """
    found: object
    if name == "argument":
        found = argument
    elif name == "permission":
        found = question.permission
    elif name.startswith("target_"):
        found = question.target.get(name.removeprefix("target_"))
    else:
        found = question.credentials.get(name)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise NoAnswer(enforcer=enforcer, detail=f"it cannot be asked about this '{name}'")
    return found


def read_settings(name: str, kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """The settings of one enforcer as its driver knows them. Raises BadSettings."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise BadSettings(name=f"enforcers.{name}", detail=str(error)) from error


def read_secret(name: str, path: str) -> str:
    """What the file holds, without the end of its line; "" if there is no path. Raises BadSettings."""
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            secret = file.read(SECRET_BYTES_MAX + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        detail = f"secret_file {path} cannot be read: {type(error).__name__}"
        raise BadSettings(name=f"enforcers.{name}", detail=detail) from None
    if not secret or len(secret) > SECRET_BYTES_MAX:
        raise BadSettings(name=f"enforcers.{name}", detail=f"secret_file {path} is empty or very long")
    return secret
