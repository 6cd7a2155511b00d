"""How are accounts, containers and addresses of Swift written?

Paths, checks and TempURL signatures (Swift's documentation, "Temporary URL middleware": HMAC of method, expiry and
path, hex). Pure.
"""

import hmac
from urllib.parse import quote, urlencode

from rambla.domain.errors import BadRequest
from rambla.domain.names import ACCOUNT_PREFIX
from rambla.objects.ports import SignedAddress

CONTAINER_BYTES_MAX = 256
OBJECT_BYTES_MAX = 1024


def account_of(namespace: str) -> str:
    """The Swift account of a namespace. Raises BadRequest for names that tempauth would take for another's account."""
    if namespace.startswith(ACCOUNT_PREFIX):
        raise BadRequest(detail=f"A namespace with objects may not be named {ACCOUNT_PREFIX}...")
    return ACCOUNT_PREFIX + namespace


def check_container(container: str) -> str:
    """`container`, or BadRequest if Swift has no such container names."""
    try:
        size = len(container.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= CONTAINER_BYTES_MAX or "/" in container or container in (".", "..") or "\x00" in container:
        raise BadRequest(detail=f"A container's name has 1 to {CONTAINER_BYTES_MAX} bytes and no '/': {container!r}")
    return container


def path_of(account: str, container: str = "") -> str:
    """The URL path of an account or container, percent-encoded."""
    return "/v1/" + "/".join(quote(part, safe="") for part in (account, container) if part)


def check_object(name: str) -> str:
    """`name`, or BadRequest if Swift has no such object names."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= OBJECT_BYTES_MAX:
        raise BadRequest(detail=f"An object's name has 1 to {OBJECT_BYTES_MAX} bytes: {name!r}")
    return name


def temp_url(key: str, method: str, path: tuple[str, str, str], expires_s: int, *, prefix: bool) -> SignedAddress:
    """Sign `path` (account, container, object), as a `prefix` of objects' names or as one object's."""
    plain = "/v1/" + "/".join(path)
    text = f"{method}\n{expires_s}\n{'prefix:' if prefix else ''}{plain}"
    query = {"temp_url_sig": hmac.digest(key.encode(), text.encode(), "sha256").hex(), "temp_url_expires": expires_s}
    query |= {"temp_url_prefix": path[2]} if prefix else {}
    return SignedAddress(
        method=method,
        path=quote(plain),
        query=urlencode(query),
        expires_ms=expires_s * 1000,
        prefix=prefix,
    )
