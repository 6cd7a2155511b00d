"""Why was it decided so?

Every clause up to the one that decided, with the answer of each of its parts as the interpreter finds them. And which
clauses never decided anything, over many requests.
"""

from collections.abc import Iterable, Mapping

import msgspec

from rambla.domain.access import Decision
from rambla.policy.credentials import Credentials
from rambla.policy.interpret import Asked, holds
from rambla.policy.policy import UNDECIDABLE, Policy
from rambla.policy.terms import All, Either, Not, Reference, Term


class Part(msgspec.Struct, frozen=True):
    """`answer` is None if the part could not be decided. Parts are as far as they were asked."""

    term: Term
    answer: bool | None
    parts: tuple["Part", ...] = ()


class Step(msgspec.Struct, frozen=True):
    """A clause, and what it would have decided."""

    decision: Decision
    reason: Part


class Explanation(msgspec.Struct, frozen=True):
    decision: Decision
    steps: tuple[Step, ...]


class Covered(msgspec.Struct, frozen=True):
    """How often a permission was decided by this clause, or by none of them."""

    permission: str
    decision: Decision
    times: int


def explain(policy: Policy, credentials: Credentials, permission: str, target: Mapping[str, object]) -> Explanation:
    ruling = policy.book.ruling(permission)
    asked = Asked(credentials, target, policy.book.rules, permission, policy.enforcers)
    steps = []
    for clause in ruling.clauses:
        reason = _part(clause.term, asked, ())
        steps.append(Step(clause.decision, reason))
        if reason.answer is None:
            return Explanation(UNDECIDABLE, tuple(steps))
        if reason.answer:
            return Explanation(clause.decision, tuple(steps))
    return Explanation(ruling.otherwise, tuple(steps))


def coverage(policy: Policy, requests: Iterable[tuple[Credentials, str, Mapping[str, object]]]) -> tuple[Covered, ...]:
    """All clauses of all permissions, those that never decided with 0 times."""
    times: dict[tuple[str, Decision], int] = {}
    for permission in policy.book.permissions:
        ruling = policy.book.ruling(permission)
        for decision in (*(clause.decision for clause in ruling.clauses), ruling.otherwise):
            times[permission, decision] = 0
    for credentials, permission, target in requests:
        key = permission, policy.decide(credentials, permission, target)
        times[key] = times.get(key, 0) + 1
    return tuple(Covered(permission, decision, count) for (permission, decision), count in times.items())


def _part(term: Term, asked: Asked, path: tuple[str, ...]) -> Part:
    match term:
        case Not(negated):
            inner = _part(negated, asked, path)
            return Part(term, None if inner.answer is None else not inner.answer, (inner,))
        case All(terms):
            return _row(term, terms, asked, path, settling=False)
        case Either(terms):
            return _row(term, terms, asked, path, settling=True)
        case Reference(rule) if rule not in path and (found := asked.rules.find(rule)) is not None:
            inner = _part(found, asked, (*path, rule))
            return Part(term, _answer(term, asked, path), (inner,))
    return Part(term, _answer(term, asked, path))


def _row(term: Term, terms: tuple[Term, ...], asked: Asked, path: tuple[str, ...], *, settling: bool) -> Part:
    """The parts up to the first whose answer settles the whole."""
    parts: list[Part] = []
    for each in terms:
        parts.append(_part(each, asked, path))
        if parts[-1].answer in (settling, None):
            return Part(term, parts[-1].answer, tuple(parts))
    return Part(term, not settling, tuple(parts))


def _answer(term: Term, asked: Asked, path: tuple[str, ...]) -> bool | None:
    try:
        return holds(term, asked, path)
    except Exception:
        return None
