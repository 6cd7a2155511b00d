"""How does an OpenStack policy read in our language?

Writes the rules in force as one layer that decides every request alike. Nothing is tightened on the way: where two
nulls are the same project for oslo.policy, the condition says `same as`, which is the place to write `==` instead.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from rambla.policy.circles import on_circles
from rambla.policy.language.conditions import parse
from rambla.policy.language.layers import NAME_CHARS_MAX, Level
from rambla.policy.language.tokens import ConditionError
from rambla.policy.language.truth import certainly
from rambla.policy.language.write import NoWords, condition
from rambla.policy.oslo.book import OsloBook
from rambla.policy.problems import Place, Problem, broken
from rambla.policy.terms import (
    FALSE,
    SCOPES,
    All,
    Constant,
    Either,
    Not,
    Reference,
    Role,
    Term,
    references,
    rewrite,
    walk,
)

_BY_HAND = "write this rule by hand"
WIDTH = 110


def convert(book: OsloBook, level: Level = "defaults") -> str:
    """The text of the layer. Raises BrokenPolicy with the rules that cannot be written."""
    rules: dict[str, Any] = {}
    problems: list[Problem] = []
    circles = _circles(book)
    for name in book.permissions:
        try:
            if name in circles:
                raise _CannotWrite("refers to itself, or to one that does")
            rules[_key(name)] = _rule(book, name)
        except _CannotWrite as error:
            rule = book.rule(name)
            place = Place(rule.layer, rule.line) if rule else Place("")
            problems.append(Problem(place, f"rule '{name}' {error}", _BY_HAND))
    if problems:
        raise broken(problems)
    if book.rules.default in rules:
        rules["*"] = _text(Reference(book.rules.default))
    roles = dict.fromkeys(sorted(_roles(book)))
    document = {"layer": level, "roles": roles, "rules": rules}
    return yaml.safe_dump(document, sort_keys=False, width=WIDTH, allow_unicode=True)


class _CannotWrite(Exception):
    pass


def _rule(book: OsloBook, name: str) -> str | dict[str, Any]:
    if any(char.isspace() and char != " " for char in name) or len(name) > NAME_CHARS_MAX - 1:
        raise _CannotWrite("has a name that is too long, or has a line break in it")
    allow = _text(rewrite(book.rules.terms[name], lambda part: _known(book, part)))
    scopes = book.scopes(name)
    if not scopes:
        return allow
    if not set(scopes) <= set(SCOPES):
        raise _CannotWrite(f"is for scopes that nobody has: {', '.join(scopes)}")
    return {"scope": [scope for scope in SCOPES if scope in scopes], "allow": allow}


def _key(name: str) -> str:
    """The name of a rule, said so that it is no pattern."""
    return f"={name}" if "*" in name or name.startswith("=") else name


def _known(book: OsloBook, part: Term) -> Term:
    """A reference to a rule that is missing, said outright."""
    if not isinstance(part, Reference):
        return part
    if part.rule in book.rules.terms:
        return Reference(_key(part.rule))
    return Reference(book.rules.default) if book.rules.default in book.rules.terms else FALSE


def _text(term: Term) -> str:
    """Read again before it is trusted."""
    try:
        text = condition(term)
        read = parse(text).certain
    except NoWords:
        raise _CannotWrite("has a part that the language has no words for") from None
    except ConditionError as error:
        raise _CannotWrite(f"cannot be written: {error.detail}") from None
    if _parts(read) != _parts(term):
        raise _CannotWrite("cannot be written so that it reads the same")
    return text


def _parts(term: Term) -> list[Term]:
    """What a term is made of; of a rule that is referred to, certain and possible are one here, as both are known."""
    parts = [part for part in walk(term) if not isinstance(part, All | Either | Not | Constant)]
    return [Reference(certainly(part.rule)) if isinstance(part, Reference) else part for part in parts]


def _circles(book: OsloBook) -> frozenset[str]:
    edges = {}
    for name, term in book.rules.terms.items():
        edges[name] = {part if part in book.rules.terms else book.rules.default for part in references(term)}
    return on_circles(edges)


def _roles(book: OsloBook) -> Iterator[str]:
    for term in book.rules.terms.values():
        yield from (part.name.lower() for part in walk(term) if isinstance(part, Role) and "%" not in part.name)
