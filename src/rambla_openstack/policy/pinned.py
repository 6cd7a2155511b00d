"""Whom does this host trust to say what the policy is, and where does the policy lie?

`/etc/rambla/policy.conf`, or what RAMBLA_POLICY_CONF names: read by the check inside daemons and by the agent.
"""

import configparser
import os
import re
from dataclasses import dataclass
from pathlib import Path

from rambla_openstack.policy.signed import check_key

PATH = "/etc/rambla/policy.conf"
VARIABLE = "RAMBLA_POLICY_CONF"
FOLDER = "/var/lib/rambla/policy"
KEYS_MAX = 100
_SECTION = "policy"
_NAMES = {"folder", "trusted_keys", "max_age_s", "reload_s"}
_KEYS_LINE = re.compile(r"^(trusted_keys[ \t]*[=:][^\n#;]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pinned:
    """`keys` are public keys in hexadecimal. `max_age_s`: for how long the policy holds without news, 0 for ever."""

    folder: Path
    keys: frozenset[str]
    max_age_s: float
    reload_s: float


def path() -> Path:
    return Path(os.environ.get(VARIABLE, PATH))


def read(text: str) -> Pinned:
    """Raises ValueError with what is wrong, on one line."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        section = parser[_SECTION]
    except (configparser.Error, KeyError) as error:
        raise ValueError(f"it has no section [policy] that can be read: {' '.join(str(error).split())}") from None
    if unknown := set(section) - _NAMES:
        raise ValueError(f"it knows no '{min(unknown)}'")
    keys = section.get("trusted_keys", "").replace(",", " ").split()
    if not keys or len(keys) > KEYS_MAX:
        raise ValueError(f"'trusted_keys' names no key, or more than {KEYS_MAX}")
    return Pinned(
        folder=Path(section.get("folder", FOLDER)),
        keys=frozenset(check_key(key) for key in keys),
        max_age_s=_seconds(section, "max_age_s", 0, least=0),
        reload_s=_seconds(section, "reload_s", 1, least=0),
    )


def with_key(text: str, key: str) -> str:
    """The text with one more key that is trusted, everything else as it was. Raises ValueError."""
    key = check_key(key)
    if key in read(text).keys:
        return text
    changed = _KEYS_LINE.sub(lambda line: f"{line[0].rstrip()} {key}", text, count=1)
    if key not in read(changed).keys:
        raise ValueError("it has no line 'trusted_keys = ...' that a key can be added to")
    return changed


def _seconds(section: configparser.SectionProxy, name: str, default: float, *, least: float) -> float:
    try:
        value = float(section.get(name, str(default)))
    except ValueError:
        value = -1.0
    if not least <= value <= 1e9:
        raise ValueError(f"'{name}' is no number of seconds")
    return value
