"""Which namespaces may log in to the embedded Swift?

`UserFile` writes the file that `rambla_openstack.auth` reads: a user `namespace:namespace` with the namespace's secret
for each, and the platform's own user, who may act in every account.
"""

from pathlib import Path
from typing import Any

import msgspec

from rambla.drivers.swift.names import account_of
from rambla.kit.files import write_durably

PLATFORM_USER = ".rambla:platform"
"""No namespace's name begins with a full stop, so this is nobody else."""


class UserFile:
    def __init__(self, path: Path, platform_key: str) -> None:
        self._path = path
        self._set(PLATFORM_USER, {"key": platform_key, "groups": [".reseller_admin"]})

    def put(self, namespace: str, secret: str) -> None:
        account_of(namespace)
        self._set(f"{namespace}:{namespace}", {"key": secret, "groups": [".admin"]})

    def remove(self, namespace: str) -> None:
        self._set(f"{namespace}:{namespace}", None)

    def _set(self, name: str, user: dict[str, Any] | None) -> None:
        try:
            users = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            users = {}
        changed = {key: value for key, value in users.items() if key != name} | ({name: user} if user else {})
        if changed != users:
            write_durably(self._path, msgspec.json.encode(changed))
