"""Which sources of identities do the settings name?

Each is a table `[identity.NAME]` with a `kind`, which says which driver asks it, the terms on which it is asked, and
what that driver wants to know. They are asked in the order in which they stand there. Nothing is reached here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rambla.app.registry import opener
from rambla.app.settings import Settings
from rambla.domain.access import PLATFORMS_OWN, PROGRAMS
from rambla.domain.errors import BadSettings
from rambla.identity.asking import Asking, Terms
from rambla.identity.mapping import BYTES_MAX, Translation, read
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TERMS = frozenset(field.name for field in msgspec.structs.fields(Terms))
_OWN = PLATFORMS_OWN | {PROGRAMS}


def open_sources(settings: Settings, catalog: Any, clock: Clock, tasks: Tasks) -> list[Asking]:
    """All of them; `catalog` is the opened database, for those that keep people there. Raises BadSettings."""
    usual = {"local": {"key_file": str(settings.data / "identity.key"), "asked_max": 16}}
    return [
        _open(name, {**usual.get(str(given.get("kind")), {}), **given}, catalog, clock, tasks)
        for name, given in settings.identity.items()
    ]


def _open(name: str, given: Mapping[str, Any], catalog: Any, clock: Clock, tasks: Tasks) -> Asking:
    setting = f"identity.{name[:100]}"
    if not _NAME.fullmatch(name) or name in _OWN:
        detail = "a name has small letters, digits and '-' only, and is none of " + ", ".join(sorted(_OWN))
        raise BadSettings(name=setting, detail=detail)
    kind = given.get("kind")
    if not isinstance(kind, str):
        raise BadSettings(name=setting, detail="it needs a kind, for instance kind = 'ldap'")
    try:
        terms = msgspec.convert({key: value for key, value in given.items() if key in _TERMS}, Terms)
    except msgspec.ValidationError as error:
        raise BadSettings(name=setting, detail=str(error)) from error
    rest = {key: value for key, value in given.items() if key not in _TERMS}
    source = opener("identity", kind)(name, rest, catalog, clock)
    return Asking(name, source, terms, _translation(name, terms), clock, tasks)


def _translation(name: str, terms: Terms) -> Translation:
    if not terms.mapping:
        return Translation()
    try:
        with Path(terms.mapping).open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        if len(text) > BYTES_MAX:
            raise BadSettings(name=f"identity.{name}.mapping", detail=f"it is longer than {BYTES_MAX} bytes")
        return read(name, text.decode(), terms.ceiling)
    except (OSError, UnicodeDecodeError) as error:
        detail = f"{terms.mapping} cannot be read: {type(error).__name__}"
        raise BadSettings(name=f"identity.{name}.mapping", detail=detail) from error
