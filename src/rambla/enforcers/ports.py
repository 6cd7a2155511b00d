"""What does one who is asked promise?"""

from collections.abc import Hashable
from typing import Protocol

from rambla.domain.access import Question


class Enforcer(Protocol):
    """Whoever calls remembers answers, bounds the time by cancelling, and asks the same wording once at a time."""

    def wording(self, question: Question, argument: str) -> Hashable:
        """All of the question that the answer hangs on, bounded in size; questions with the same wording are one.

        `argument` is what a rule writes behind the enforcer's name. Does no I/O. Raises NoAnswer for what cannot be
        asked, such as a name that is too long.
        """
        ...

    async def says_yes(self, wording: Hashable) -> bool:
        """What the one outside answers; may be called many times at once.

        Raises EnforcerAway if it cannot be reached, so that nobody else waits for it either, and NoAnswer if its answer
        is none: malformed, oversized, a redirect. Neither holds a secret. When cancelled, it lets go of what it holds.
        """
        ...

    async def close(self) -> None: ...
