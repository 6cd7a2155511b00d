"""Which sessions did this user of the host log in to?

One file for all servers, `session.json`, by their addresses, readable for its owner only; it stands where programs keep
such things (XDG). The server says how long a session is good; here it is only not tried any more.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rambla.cli.errors import CliError
from rambla.kit.files import write_durably


class Session(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    token: str
    subject: str
    namespace: str
    expires: int

    def __repr__(self) -> str:
        return f"<Session of {self.subject}>"


class _Kept(msgspec.Struct, frozen=True):
    """`last` is the server that was logged in to last."""

    servers: dict[str, Session] = {}
    last: str = ""


def path_of(environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or "/")
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "rambla" / "session.json"


def find(url: str) -> Session | None:
    """The session at that server, None if there is none that is good."""
    found = _read().servers.get(url)
    return found if found and found.expires > _now_ms() else None


def last() -> str:
    """The address of the server that was logged in to last, "" if none was or that is over."""
    kept = _read()
    return kept.last if kept.last in kept.servers and find(kept.last) else ""


def keep(url: str, session: Session) -> None:
    """In place of one at that server; those that are over are forgotten."""
    good = {server: one for server, one in _read().servers.items() if one.expires > _now_ms()}
    _write(_Kept({**good, url: session}, url))


def forget(url: str) -> None:
    kept = _read()
    rest = {server: one for server, one in kept.servers.items() if server != url}
    if rest != kept.servers:
        _write(_Kept(rest, "" if kept.last == url else kept.last))


def _read() -> _Kept:
    path = path_of(os.environ)
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return _Kept()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CliError(f"{path} is not what this program wrote. Fix: delete it, and log in again") from None


def _write(kept: _Kept) -> None:
    path = path_of(os.environ)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(path, msgspec.json.encode(kept))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
