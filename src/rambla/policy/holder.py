"""Which policy is in force?

A new one is made aside and takes over in one step; one that cannot be made leaves the last good one in force, and its
problems stay told until a good one comes. Whoever reads the bundles decides when, and does not take a missing one for
an empty one.
"""

from collections.abc import Sequence

from rambla.policy.comparison import Comparison
from rambla.policy.policies import InForce
from rambla.policy.policy import Policy
from rambla.policy.problems import Problem


class Holder:
    """`seen` is the number of the newest bundle that was looked at, and `problems` is why it is not in force, if it is
    not; `looked_ms` is when the store was last asked for it. `shadow` decides beside the platform's own policy, if
    somebody wants to know what another would."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        self.seen = in_force.number
        self.looked_ms = 0
        self.problems: tuple[Problem, ...] = ()
        self.shadow: Comparison | None = None

    @property
    def policy(self) -> Policy:
        """The platform's own."""
        return self.in_force.policies.own

    @property
    def number(self) -> int:
        """That of the bundle in force; 0 as long as there was none."""
        return self.in_force.number

    def take(self, newer: InForce) -> None:
        """From now on this one decides; not if a newer one does already."""
        if newer.number < self.number:
            return
        self.in_force = newer
        self.seen = max(self.seen, newer.number)
        self.problems = ()

    def refuse(self, number: int, problems: Sequence[Problem]) -> None:
        """The bundle of that number is not to be in force, so the last good one stays."""
        self.seen = number
        self.problems = tuple(problems)
