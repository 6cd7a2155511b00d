"""Where is a directory, how is it encrypted, and as whom is it asked?"""

import re
import ssl
from urllib.parse import urlsplit

import msgspec

from rambla.domain.errors import BadSettings
from rambla.drivers.settings import read_secret

_PORTS = {"ldap": 389, "ldaps": 636}
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*")  # RFC 4512, without options


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`bind_dn` is who searches, with the password in `secret_file`; nobody in particular if it is ""."""

    url: str
    start_tls: bool = True
    ca_file: str = ""
    bind_dn: str = ""
    secret_file: str = ""


class Server(msgspec.Struct, frozen=True):
    """`tls` as it begins, `start_tls` before anything else is said."""

    host: str
    port: int
    tls: bool
    start_tls: bool
    bind_dn: str
    password: str
    context: ssl.SSLContext

    def __repr__(self) -> str:
        return f"Server({self.host!r})"  # not the password


def server_of(table: str, settings: ServerSettings) -> Server:
    """Raises BadSettings, which names that table of the settings."""
    host, port = _address(table, settings.url)
    tls = settings.url.startswith("ldaps:")
    secret = read_secret(table, settings.secret_file)
    if bool(settings.bind_dn) != bool(secret):
        raise BadSettings(name=table, detail="bind_dn and secret_file belong together")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        detail = f"ca_file {settings.ca_file} cannot be read: {type(error).__name__}"
        raise BadSettings(name=table, detail=detail) from error
    start_tls = settings.start_tls and not tls
    return Server(host, port, tls, start_tls, settings.bind_dn, secret, context)


def check_attributes(table: str, *names: str) -> None:
    """Raises BadSettings if one cannot be an attribute."""
    for name in names:
        if not _ATTRIBUTE.fullmatch(name):
            raise BadSettings(name=table, detail=f"'{name}' is no attribute")


def _address(table: str, url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host or parts.path.strip("/") or parts.query:
        raise BadSettings(name=table, detail="its url is ldaps://HOST or ldap://HOST, and perhaps a port")
    return host, port
