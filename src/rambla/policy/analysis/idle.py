"""Which clauses never decide anything?

A clause is idle for a permission if whatever meets it was decided by a clause before it, found by algebra over the
atoms. One that is idle for every permission it is written for does nothing, which is rarely what its author thought.
"""

from rambla.domain.access import Decision
from rambla.policy.analysis.diagram import FALSE, TRUE, Diagram, TooLarge
from rambla.policy.analysis.difference import every
from rambla.policy.rulings import Book


def idle(book: Book) -> tuple[Decision, ...]:
    """The decisions that no request comes to. What cannot be told exactly is left out."""
    idles: dict[Decision, bool] = {}
    for permission in every(book):
        for decision, never in _clauses(book, permission):
            idles[decision] = idles.get(decision, True) and never
    return tuple(decision for decision, never in idles.items() if never)


def _clauses(book: Book, permission: str) -> list[tuple[Decision, bool]]:
    diagram, left = Diagram(), TRUE
    found = []
    for clause in book.ruling(permission).clauses:
        try:
            holds = diagram.allowed(clause.term, book.rules)
            found.append((clause.decision, diagram.both(left, holds) == FALSE))
            left = diagram.both(left, diagram.inverse(holds))
        except TooLarge:
            return [(clause.decision, False) for clause in book.ruling(permission).clauses]
    return found
