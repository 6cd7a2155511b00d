"""What is the value of an attribute, and what does a comparison of the readable language say of it?

Absent and null are one: `MISSING`, of which every comparison is false. Nothing here raises, whatever the values are of,
so long as their own methods do not.
"""

from collections.abc import Mapping
from typing import Any

from rambla.policy.terms import Attribute, Contains, Equal, Operand, Order, Present

Values = Mapping[str, object]
MISSING: Any = object()


def value(operand: Operand, caller: Values, target: Values) -> Any:
    """The operand's value or MISSING. A dotted path is first looked up as one flat key, as OpenStack writes targets."""
    if not isinstance(operand, Attribute):
        return operand
    return follow(caller if operand.of == "caller" else target, operand.path)


def follow(values: Values, path: tuple[str, ...]) -> Any:
    flat = values.get(".".join(path))
    if flat is not None:
        return flat
    step: Any = values
    for name in path:
        step = step.get(name) if isinstance(step, Mapping) else None
    return MISSING if step is None else step


def equal(term: Equal, caller: Values, target: Values) -> bool:
    return same(value(term.left, caller, target), value(term.right, caller, target))


def same(left: Any, right: Any) -> bool:
    """Equal as JSON knows it: true is not 1, and "1" is not 1. Lists and mappings equal nothing."""
    if not is_scalar(left) or not is_scalar(right) or isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def order(term: Order, caller: Values, target: Values) -> bool:
    left = value(term.left, caller, target)
    if not is_number(left):
        return False
    match term.operator:
        case "<":
            return bool(left < term.right)
        case "<=":
            return bool(left <= term.right)
        case ">":
            return bool(left > term.right)
        case ">=":
            return bool(left >= term.right)


def contains(term: Contains, caller: Values, target: Values) -> bool:
    items, item = value(term.items, caller, target), value(term.item, caller, target)
    return is_list(items) and any(same(each, item) for each in items)


def present(term: Present, caller: Values, target: Values) -> bool:
    found = value(term.attribute, caller, target)
    match term.kind:
        case "number":
            return is_number(found)
        case "list":
            return is_list(found)
        case "scalar":
            return is_scalar(found)
        case "any":
            return found is not MISSING


def is_number(found: Any) -> bool:
    """NaN is none: every comparison with it is false, also those that would deny."""
    return isinstance(found, int | float) and not isinstance(found, bool) and found == found


def is_scalar(found: Any) -> bool:
    return isinstance(found, str | int | float) and found == found


def is_list(found: Any) -> bool:
    return isinstance(found, list | tuple | set | frozenset)
