"""Which technology stands behind which port?

The one table of drivers: port and kind to the dotted path of what opens it. A driver is imported only when it is
chosen, so that an extra nobody uses need not be installed. Enforcers may come from elsewhere too: by the entry points
`rambla.enforcers`, which shadow none of the table.
"""

import importlib
from importlib.metadata import entry_points
from typing import Any

from rambla.domain.errors import BadSettings

OPENERS = {
    ("catalog", "sqlite"): "rambla.drivers.sql.opening:open_catalog",
    ("catalog", "postgresql"): "rambla.drivers.sql.opening:open_catalog",
    ("index", "sqlite"): "rambla.drivers.sql.opening:open_index",
    ("index", "postgresql"): "rambla.drivers.sql.opening:open_index",
    ("last_bundle", "file"): "rambla.drivers.files.last_bundle:FileLastBundle",
    ("signer", "ed25519"): "rambla.drivers.ed25519.signer:FileSigner",
    ("engine", "none"): "rambla.drivers.memory.engine:MemoryEngine",
    ("engine", "podman"): "rambla.drivers.podman.engine:open_for_folder",
    ("enforcer", "http"): "rambla.drivers.http.enforcer:open_enforcer",
    ("enforcer", "https"): "rambla.drivers.http.enforcer:open_enforcer",
    ("enforcer", "opa+http"): "rambla.drivers.http.opa:open_enforcer",
    ("enforcer", "opa+https"): "rambla.drivers.http.opa:open_enforcer",
    ("enforcer", "ldap"): "rambla.drivers.ldap.enforcer:open_enforcer",
    ("enforcer", "ldaps"): "rambla.drivers.ldap.enforcer:open_enforcer",
    ("enforcer", "postgresql"): "rambla.drivers.sql.enforcer:open_enforcer",
    ("enforcer", "sqlite"): "rambla.drivers.sql.enforcer:open_enforcer",
    ("identity", "keystone"): "rambla.drivers.keystone.source:open_source",
    ("identity", "certificate"): "rambla.drivers.x509.source:open_source",
    ("identity", "oidc"): "rambla.drivers.oidc.source:open_source",
    ("identity", "local"): "rambla.drivers.local.source:open_source",
    ("origin", "http"): "rambla.drivers.http.enforcer:open_origin",
    ("identity", "ldap"): "rambla.drivers.ldap.source:open_source",
    ("identity", "radius"): "rambla.drivers.radius.source:open_source",
    ("objects", "swift"): "rambla.drivers.swift.embedded:open_embedded",
}


def opener(port: str, kind: str) -> Any:
    """What opens the driver of that kind. Raises BadSettings when there is none or its extra is not installed."""
    path = OPENERS.get((port, kind)) or _elsewhere(port).get(kind)
    if path is None:
        kinds = {kind for known_port, kind in OPENERS if known_port == port} | _elsewhere(port).keys()
        known = ", ".join(sorted(kinds))
        raise BadSettings(name=port, detail=f"'{kind}' is not known; there are: {known}")
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise BadSettings(
            name=port, detail=f"'{kind}' cannot be loaded: {error}. Fix: pip install 'rambla[{kind}]'"
        ) from error


def _elsewhere(port: str) -> dict[str, str]:
    """By kind, what other installed packages offer."""
    return {entry.name: entry.value for entry in entry_points(group=f"rambla.{port}s")} if port == "enforcer" else {}
