"""Which enforcers do the settings name?

Each is a table `[enforcers.NAME]` with a `url`, whose scheme says which driver asks, the terms on which it is asked,
and what that driver wants to know. Nothing is reached here: who is away at the start may come back.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from rambla.app.registry import opener
from rambla.app.settings import Settings
from rambla.domain.errors import BadSettings
from rambla.drivers.settings import read_settings
from rambla.enforcers.asking import Asking, Terms
from rambla.enforcers.panel import Panel
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks

_NAME = re.compile(r"(?!https?$)[A-Za-z][A-Za-z0-9_-]{0,63}")
_TERMS = frozenset(field.name for field in msgspec.structs.fields(Terms))
_USUAL = Terms()


def open_panel(settings: Settings, clock: Clock, tasks: Tasks) -> Panel:
    """All of them. Raises BadSettings."""

    def open_origin(origin: str) -> Asking:
        return Asking(origin, opener("origin", "http")(origin, timeout_ms=_USUAL.timeout_ms), _USUAL, clock, tasks)

    named = {name: _open(name, given, clock, tasks) for name, given in settings.enforcers.items()}
    return Panel(named, open_origin)


def _open(name: str, given: Mapping[str, Any], clock: Clock, tasks: Tasks) -> Asking:
    if not _NAME.fullmatch(name):
        raise BadSettings(name=f"enforcers.{name[:100]}", detail="a name has letters, digits, '_' and '-' only")
    terms = read_settings(f"enforcers.{name}", Terms, {key: value for key, value in given.items() if key in _TERMS})
    rest = {key: value for key, value in given.items() if key not in _TERMS}
    _refuse_password(name, rest.get("url"))
    kind = str(rest["url"]).partition(":")[0]
    return Asking(name, opener("enforcer", kind)(name, rest, timeout_ms=terms.timeout_ms), terms, clock, tasks)


def _refuse_password(name: str, url: object) -> None:
    """The message does not repeat what it refuses."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        scheme, told = parts.scheme, parts.password is not None or "password" in parse_qs(parts.query, True)
    except ValueError:
        scheme, told = "", False
    if not scheme:
        raise BadSettings(name=f"enforcers.{name}", detail="it needs a url, for instance 'ldaps://ldap.example.org'")
    if told:
        raise BadSettings(name=f"enforcers.{name}", detail="no password in the url. Fix: put it into a secret_file")
