"""How is one permission decided?

A ruling is a list of clauses: the first whose term holds gives its decision, and if none does, `otherwise` stands.
Every dialect writes its rules as rulings, so that compiling and analysis know nothing of dialects. Nor do they of
depth: what nests too deeply is refused here, before anything walks it.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from rambla.domain.access import Decision
from rambla.policy.terms import All, Either, Not, Reference, Rules, Term, all_of, either_of

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

    def ruling(self, permission: str) -> Ruling:
        """How any permission is decided, named or not."""
        ...


class TooDeep(Exception):
    """Terms nest deeper than `DEPTH_MAX`."""


def allowing(ruling: Ruling) -> Term:
    """The term that holds whenever the ruling allows."""
    term: Term | None = None
    allowed_otherwise = ruling.otherwise.allowed
    for clause in reversed(ruling.clauses):
        if term is None and clause.decision.allowed is allowed_otherwise:
            continue
        if clause.decision.allowed:
            term = clause.term if term is None else either_of(clause.term, term)
        else:
            term = Not(clause.term) if term is None else all_of(Not(clause.term), term)
    return term or (All(()) if allowed_otherwise else Either(()))


def refuse_depth(rules: Rules, terms: Iterable[Term]) -> None:
    """Raises TooDeep. References that lead back to themselves end there and are no matter of depth."""
    heights: dict[str, int] = {}
    for term in terms:
        _height(term, rules, heights, ())


def _height(term: Term, rules: Rules, heights: dict[str, int], path: tuple[str, ...], depth: int = 0) -> int:
    if depth > DEPTH_MAX:
        raise TooDeep
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
        raise TooDeep
    return height + 1
