"""Which files must a daemon have, that the policy of this bundle is in force in it?

With mode `files` those of the bundle, with `plugin` a rule `rambla:SERVICE/RULE` for each of the service's rules, with
`ask` the platform's address for each. Pure.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from rambla_openstack.agent.settings import DaemonSettings
from rambla_openstack.policy.services import ServiceFiles, names_of

EMPTY = b"{}\n"
_WORD = re.compile(r"[^\s()\"']+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The texts of the policy file and, by name, of the policy directory."""

    policy: bytes
    directory: dict[str, bytes]

    @property
    def digest(self) -> str:
        """Of all that is in them."""
        parts = [self.policy.hex(), sorted((name, text.hex()) for name, text in self.directory.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def wanted(files: ServiceFiles, daemon: DaemonSettings) -> Wanted:
    """Raises Untrusted if the service's rules cannot be read."""
    if daemon.mode == "files":
        return Wanted(files.policy.encode() or EMPTY, {name: text.encode() for name, text in files.directory})
    rules = {name: _check(name, daemon) for name in names_of(files)}
    return Wanted((json.dumps(rules, indent=0) + "\n").encode(), {})  # JSON is YAML, and every name is quoted rightly


def _check(rule: str, daemon: DaemonSettings) -> str:
    """The rule is named, as some daemons decide rules without telling a check which one it is."""
    if daemon.mode == "ask":
        return daemon.ask_url.replace("%", "%%")  # oslo.policy fills in what follows a per cent sign
    return f"rambla:{daemon.service}/{rule}" if _WORD.fullmatch(rule) else f"rambla:{daemon.service}"
