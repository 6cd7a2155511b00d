"""By which address did a client come?

What stands in front of the platform says so in `X-Forwarded-` headers; else it is the host that was asked for. Clients
can write what they like there, so it is for telling them their own address and for nothing else. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

from rambla.gateway.values import text

_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")
_SCHEMES = ("http", "https")


def address_of(headers: Mapping[str, Any], own: str) -> str:
    """Scheme and host; `own` where the headers, whose names are lower-case, say nothing that could be one."""
    host = text(headers.get("x-forwarded-host")) or text(headers.get("host"))
    if not _HOST.fullmatch(host):
        return own
    scheme = text(headers.get("x-forwarded-proto")).lower() or own.partition("://")[0]
    return f"{scheme if scheme in _SCHEMES else 'http'}://{host}"
