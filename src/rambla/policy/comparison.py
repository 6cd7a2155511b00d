"""What does another policy decide otherwise?

It is told of decisions that were made, makes its own, and keeps the differences: sums by who asked for what, and the
newest one by one. It keeps no name of a target, as whoever reads this need not see into namespaces. What it holds is
bounded; what is beyond is counted.
"""

from collections import deque
from collections.abc import Mapping

import msgspec

from rambla.domain.access import Caller, Decision, Target
from rambla.policy.defaults import attributes, credentials
from rambla.policy.policy import Policy

GROUPS_MAX = 1000
RECENT_MAX = 100


class Otherwise(msgspec.Struct, frozen=True):
    """`was` and `now` name the rules that decide; `allowed` says whether the other policy allows it, which the one in
    force does not, or the opposite."""

    permission: str
    subject: str
    source: str
    roles: tuple[str, ...]
    namespace: str
    was: str
    now: str
    allowed: bool


class Comparison:
    """`asked` decisions so far, of which `differing` would be others; `uncounted` of these fit into no sum."""

    def __init__(self, policy: Policy, name: str, since_ms: int) -> None:
        self.name = name
        self.since_ms = since_ms
        self.asked = 0
        self.differing = 0
        self.uncounted = 0
        self.recent: deque[tuple[int, Otherwise]] = deque(maxlen=RECENT_MAX)
        self._policy = policy
        self._times: dict[Otherwise, int] = {}

    @property
    def times(self) -> Mapping[Otherwise, int]:
        """How often each difference was met."""
        return self._times

    def see(self, at_ms: int, caller: Caller, permission: str, target: Target, made: Decision) -> None:
        self.asked += 1
        now = self._policy.decide(credentials(caller), permission, attributes(target))
        if now.allowed is made.allowed:
            return
        self.differing += 1
        found = Otherwise(
            permission, caller.subject, caller.source, caller.roles, target.namespace, made.name, now.name, now.allowed
        )
        self.recent.append((at_ms, found))
        if found in self._times or len(self._times) < GROUPS_MAX:
            self._times[found] = self._times.get(found, 0) + 1
        else:
            self.uncounted += 1
