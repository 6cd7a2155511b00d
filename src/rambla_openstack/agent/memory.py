"""What does an agent remember when it starts again?

`agent.json` in its folder, replaced whole: the highest bundle it had, and for each daemon what it has written. It is on
disk before the first file that it tells of.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

from rambla_openstack.agent import files

NAME = "agent.json"


@dataclass(slots=True)
class Applied:
    """`digest` is of the files that are in force, by whose change `number` and `hash` are those of a bundle. `written`
    are the names in the policy directory that are the agent's own, `time_ns` the latest time it gave a file."""

    number: int = 0
    hash: str = ""
    digest: str = ""
    written: list[str] = field(default_factory=list)
    time_ns: int = 0


class Memory:
    def __init__(self, path: Path) -> None:
        """What cannot be read is as nothing: every file is compared with the bundle anyway."""
        self._path, self._saving = path, Lock()
        self.highest = 0
        self.daemons: dict[str, Applied] = {}
        try:
            document = json.loads(files.read(path) or b"{}")
            self.highest = int(document.get("highest", 0))
            self.daemons = {name: Applied(**each) for name, each in document.get("daemons", {}).items()}
        except (ValueError, TypeError, AttributeError, OSError):
            self.daemons = {}

    def of(self, daemon: str) -> Applied:
        return self.daemons.setdefault(daemon, Applied())

    def save(self) -> None:
        """Durable on return. Raises OSError. Several daemons may be at it."""
        with self._saving:
            daemons = {name: asdict(each) for name, each in self.daemons.items()}
            document = {"highest": self.highest, "daemons": daemons}
            files.put(self._path, json.dumps(document).encode(), mode=0o600)
