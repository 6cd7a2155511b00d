"""How sure is a condition of what it says?

What is absent or null makes a comparison unknown, not false. So a condition is a pair of terms: `certain` holds when it
is true whatever the unknown may be, `possible` when it might be. `allow` asks for the first, `deny` and `not` for the
second, and a missing attribute never opens a door (Kleene's three-valued logic).
"""

import msgspec

from rambla.policy.terms import (
    All,
    Attribute,
    Constant,
    Contains,
    Equal,
    Not,
    Operand,
    Order,
    Present,
    Reference,
    Term,
    all_of,
    either_of,
)

_POSSIBLY = "\n(possibly)"  # no name has a line break in it


class Truth(msgspec.Struct, frozen=True):
    certain: Term
    possible: Term


def known(term: Term) -> Truth:
    """What is never unknown, such as whether the caller holds a role."""
    return Truth(term, term)


NEVER = known(Constant(False))
ALWAYS = known(Constant(True))


def negation(truth: Truth) -> Truth:
    return Truth(Not(truth.possible), Not(truth.certain))


def conjunction(*truths: Truth) -> Truth:
    return Truth(all_of(*[each.certain for each in truths]), all_of(*[each.possible for each in truths]))


def disjunction(*truths: Truth) -> Truth:
    if not truths:
        return NEVER
    return Truth(either_of(*[each.certain for each in truths]), either_of(*[each.possible for each in truths]))


def equality(left: Operand, right: Operand) -> Truth:
    return _unless_absent(Equal(left, right), _absent(left), _absent(right))


def order(term: Order) -> Truth:
    return _unless_absent(term, [Not(Present(term.left, "number"))])


def membership(item: Operand, items: Attribute) -> Truth:
    return _unless_absent(Contains(items, item), [Not(Present(items, "list"))], _absent(item))


def reference(rule: str) -> Truth:
    return Truth(Reference(rule), Reference(possibly(rule)))


def possibly(rule: str) -> str:
    """The name under which the `possible` side of a rule is looked up."""
    return rule + _POSSIBLY


def certainly(rule: str) -> str:
    """The name of the rule itself, of either side."""
    return rule.removesuffix(_POSSIBLY)


def _absent(operand: Operand) -> list[Term]:
    return [Not(Present(operand, "scalar"))] if isinstance(operand, Attribute) else []


def _unless_absent(term: Term, *absences: list[Term]) -> Truth:
    return Truth(term, either_of(term, *[each for absence in absences for each in absence]))


def decided(allow: Truth, deny: Truth) -> Truth:
    """Allowed and not denied."""
    if deny == NEVER:
        return allow
    return Truth(All((allow.certain, Not(deny.possible))), All((allow.possible, Not(deny.certain))))
