"""How is one permission decided?

A ruling is a list of clauses: the first whose term holds gives its decision, and if none does, `otherwise` stands.
Every dialect writes its rules as rulings, so that compiling and analysis know nothing of dialects. Nor do they of
depth: what nests too deeply is refused here, before anything walks it.
"""

from itertools import groupby
from typing import Protocol

import msgspec

from rambla.domain.access import Decision
from rambla.policy.problems import Place, Problem, broken
from rambla.policy.terms import All, Constant, Either, Not, Reference, Rules, Term

DEPTH_MAX = 100


class Clause(msgspec.Struct, frozen=True):
    term: Term
    decision: Decision


class Ruling(msgspec.Struct, frozen=True):
    clauses: tuple[Clause, ...]
    otherwise: Decision


class Book(Protocol):
    """All the rules of one policy, whatever the dialect."""

    rules: Rules
    """What references in the terms of its rulings are looked up in."""

    permissions: tuple[str, ...]
    """The permissions it names one by one, without those it only means by a pattern."""

    patterns: tuple[str, ...]
    """The patterns `resource:*` that mean more than the permissions it names."""

    def ruling(self, permission: str) -> Ruling:
        """How any permission is decided, named or not."""
        ...


class _TooDeep(Exception):
    pass


def allowing(ruling: Ruling) -> Term:
    """The term that holds whenever the ruling allows. Clauses in a row that decide alike share one node."""
    term: Term = Constant(ruling.otherwise.allowed)
    for allowed, clauses in groupby(reversed(ruling.clauses), key=lambda clause: clause.decision.allowed):
        terms = tuple(clause.term for clause in clauses)[::-1]
        term = Either((*terms, term)) if allowed else All((*map(Not, terms), term))
    return term


def refuse_depth(book: Book) -> None:
    """Raises BrokenPolicy. References that lead back to themselves end there and are no matter of depth."""
    heights: dict[str, int] = {}
    problems = []
    for permission in book.permissions:
        ruling = book.ruling(permission)
        try:
            for clause in ruling.clauses:
                _height(clause.term, book.rules, heights, ())
        except _TooDeep:
            place = Place(ruling.otherwise.layer, ruling.otherwise.line)
            detail = f"with all it refers to, '{permission}' nests deeper than {DEPTH_MAX} levels"
            problems.append(Problem(place, detail, "refer to fewer rules in a row"))
    if problems:
        raise broken(problems)


def _height(term: Term, rules: Rules, heights: dict[str, int], path: tuple[str, ...], depth: int = 0) -> int:
    if depth > DEPTH_MAX:
        raise _TooDeep
    match term:
        case All(terms) | Either(terms):
            height = max((_height(each, rules, heights, path, depth + 1) for each in terms), default=0)
        case Not(negated):
            height = _height(negated, rules, heights, path, depth + 1)
        case Reference(rule) if rule not in path:
            if rule not in heights:
                found = rules.find(rule)
                heights[rule] = 0 if found is None else _height(found, rules, heights, (*path, rule), depth + 1)
            height = heights[rule]
        case _:
            height = 0
    if depth + height + 1 > DEPTH_MAX:
        raise _TooDeep
    return height + 1
