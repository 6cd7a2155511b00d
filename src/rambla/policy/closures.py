"""What are compiled terms made of?

One maker of closures for each kind of term. A `Residue` is what is left to ask: a closure or the answer itself. All of
them leave exceptions to whoever makes the decision, for whom any exception means no.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from rambla.policy import attributes, generic
from rambla.policy.credentials import Credentials
from rambla.policy.terms import Attribute, Contains, Equal, Order, Present

Target: TypeAlias = Mapping[str, object]
Check: TypeAlias = Callable[[Credentials, Target], bool]


class Residue(msgspec.Struct, frozen=True):
    """`safe`: plain values cannot make it fail. `portable`: it means the same wherever it is referred to from."""

    answer: Check | bool
    safe: bool = True
    portable: bool = True


def failure(error: Exception) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        raise error.with_traceback(None)

    return Residue(check, safe=False)


def negation(part: Residue) -> Residue:
    answer = part.answer
    if isinstance(answer, bool):
        return Residue(not answer, part.safe, part.portable)
    return Residue(lambda credentials, target: not answer(credentials, target), part.safe, part.portable)


def conjunction(parts: Sequence[Residue]) -> Residue:
    return _joined(parts, absorbing=False)


def disjunction(parts: Sequence[Residue]) -> Residue:
    return _joined(parts, absorbing=True)


def _joined(parts: Sequence[Residue], *, absorbing: bool) -> Residue:
    """Parts up to the first that settles it; those before it stay only if they might fail."""
    checks: list[Check] = []
    safe, portable = True, True
    for part in parts:
        if isinstance(part.answer, bool):
            if part.answer is not absorbing:
                continue
            if safe:
                return Residue(absorbing)
            checks.append(_always if absorbing else _never)
            break
        safe, portable = safe and part.safe, portable and part.portable
        if not part.safe or part.answer not in checks:
            checks.append(part.answer)
    if not checks:
        return Residue(not absorbing)
    check = _either(checks) if absorbing else _all(checks)
    return Residue(check, safe, portable)


def _always(credentials: Credentials, target: Target) -> bool:
    return True


def _never(credentials: Credentials, target: Target) -> bool:
    return False


def _all(checks: list[Check]) -> Check:
    """Halves of halves, so that a long list does not become a deep one."""
    match checks:
        case []:
            return _always
        case [only]:
            return only
        case [first, second, third]:
            return lambda credentials, target: (
                first(credentials, target) and second(credentials, target) and third(credentials, target)
            )
    middle = len(checks) // 2
    left, right = _all(checks[:middle]), _all(checks[middle:])
    return lambda credentials, target: left(credentials, target) and right(credentials, target)


def _either(checks: list[Check]) -> Check:
    match checks:
        case []:
            return _never
        case [only]:
            return only
        case [first, second, third]:
            return lambda credentials, target: (
                first(credentials, target) or second(credentials, target) or third(credentials, target)
            )
    middle = len(checks) // 2
    left, right = _either(checks[:middle]), _either(checks[middle:])
    return lambda credentials, target: left(credentials, target) or right(credentials, target)


def false_if_a_key_is_missing(part: Residue) -> Residue:
    """As oslo.policy's `rule:` takes a KeyError from beneath it for a missing rule."""
    answer = part.answer
    if isinstance(answer, bool):
        return part

    def check(credentials: Credentials, target: Target) -> bool:
        try:
            return answer(credentials, target)
        except KeyError:
            return False

    return Residue(check, part.safe, part.portable)


def role_of_target(template: str) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        try:
            wanted = generic.fill(template, target).lower()
        except KeyError:
            return False
        return wanted in credentials.roles  # type: ignore[operator]  # None fails, as is promised

    return Residue(check, safe=False)


def generic_check(kind: str, match: str) -> Residue:
    """oslo.policy's `kind:match`, with its usual shapes made short."""
    left, text, key = generic.left(kind), generic.constant(match), generic.single_key(match)
    match left:
        case generic.Literal(literal) if text is not None:
            return Residue(literal == text)
        case generic.Literal(literal) if key is not None:
            return _literal_is_of_target(literal, key)
        case generic.Path((name,)) if text is not None:
            return _name_is_text(name, text)
        case generic.Path((name,)) if key is not None:
            return _name_is_of_target(name, key)
    return _any_generic(left, kind, match)


def _literal_is_of_target(literal: str, key: str) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        try:
            return str(target[key]) == literal
        except KeyError:
            return False

    return Residue(check)


def _name_is_text(name: str, text: str) -> Residue:
    segments = (name,)

    def check(credentials: Credentials, target: Target) -> bool:
        try:
            given = credentials.values[name]
        except KeyError:
            return False
        return given == text if type(given) is str else generic.found(credentials.values, segments, text)

    return Residue(check)


def _name_is_of_target(name: str, key: str) -> Residue:
    segments = (name,)

    def check(credentials: Credentials, target: Target) -> bool:
        try:
            given, wanted = credentials.values[name], target[key]
        except KeyError:
            return False
        if type(given) is str and type(wanted) is str:
            return given == wanted
        return generic.found(credentials.values, segments, str(wanted))

    return Residue(check)


def _any_generic(left: generic.Left, kind: str, match: str) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        try:
            wanted = generic.fill(match, target)
        except KeyError:
            return False
        return generic.left_is(left, kind, wanted, credentials.values)

    return Residue(check, safe=False)


def equality(term: Equal) -> Residue:
    """Single names, the usual case, are compared without a walk."""
    match term:
        case Equal(Attribute("caller", (name,)), Attribute("target", (key,))):
            return _name_is_key(term, name, key)
        case Equal(Attribute("caller", (name,)), str() as text):
            return _name_is(term, name, text)
    return Residue(lambda credentials, target: attributes.equal(term, credentials.values, target))


def _name_is_key(term: Equal, name: str, key: str) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        given, wanted = credentials.values.get(name), target.get(key)
        if type(given) is str and type(wanted) is str:
            return given == wanted
        return attributes.equal(term, credentials.values, target)

    return Residue(check)


def _name_is(term: Equal, name: str, text: str) -> Residue:
    def check(credentials: Credentials, target: Target) -> bool:
        given = credentials.values.get(name)
        return given == text if type(given) is str else attributes.equal(term, credentials.values, target)

    return Residue(check)


def comparison(term: Order | Contains | Present) -> Residue:
    match term:
        case Order():
            return Residue(lambda credentials, target: attributes.order(term, credentials.values, target))
        case Contains():
            return Residue(lambda credentials, target: attributes.contains(term, credentials.values, target))
        case Present():
            return Residue(lambda credentials, target: attributes.present(term, credentials.values, target))
