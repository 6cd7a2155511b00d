"""Who may do this to that, and what may this person do?

Reverse questions, answered from the terms and not by trying people or things: as cases that exclude each other, each
with an example.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from rambla.policy.analysis import known
from rambla.policy.analysis.diagram import FALSE, TRUE, Diagram, TooLarge
from rambla.policy.analysis.difference import Case, cases, every
from rambla.policy.credentials import Credentials
from rambla.policy.rulings import Book, allowing
from rambla.policy.terms import Rules, Term


class Answer(msgspec.Struct, frozen=True):
    """`always` needs no cases; neither `always` nor cases is never. `exact` is False if there are more than listed."""

    permission: str
    always: bool
    cases: tuple[Case, ...] = ()
    exact: bool = True


def who_can(book: Book, permission: str, target: Mapping[str, object]) -> Answer:
    """Whoever may do it to this target: cases of callers."""
    term = known.with_target(allowing(book.ruling(permission)), target)
    return _answer(permission, term, known.all_rules(book.rules, lambda each: known.with_target(each, target)))


def what_can(book: Book, credentials: Credentials, more: Iterable[str] = ()) -> Iterator[Answer]:
    """What this caller may do, permission by permission: cases of targets; nothing for those that are never. `more` are
    permissions that only patterns mean."""
    rules = known.all_rules(book.rules, lambda each: known.with_caller(each, credentials))
    for permission in dict.fromkeys((*every(book), *sorted(more))):
        answer = _answer(permission, known.with_caller(allowing(book.ruling(permission)), credentials), rules)
        if answer.always or answer.cases or not answer.exact:
            yield answer


def _answer(permission: str, term: Term, rules: Rules) -> Answer:
    diagram = Diagram()
    try:
        node = diagram.allowed(term, rules)
    except TooLarge:
        return Answer(permission, always=False, exact=False)
    if node in (TRUE, FALSE):
        return Answer(permission, always=node == TRUE)
    found, exact = cases(diagram, node)
    return Answer(permission, always=False, cases=found, exact=exact)
