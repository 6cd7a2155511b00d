"""Which policy is in force?

A new one is made aside and takes over in one step; one that cannot be made leaves the last good one in force, and its
problems stay told until a good one comes. Whoever reads the files decides when, and does not take a missing file for
an empty one.
"""

from collections.abc import Callable

from rambla.domain.errors import BrokenPolicy
from rambla.policy.policy import Policy
from rambla.policy.problems import Problem, problems_of


class Holder:
    """`number` is that of the bundle whose policy is in force; 0 as long as there was none."""

    def __init__(self, policy: Policy, number: int = 0) -> None:
        self.policy = policy
        self.number = number
        self.problems: tuple[Problem, ...] = ()

    def offer(self, number: int, make: Callable[[], Policy]) -> bool:
        """Whether what `make` makes, of the bundle of that number, is now in force; if not, `problems` says why."""
        try:
            policy = make()
        except BrokenPolicy as error:
            self.problems = problems_of(error)
            return False
        self.policy = policy
        self.number = number
        self.problems = ()
        return True
