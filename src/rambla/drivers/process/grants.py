"""Does a request match what its run was granted?

Pure and literal: nothing is normalised, because a proxy that reads an address differently from the server behind it is
a hole. What may follow a prefix is one object's name in the plainest spelling; everything else is refused.
"""

import re
from urllib.parse import unquote_to_bytes

from rambla.engine.ports import Grant

_NAME = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+\Z", re.ASCII)
_HIDDEN = re.compile(rb"[\x00-\x1f\x7f\\?#]|%[0-9A-Fa-f]{2}")
_ENCODED_SLASH = re.compile(r"%2f", re.IGNORECASE)
_NAME_BYTES_MAX = 1024


def allows(grants: tuple[Grant, ...], method: str, target: str) -> bool:
    """Whether `method` on `target` (the request line's: path and query as they came) is one of `grants`."""
    path, _, query = target.partition("?")
    return any(_matches(grant, method, path, query) for grant in grants)


def _matches(grant: Grant, method: str, path: str, query: str) -> bool:
    if method != grant.method or query != grant.query:
        return False
    if not grant.prefix:
        return path == grant.path
    return path.startswith(grant.path) and _is_object_name(path[len(grant.path) :])


def _is_object_name(text: str) -> bool:
    """No empty, `.` or `..` segment, however spelt; no encoded slash, control character or second encoding."""
    if len(text) > _NAME_BYTES_MAX or not _NAME.match(text) or _ENCODED_SLASH.search(text):
        return False
    name = unquote_to_bytes(text)
    if _HIDDEN.search(name) or any(segment in (b"", b".", b"..") for segment in name.split(b"/")):
        return False
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
