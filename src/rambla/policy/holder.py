"""Which policy is in force?

A new one is made aside and takes over in one step; one that cannot be made leaves the last good one in force, and its
problems stay told until a good one comes. Whoever reads the bundles decides when, and does not take a missing one for
an empty one.
"""

from collections.abc import Sequence

from rambla.policy.comparison import Comparison
from rambla.policy.policy import Policy
from rambla.policy.problems import Problem


class Holder:
    """`number` is that of the bundle whose policy is in force; 0 as long as there was none. `seen` is that of the
    newest one that was looked at, and `problems` is why it is not in force, if it is not. `shadow` decides beside it,
    if somebody wants to know what another would."""

    def __init__(self, policy: Policy, number: int = 0) -> None:
        self.policy = policy
        self.number = number
        self.seen = number
        self.problems: tuple[Problem, ...] = ()
        self.shadow: Comparison | None = None

    def take(self, number: int, policy: Policy) -> None:
        """From now on this one decides; not if a newer one does already."""
        if number < self.number:
            return
        self.policy = policy
        self.number = number
        self.seen = max(self.seen, number)
        self.problems = ()

    def refuse(self, number: int, problems: Sequence[Problem]) -> None:
        """The bundle of that number is not to be in force, so the last good one stays."""
        self.seen = number
        self.problems = tuple(problems)
