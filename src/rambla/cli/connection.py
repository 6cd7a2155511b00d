"""Where is the server, and with which key?

For users: `--apihost` and `--auth`, else the session of who logged in there, else a properties file as the `wsk` tool
reads it. For operators: the data folder, which holds the token and the address of the server that runs on it, else a
session too. Pure but for reading those small files.
"""

import fcntl
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rambla.cli import session
from rambla.cli.errors import CliError

HOME_PROPERTIES = ".wskprops"
USUAL_DATA = Path("var/rambla")
_OPERATOR = "operator.token"


class Connection(msgspec.Struct, frozen=True):
    """`url` has a scheme and no trailing slash; `auth` is `uuid:secret` and opens `namespace`. With a session, `token`
    stands in its place."""

    url: str
    auth: str
    namespace: str = "guest"
    token: str = ""


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
    known = _properties(path)
    host = apihost or known.get("APIHOST") or ("" if auth else session.last())
    if host and not auth and (found := session.find(base_url(host))):
        return Connection(base_url(host), "", found.namespace, found.token)
    key = auth or known.get("AUTH")
    if not host or not key:
        missing = "--apihost" if not host else "--auth"
        fix = "Fix: give --data DIR, or log in: rambla login"
        raise CliError(f"{missing} is not known: neither the option nor {path} gives it. {fix}")
    return Connection(base_url(host), key, known.get("NAMESPACE") or "guest")


def address(apihost: str | None, data: Path | None) -> str:
    """Where to log in or out: what the option says, else the properties file, else where one is logged in."""
    path = properties_file(data, os.environ)
    host = apihost or _properties(path).get("APIHOST") or session.last()
    if not host:
        raise CliError(f"--apihost is not known: neither the option nor {path} gives it")
    return base_url(host)


def with_session(apihost: str | None) -> Connection:
    """The server that the option names, or the one logged in to last. CliError if nobody is logged in there."""
    url = base_url(apihost) if apihost else session.last()
    found = session.find(url) if url else None
    if found is None:
        where = f"nobody is logged in at {url}" if url else f"{USUAL_DATA} has no platform, and nobody is logged in"
        raise CliError(f"{where}. Fix: rambla login, or give the platform's --data")
    return Connection(url, "", found.namespace, found.token)


def _properties(path: Path) -> dict[str, str]:
    return parse_properties(path.read_text(errors="replace")) if path.is_file() else {}


def has_operator(data: Path) -> bool:
    return (data / _OPERATOR).is_file()


def operator_token(data: Path) -> str:
    path = data / _OPERATOR
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
