"""Who else is asked?

The port for whatever decides outside of the policy's text: a web service that oslo.policy's `http:` names, a directory,
a database.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Question(msgspec.Struct, frozen=True):
    """`where` is a URL or an enforcer's name; `permission` is what was asked for in the first place."""

    where: str
    permission: str
    credentials: Mapping[str, object]
    target: Mapping[str, object]


class Enforcers(Protocol):
    """Those that may be asked."""

    def says_yes(self, question: Question) -> bool:
        """Whether the one named allows it, within a time that the implementation bounds.

        Any exception, also for one that is not known, makes the whole decision no. The implementation caches answers
        and does not retry; it may be called from several threads at once.
        """
        ...


class Nobody:
    """Nobody may be asked: every question fails."""

    def says_yes(self, question: Question) -> bool:
        raise LookupError(f"there is no enforcer '{question.where}'")


NOBODY = Nobody()
