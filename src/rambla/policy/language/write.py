"""How is a term of oslo.policy written as a condition?

So that reading the condition gives the very same term. What the language has no words for becomes `check "..."`.
"""

import re

from rambla.policy import generic
from rambla.policy.language.conditions import KEYWORDS, scalar
from rambla.policy.language.tokens import quoted
from rambla.policy.terms import All, Ask, Constant, Either, Matches, Not, Reference, Role, Term

_WORD = re.compile(r"[^\s\"'()\[\],<>=!]+")
_ROLE = re.compile(r"[A-Za-z_][\w-]*")
_SEGMENT = re.compile(r"[\w-]+")


class NoWords(Exception):
    """There is no way to write this term."""


def condition(term: Term) -> str:
    """Raises NoWords."""
    return _either(term)


def _either(term: Term) -> str:
    if isinstance(term, Either) and term.terms:
        return " or ".join(_not(each) for each in term.terms) if len(term.terms) > 1 else _either(term.terms[0])
    return _all(term)


def _all(term: Term) -> str:
    if isinstance(term, All) and term.terms:
        return " and ".join(_not(each) for each in term.terms) if len(term.terms) > 1 else _all(term.terms[0])
    return _not(term)


def _not(term: Term) -> str:
    match term:
        case Not(negated):
            return f"not {_not(negated)}"
        case All((_, *_)) | Either((_, *_)):
            return f"({_either(term)})"
        case Constant(True) | All():
            return "everybody"
        case Constant() | Either():
            return "nobody"
        case Reference(rule):
            return f"rule {_name(rule)}"
        case Role(name):
            return _role(name)
        case Ask(where):
            return f"ask {_name(where)}"
        case Matches(kind, match):
            return _matches(kind, match)
    raise NoWords


def _name(name: str) -> str:
    return name if _WORD.fullmatch(name) else quoted(name)


def _role(name: str) -> str:
    if "%" in name:
        return _check(f"role:{name}")
    return name if _ROLE.fullmatch(name) and name not in KEYWORDS and scalar(name) is None else f"role {quoted(name)}"


def _matches(kind: str, match: str) -> str:
    left, key = generic.left(kind), generic.single_key(match)
    right = f"target.{key}" if key and _is_path(key.split(".")) else None
    if isinstance(left, generic.Path) and _is_path(list(left.segments)):
        if right is None and "%" not in match:
            right = quoted(match)
        if right:
            return f"caller.{kind} same as {right}"
    if isinstance(left, generic.Literal) and kind == repr(left.text) and right:
        return f"{quoted(left.text)} same as {right}"
    return _check(f"{kind}:{match}")


def _is_path(segments: list[str]) -> bool:
    return all(_SEGMENT.fullmatch(segment) for segment in segments)


def _check(text: str) -> str:
    if text.split() != [text] or text[0] == "(" or text[-1] == ")":
        raise NoWords
    return f"check {quoted(text)}"
