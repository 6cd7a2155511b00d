"""Does a term hold? The plain reading.

Walks the tree as it is written, in the order it is written. Slow and obvious: the reference that `compiled` is tested
against, and what `explain` uses to say how each part was decided.
"""

from collections.abc import Mapping

import msgspec

from rambla.domain.access import Unanswered
from rambla.policy import attributes, generic
from rambla.policy.credentials import Credentials
from rambla.policy.generic import Undecidable
from rambla.policy.ports import NOBODY, Enforcers, Question
from rambla.policy.terms import (
    All,
    Ask,
    Atom,
    Broken,
    Constant,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Not,
    Order,
    Present,
    Reference,
    Role,
    Rules,
    Term,
)


class Asked(msgspec.Struct, frozen=True):
    """Who asks for what, and among which rules references are looked up."""

    credentials: Credentials
    target: Mapping[str, object]
    rules: Rules
    permission: str = ""
    enforcers: Enforcers = NOBODY


def holds(term: Term, asked: Asked, path: tuple[str, ...] = ()) -> bool:
    """Raises Undecidable, or what oslo.policy would raise, when the whole decision has to be no.

    `path` names the references that led here.
    """
    match term:
        case Constant(value):
            return value
        case Not(negated):
            return not holds(negated, asked, path)
        case All(terms):
            return all(holds(each, asked, path) for each in terms)
        case Either(terms):
            return any(holds(each, asked, path) for each in terms)
        case Reference(rule):
            return _referred(rule, asked, path)
        case Broken(reason):
            raise Undecidable(reason)
        case _:
            return atom_holds(term, asked)


def _referred(rule: str, asked: Asked, path: tuple[str, ...]) -> bool:
    if rule in path:
        raise Undecidable(f"rule '{rule}' refers to itself")
    found = asked.rules.find(rule)
    try:
        return found is not None and holds(found, asked, (*path, rule))
    except KeyError:
        return False  # as oslo.policy does, which takes it for a missing rule


def atom_holds(atom: Atom, asked: Asked) -> bool:
    caller, target = asked.credentials.values, asked.target
    match atom:
        case Role(name):
            return _has_role(name, asked)
        case InScope(scope):
            return asked.credentials.scope == scope
        case Matches(kind, match):
            return matches(kind, match, caller, target)
        case Ask(where):
            question = Question(generic.fill(where, target), asked.permission, caller, target)
            return answer_of(asked.enforcers, question, asked.credentials.answers)
        case Equal():
            return attributes.equal(atom, caller, target)
        case Order():
            return attributes.order(atom, caller, target)
        case Contains():
            return attributes.contains(atom, caller, target)
        case Present():
            return attributes.present(atom, caller, target)


def _has_role(name: str, asked: Asked) -> bool:
    try:
        wanted = generic.fill(name, asked.target).lower()
    except KeyError:
        return False
    if asked.credentials.roles is None:
        raise Undecidable("the caller's roles are no list of names")
    return wanted in asked.credentials.roles


def answer_of(enforcers: Enforcers, question: Question, answers: Mapping[str, bool]) -> bool:
    """Raises Unanswered if somebody has to be asked first, Undecidable if there is no answer, for whatever reason."""
    if question.where in answers:
        return answers[question.where]
    try:
        return enforcers.says_yes(question) is True
    except Unanswered:
        raise
    except Exception as error:
        raise Undecidable(f"no answer from '{question.where}'") from error


def matches(kind: str, match: str, caller: Mapping[str, object], target: Mapping[str, object]) -> bool:
    """oslo.policy's generic check."""
    try:
        wanted = generic.fill(match, target)
    except KeyError:
        return False
    return generic.left_is(generic.left(kind), kind, wanted, caller)
