"""May what stands at that address be believed?

It is encrypted, or on this machine. Pure.
"""

import ipaddress
from urllib.parse import urlsplit

CHARS_MAX = 2000


def is_safe(url: str) -> bool:
    """Whether it is an https address, or one of http on loopback; without a password and a fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "#" in url or len(url) > CHARS_MAX:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
