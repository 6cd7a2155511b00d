"""What is wrong with a policy file, where, and how is it mended?"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import islice
from typing import TypeVar, cast

import msgspec

from rambla.domain.errors import BrokenPolicy

SHOWN_MAX = 50
COMPARED_MAX = 1000
First = TypeVar("First")
Second = TypeVar("Second")


class Place(msgspec.Struct, frozen=True, order=True):
    """`line` and `column` count from 1; 0 if the whole file is meant."""

    file: str
    line: int = 0
    column: int = 0


class Problem(msgspec.Struct, frozen=True, order=True):
    place: Place
    detail: str
    fix: str

    def __str__(self) -> str:
        place = self.place
        return f"{place.file}:{place.line}:{place.column}: {self.detail}. Fix: {self.fix}"


def broken(problems: Iterable[Problem]) -> BrokenPolicy:
    """The error that lists them, in the order of the files."""
    ordered = tuple(sorted(set(problems)))
    lines = [str(problem) for problem in ordered[:SHOWN_MAX]]
    if len(ordered) > SHOWN_MAX:
        lines.append(f"and {len(ordered) - SHOWN_MAX} more")
    return BrokenPolicy(problems="\n".join(lines), list=ordered)


def problems_of(error: BrokenPolicy) -> tuple[Problem, ...]:
    """The problems that `broken` made the error of."""
    return cast("tuple[Problem, ...]", error.facts["list"])


def together(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What both make. Raises BrokenPolicy with the problems of either, so that all are told at once."""
    try:
        made = first()
    except BrokenPolicy as error:
        raise broken([*problems_of(error), *_problems_in(second)]) from error
    return made, second()


def _problems_in(make: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        make()
    except BrokenPolicy as error:
        return problems_of(error)
    return ()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was perhaps meant, for a fix."""
    alike = (other for other in names if abs(len(other) - len(name)) <= 3)
    found = get_close_matches(name, sorted(islice(alike, COMPARED_MAX)), n=1, cutoff=0.7)
    return f"perhaps '{found[0]}' is meant" if found else None
