"""How are a case and an explanation told to people?

In the words of the readable language where it has them. For eyes: nothing reads this again.
"""

import json
from collections.abc import Iterator

from rambla.domain.access import Decision
from rambla.policy.analysis.diagram import Cube
from rambla.policy.analysis.explain import Explanation, Part
from rambla.policy.language.stack import DEFAULT_DENY
from rambla.policy.language.truth import certainly
from rambla.policy.language.write import NoWords, condition
from rambla.policy.terms import (
    All,
    Attribute,
    Broken,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Not,
    Operand,
    Order,
    Present,
    Reference,
    Term,
)

_ANSWERS = {True: "yes", False: "no", None: "undecidable"}
_KINDS = {"any": "exists", "scalar": "is a single value", "number": "is a number", "list": "is a list"}


def case(cube: Cube) -> str:
    """The atoms of a case, joined by `and`."""
    said = [term(atom) if value else f"not {term(atom)}" for atom, value in cube]
    return " and ".join(said) or "everybody"


def explanation(told: Explanation) -> str:
    """A line for every part of every clause that was asked, and the decision at the end."""
    lines = []
    for step in told.steps:
        lines.append(f"{decision(step.decision)} if")
        lines += [f"  {line}" for line in _part(step.reason)]
    return "\n".join([*lines, f"so: {decision(told.decision)}"])


def decision(made: Decision) -> str:
    if made == DEFAULT_DENY:
        return "denied, as nothing allows it"
    place = f" ({made.layer}, line {made.line})" if made.line else ""
    return f"{'allowed' if made.allowed else 'denied'} by {made.rule}{place}"


def term(part: Term) -> str:
    """One part of a condition, without what is beneath it."""
    match part:
        case Equal(left, right):
            return f"{_operand(left)} == {_operand(right)}"
        case Order(left, operator, right):
            return f"{_operand(left)} {operator} {right}"
        case Contains(items, item):
            return f"{_operand(item)} in {_operand(items)}"
        case Present(attribute, kind):
            return f"{_operand(attribute)} {_KINDS[kind]}"
        case InScope(scope):
            return f"credentials for a {scope}" if scope != "system" else "credentials for the system"
        case Broken(reason):
            return f"what cannot be decided: {reason}"
        case All():
            return "all of"
        case Either():
            return "any of"
        case Not():
            return "not"
        case Reference(rule):
            return f"rule {certainly(rule.partition(chr(10) + '@')[0])}"
    return _check(part)


def _check(part: Term) -> str:
    try:
        return condition(part)
    except NoWords:
        return f"{part.kind}:{part.match}" if isinstance(part, Matches) else repr(part)


def _operand(operand: Operand) -> str:
    if isinstance(operand, Attribute):
        return f"{operand.of}.{'.'.join(operand.path)}"
    return json.dumps(operand)


def _part(part: Part) -> Iterator[str]:
    yield f"{term(part.term)}: {_ANSWERS[part.answer]}"
    for beneath in part.parts:
        yield from (f"  {line}" for line in _part(beneath))
