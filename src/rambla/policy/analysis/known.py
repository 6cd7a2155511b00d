"""What is left of a term when the target, or the caller, is known?

A term in which everything that depends on the known side alone is decided. It holds for the rest exactly when the
whole term does.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rambla.policy import attributes, generic
from rambla.policy.credentials import Credentials
from rambla.policy.interpret import Asked, atom_holds
from rambla.policy.terms import (
    FALSE,
    Ask,
    Attribute,
    Broken,
    Constant,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Operand,
    Order,
    Present,
    Role,
    Rules,
    Term,
    rewrite,
)

Values = Mapping[str, object]


def with_target(term: Term, target: Values) -> Term:
    """What is left to ask of the caller."""
    return rewrite(term, lambda part: _of_target(part, target))


def with_caller(term: Term, credentials: Credentials) -> Term:
    """What is left to ask of the target."""
    return rewrite(term, lambda part: _of_caller(part, credentials))


def all_rules(rules: Rules, change: Callable[[Term], Term]) -> Rules:
    return Rules({name: change(term) for name, term in rules.terms.items()}, rules.default)


def _of_target(part: Term, target: Values) -> Term:
    try:
        match part:
            case Role(name) if "%" in name:
                return Role(generic.fill(name, target))
            case Ask(where) if "%" in where:
                return Ask(_escaped(generic.fill(where, target)))
            case Matches(kind, match) if "%" in match:
                return Matches(kind, _escaped(generic.fill(match, target)))
            case Equal() | Order() | Contains() | Present():
                return _compared(part, "target", target)
    except KeyError:
        return FALSE
    except (TypeError, ValueError) as error:
        return Broken(str(error))
    return part


def _of_caller(part: Term, credentials: Credentials) -> Term:
    match part:
        case InScope(scope):
            return Constant(credentials.scope == scope)
        case Role(name) if "%" not in name:
            return Constant(name.lower() in credentials.roles) if credentials.roles is not None else Broken("no roles")
        case Matches(kind, match) if isinstance(left := generic.left(kind), generic.Path):
            if "%" not in match:
                return _decided(part, credentials)
            try:
                texts = [str(value) for value in _found(credentials.values, left.segments)]
            except TypeError as error:
                return Broken(str(error))
            return Either(tuple(Matches(repr(text), match) for text in texts))
        case Equal() | Order() | Contains() | Present():
            return _compared(part, "caller", credentials.values)
    return part


def _decided(part: Matches, credentials: Credentials) -> Term:
    try:
        return Constant(atom_holds(part, Asked(credentials, {}, Rules({}))))
    except (TypeError, ValueError) as error:
        return Broken(str(error))


def _found(value: Any, segments: tuple[str, ...]) -> Iterator[object]:
    """All that a path of oslo.policy leads to. Raises TypeError where it leads through what has no parts."""
    if not segments:
        yield value
        return
    try:
        value = value[segments[0]]
    except KeyError:
        return
    for item in value if isinstance(value, list) else [value]:
        yield from _found(item, segments[1:])


def _compared(part: Equal | Order | Contains | Present, side: str, values: Values) -> Term:
    """A comparison whose attributes of this side are replaced by their values."""
    match part:
        case Order(left) if left.of == side:
            return Constant(attributes.order(part, values, values))
        case Present(attribute) if attribute.of == side:
            return Constant(attributes.present(part, values, values))
        case Equal(left, right):
            return _equal(_value(left, side, values), _value(right, side, values))
        case Contains(items, item):
            wanted = _value(item, side, values)
            if not isinstance(wanted, Attribute) and not attributes.is_scalar(wanted):
                return FALSE
            found = _value(items, side, values)
            if isinstance(found, Attribute):
                return Contains(found, wanted)
            options = found if attributes.is_list(found) else ()
            return Either(tuple(_equal(each, wanted) for each in options))
    return part


def _equal(left: Any, right: Any) -> Term:
    if not isinstance(left, Attribute) and not isinstance(right, Attribute):
        return Constant(attributes.same(left, right))
    known = right if isinstance(left, Attribute) else left
    if isinstance(known, Attribute) or attributes.is_scalar(known):
        return Equal(left, right)
    return FALSE


def _value(operand: Operand, side: str, values: Values) -> Any:
    if isinstance(operand, Attribute) and operand.of == side:
        return attributes.follow(values, operand.path)
    return operand


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
