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
    """`number` counts the policies that have been in force, from 1."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.number = 1
        self.problems: tuple[Problem, ...] = ()

    def offer(self, make: Callable[[], Policy]) -> bool:
        """Whether what `make` makes is now in force; if not, `problems` says why."""
        try:
            policy = make()
        except BrokenPolicy as error:
            self.problems = problems_of(error)
            return False
        self.policy = policy
        self.number += 1
        self.problems = ()
        return True
