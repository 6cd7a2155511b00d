"""How do people see what the agent of this host is doing?

`status.json` in its folder, written after each round in which something changed, and `rambla-policy-agent status`,
which shows it with the age of the policy as the platform's signed statement proves it.
"""

import json
import time
from pathlib import Path
from typing import Any

from rambla_openstack.agent import files
from rambla_openstack.policy.pinned import Pinned
from rambla_openstack.policy.signed import Untrusted, bundle_of, statement_of

NAME = "status.json"


def write(folder: Path, problem: str, daemons: list[dict[str, Any]]) -> None:
    """Raises OSError."""
    data = json.dumps({"problem": problem, "daemons": daemons}).encode()
    if files.read(folder / NAME) != data:
        files.put(folder / NAME, data)


def lines(pinned: Pinned) -> tuple[list[str], bool]:
    """For people, and whether all is well."""
    policy, is_known = _policy(pinned)
    try:
        document = json.loads(files.read(pinned.folder / NAME) or b"")
        daemons, problem = list(document["daemons"]), str(document["problem"])
    except (OSError, ValueError, KeyError, TypeError):
        return [policy, "the agent was never here"], False
    said = ["{daemon}: {mode}, bundle {number} {state} {detail}".format(**each).rstrip() for each in daemons]
    is_well = is_known and not problem and all(each["state"] == "in-force" for each in daemons)
    return [policy, *([problem] if problem else []), *said], is_well


def _policy(pinned: Pinned) -> tuple[str, bool]:
    """Which bundle is on this host, and how old that knowledge is."""
    try:
        data, said = files.read(pinned.folder / "bundle.json"), files.read(pinned.folder / "newest.json")
        if data is None:
            return "no policy is here", False
        bundle = bundle_of(data, pinned.keys)
        statement = statement_of(said or b"", pinned.keys)
    except (OSError, Untrusted) as error:
        return f"the policy that is here is not believed: {error}", False
    if not statement.names(bundle):
        return f"bundle {bundle.number}, and bundle {statement.number} is the newest", False
    age_s = max(0.0, time.time() - statement.at_ms / 1000)
    return f"bundle {bundle.number}, the newest {age_s:.0f} s ago", not pinned.max_age_s or age_s <= pinned.max_age_s
