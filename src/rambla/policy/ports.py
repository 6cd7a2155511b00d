"""Who else is asked?

The port for whatever decides outside of the policy's text: a web service that oslo.policy's `http:` names, a directory,
a database.
"""

from collections.abc import Collection
from typing import Protocol

from rambla.domain.access import Question as Question  # what `says_yes` takes


class Enforcers(Protocol):
    """Those that may be asked."""

    def says_yes(self, question: Question) -> bool:
        """Whether the one named allows it, within a time that the implementation bounds.

        Any exception, also for one that is not known, makes the whole decision no; Unanswered lets whoever decides ask
        first and decide again. The implementation caches answers and does not retry; it may be called from several
        threads at once.
        """
        ...

    @property
    def names(self) -> Collection[str]:
        """Those that a rule may ask by name."""
        ...


class Nobody:
    """Nobody may be asked: every question fails."""

    names: Collection[str] = ()

    def says_yes(self, question: Question) -> bool:
        raise LookupError(f"there is no enforcer '{question.where}'")


NOBODY = Nobody()
