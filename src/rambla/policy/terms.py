"""What is a condition made of?

One tree for every dialect: `oslo` and `language` parse into it; `interpret`, `compiled` and `analysis` read it. A term
is two-valued. What a dialect thinks of absent attributes it says by the terms it chooses: `Matches` and `Role` follow
oslo.policy to the letter, `Equal`, `Order` and `Contains` are false for what is absent or null.
"""

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import msgspec

Scope = Literal["system", "domain", "project"]
SCOPES: tuple[Scope, ...] = ("system", "domain", "project")
Operator = Literal["<", "<=", ">", ">="]
Scalar: TypeAlias = str | int | float | bool


class Constant(msgspec.Struct, frozen=True):
    value: bool


class Not(msgspec.Struct, frozen=True):
    term: "Term"


class All(msgspec.Struct, frozen=True):
    """Every one, asked from left to right; none at all is true."""

    terms: tuple["Term", ...]


class Either(msgspec.Struct, frozen=True):
    """At least one, asked from left to right; none at all is false."""

    terms: tuple["Term", ...]


class Reference(msgspec.Struct, frozen=True):
    """The condition of another rule, without its scopes."""

    rule: str


class Role(msgspec.Struct, frozen=True):
    """The caller holds this role, whatever its case; `%(key)s` in it is filled from the target."""

    name: str


class InScope(msgspec.Struct, frozen=True):
    """The caller's credentials are for the whole system, for a domain, or for a project."""

    scope: Scope


class Matches(msgspec.Struct, frozen=True):
    """oslo.policy's generic check `kind:match`: what `kind` names in the credentials, or is itself, equals `match`.

    Both are compared as text, `match` is filled from the target with `%`, lists in the credentials match by any item.
    """

    kind: str
    match: str


class Ask(msgspec.Struct, frozen=True):
    """An enforcer outside says yes: `where` is its URL, filled from the target with `%`, or its name."""

    where: str


class Broken(msgspec.Struct, frozen=True):
    """What cannot be decided: the whole decision is no, even beneath a `Not`."""

    reason: str


class Attribute(msgspec.Struct, frozen=True):
    """What is found in the caller's credentials or in the target by this path of names."""

    of: Literal["caller", "target"]
    path: tuple[str, ...]


Operand: TypeAlias = Attribute | Scalar


class Equal(msgspec.Struct, frozen=True):
    """Both are scalars and equal."""

    left: Operand
    right: Operand


class Order(msgspec.Struct, frozen=True):
    """A number in the credentials or the target compared with a given one."""

    left: Attribute
    operator: Operator
    right: int | float


class Contains(msgspec.Struct, frozen=True):
    """`items`, a list, has `item` in it."""

    items: Attribute
    item: Operand


class Present(msgspec.Struct, frozen=True):
    """There is such an attribute, it is not null, and it is of the kind that was asked.

    A scalar is a text, a number, true or false.
    """

    attribute: Attribute
    kind: Literal["any", "scalar", "number", "list"] = "any"


Atom: TypeAlias = Role | InScope | Matches | Ask | Equal | Order | Contains | Present
Term: TypeAlias = Constant | Not | All | Either | Reference | Broken | Atom


class Rules(msgspec.Struct, frozen=True):
    """Conditions by name; `default` names the one that stands for those that are missing, if it is there itself."""

    terms: dict[str, Term]
    default: str = ""

    def find(self, name: str) -> Term | None:
        return self.terms.get(name) or self.terms.get(self.default)


TRUE = Constant(True)
FALSE = Constant(False)


def all_of(*terms: Term) -> Term:
    """Their conjunction without a needless node around a single one."""
    return terms[0] if len(terms) == 1 else All(terms)


def either_of(*terms: Term) -> Term:
    return terms[0] if len(terms) == 1 else Either(terms)


def walk(term: Term) -> Iterator[Term]:
    """`term` and everything beneath it, references not followed."""
    todo = [term]
    while todo:
        found = todo.pop()
        yield found
        if isinstance(found, All | Either):
            todo.extend(reversed(found.terms))
        elif isinstance(found, Not):
            todo.append(found.term)


def references(term: Term) -> Iterator[str]:
    """The names of the rules that a term refers to itself."""
    return (part.rule for part in walk(term) if isinstance(part, Reference))


def rewrite(term: Term, change: Callable[[Term], Term]) -> Term:
    """`term` with every part that has no parts itself changed."""
    match term:
        case All(terms):
            return All(tuple(rewrite(each, change) for each in terms))
        case Either(terms):
            return Either(tuple(rewrite(each, change) for each in terms))
        case Not(negated):
            return Not(rewrite(negated, change))
        case _:
            return change(term)
