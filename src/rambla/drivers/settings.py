"""How does a driver read its table of the settings, and the secret that a file beside it holds?

A table is named in full, such as `enforcers.corp`, so that every refusal says where to look.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rambla.domain.errors import BadSettings

SECRET_BYTES_MAX = 64 * 1024
Kind = TypeVar("Kind")


def read_settings(table: str, kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """What stands in that table of the settings, as a driver knows it. Raises BadSettings."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise BadSettings(name=table, detail=str(error)) from error


def read_secret(table: str, path: str) -> str:
    """What the file holds, without the end of its line; "" if there is no path. Raises BadSettings."""
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            secret = file.read(SECRET_BYTES_MAX + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        detail = f"secret_file {path} cannot be read: {type(error).__name__}"
        raise BadSettings(name=table, detail=detail) from None
    if not secret or len(secret) > SECRET_BYTES_MAX:
        raise BadSettings(name=table, detail=f"secret_file {path} is empty or very long")
    return secret
