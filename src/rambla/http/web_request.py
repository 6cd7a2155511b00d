"""Which web action does a request mean, and what does the action see of it?

The names are taken from the path as it came over the wire, where an encoded slash parts nothing. Pure.
"""

from collections.abc import Iterable
from typing import get_args
from urllib.parse import unquote

from rambla.domain.access import Caller
from rambla.domain.errors import BadRequest, NoSuchRoute
from rambla.domain.names import DEFAULT_PACKAGE, FullName, check_name
from rambla.domain.web import Extension

PREFIX = "/api/v1/web/"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


def action_in(path: str) -> tuple[FullName, Extension, str]:
    """Name, extension and rest of a path `/api/v1/web/namespace/package/action[.extension][/rest]`, encoded as it came.

    Without an extension that we know, it is `http`. Raises NoSuchRoute.
    """
    parts = path.removeprefix(PREFIX).split("/", 3)
    try:
        namespace, package, last = (unquote(part, errors="strict") for part in parts[:3])
        name, extension = split_extension(last)
        full = FullName(
            check_name(namespace, "namespace"),
            "" if package == DEFAULT_PACKAGE else check_name(package),
            check_name(name),
        )
    except (ValueError, BadRequest) as error:  # too few parts, no UTF-8, or no names
        raise NoSuchRoute() from error
    return full, extension, "".join(f"/{rest}" for rest in parts[3:])


def split_extension(name: str) -> tuple[str, Extension]:
    for extension in get_args(Extension):
        if name.endswith(f".{extension}"):
            return name.removesuffix(f".{extension}"), extension
    return name, "http"


def headers_of(raw: Iterable[tuple[bytes, bytes]], visitor: Caller) -> dict[str, str]:
    """By lower-case name; of those that come twice, the last counts.

    A key of this platform that proved who the visitor is goes no further: it is not for the action's owner.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
    if visitor.subject:
        headers.pop("authorization", None)
    return headers
