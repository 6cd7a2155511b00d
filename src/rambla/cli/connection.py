"""Where is the server, and with which key?

For users: `--apihost` and `--auth`, else a properties file as the `wsk` tool reads it. For operators: the data folder,
which holds the token and the address of the server that runs on it. Pure but for reading those small files.
"""

import fcntl
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rambla.cli.errors import CliError

HOME_PROPERTIES = ".wskprops"


class Connection(msgspec.Struct, frozen=True):
    """`url` has a scheme and no trailing slash; `auth` is `uuid:secret` and opens `namespace`."""

    url: str
    auth: str
    namespace: str = "guest"


def parse_properties(text: str) -> dict[str, str]:
    """`KEY=value` lines; blank lines and those that begin with # are skipped. Keys are upper case."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip().upper(): value.strip() for key, value in pairs}


def base_url(host: str) -> str:
    """`host` with a scheme: https if it has none, as `wsk` assumes."""
    return (host if "://" in host else f"https://{host}").rstrip("/")


def properties_file(data: Path | None, environment: Mapping[str, str]) -> Path:
    """`--data` first, then WSK_CONFIG_FILE, RAMBLA_DATA and the home folder."""
    if data:
        return data / "wskprops"
    if environment.get("WSK_CONFIG_FILE"):
        return Path(environment["WSK_CONFIG_FILE"])
    if environment.get("RAMBLA_DATA"):
        return Path(environment["RAMBLA_DATA"]) / "wskprops"
    return Path(environment.get("HOME") or "/") / HOME_PROPERTIES


def find(apihost: str | None, auth: str | None, data: Path | None) -> Connection:
    """What the options say, completed from a properties file. CliError if something is still missing."""
    path = properties_file(data, os.environ)
    known = parse_properties(path.read_text(errors="replace")) if path.is_file() else {}
    host, key = apihost or known.get("APIHOST"), auth or known.get("AUTH")
    if not host or not key:
        missing = "--apihost" if not host else "--auth"
        raise CliError(f"{missing} is not known: neither the option nor {path} gives it. Fix: give --data DIR")
    return Connection(base_url(host), key, known.get("NAMESPACE") or "guest")


def operator_token(data: Path) -> str:
    path = data / "operator.token"
    if not path.is_file():
        raise CliError(
            f"{path} does not exist: no platform was started on this folder. Fix: rambla serve --data {data}"
        )
    return path.read_text().strip()


def is_served(data: Path) -> bool:
    """Whether a process holds the folder's lock. An address alone proves nothing: after a crash, a stranger may
    listen there, who must not be sent the operator's token."""
    try:
        with (data / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def endpoint(data: Path) -> str | None:
    """The address of the server that last served this folder, or None; it may be gone."""
    path = data / "endpoint"
    return base_url(path.read_text().strip()) if path.is_file() else None


def trust(url: str, data: Path | None) -> ssl.SSLContext:
    """By what the server at `url` is known. Of the one that serves the data folder, the very certificate is known,
    whatever names are in it; others by the system's authorities, or those of the file SSL_CERT_FILE."""
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody needs to be trusted, and reading authorities takes time
    folder = properties_file(data, os.environ).parent
    pinned = folder / "endpoint.pem"
    if endpoint(folder) != url or not pinned.is_file():
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=str(pinned))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
