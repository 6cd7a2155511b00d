"""Which decisions does a change of the policy change?

All of them: the set is found by algebra over the atoms, not by trying requests. For every permission it is a list of
cases that exclude each other, each with an example that meets it. What cannot be told exactly says so. Credentials
that cannot be read (roles that are no list, a path through what has no parts) are left out: oslo.policy raises there.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from rambla.policy.analysis import examples
from rambla.policy.analysis.diagram import FALSE, Cube, Diagram, Node, TooLarge
from rambla.policy.analysis.equalities import simplified
from rambla.policy.analysis.examples import Example
from rambla.policy.rulings import Book, allowing

CASES_MAX = 1000
ANY_OTHER = "(any other)"


class Case(msgspec.Struct, frozen=True):
    """Requests for which all these atoms are as said, whatever the others are."""

    cube: Cube
    example: Example | None


class Change(msgspec.Struct, frozen=True):
    """`exact` is False if there are more cases than are listed, or if nobody knows whether a listed one can happen."""

    permission: str
    gained: tuple[Case, ...]
    lost: tuple[Case, ...]
    exact: bool = True


def diff(old: Book, new: Book, more: Iterable[str] = ()) -> Iterator[Change]:
    """The changes, permission by permission, `more` being some that only patterns mean; nothing for those that stay as
    they are."""
    for permission in dict.fromkeys((*every(old, new), *sorted(more))):
        if change := changed(old, new, permission):
            yield change


def every(*books: Book) -> tuple[str, ...]:
    """All permissions that the books decide differently from each other, each pattern's others being one of them."""
    named = [permission for book in books for permission in book.permissions]
    others = [pattern[:-1] + ANY_OTHER for book in books for pattern in book.patterns]
    return tuple(dict.fromkeys((*named, *others, ANY_OTHER)))


def changed(old: Book, new: Book, permission: str) -> Change | None:
    """What changes for one permission, or None."""
    diagram = Diagram()
    try:
        before = diagram.allowed(allowing(old.ruling(permission)), old.rules)
        after = diagram.allowed(allowing(new.ruling(permission)), new.rules)
        gained = diagram.both(after, diagram.inverse(before))
        lost = diagram.both(before, diagram.inverse(after))
    except TooLarge:
        return Change(permission, (), (), exact=False)
    more, more_exact = cases(diagram, gained)
    less, less_exact = cases(diagram, lost)
    if not more and not less and more_exact and less_exact:
        return None
    return Change(permission, more, less, exact=more_exact and less_exact)


def cases(diagram: Diagram, node: Node) -> tuple[tuple[Case, ...], bool]:
    """The cases of a node that can happen, and whether that is all of them."""
    if node == FALSE:
        return (), True
    found: list[Case] = []
    exact = True
    for number, cube in enumerate(islice(diagram.cubes(node), CASES_MAX + 1)):
        if number == CASES_MAX:
            return tuple(found), False
        try:
            cube = simplified(cube)
            found.append(Case(cube, examples.find(cube)))
        except examples.Impossible:
            continue
        except examples.Unknown:
            found.append(Case(cube, None))
            exact = False
    return tuple(found), exact
