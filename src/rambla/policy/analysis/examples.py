"""Who and what would be an example of these atoms?

Finds credentials and a target for which given atoms hold and others do not, says that there are none, or says that it
does not know. An example is returned only after the interpreter has agreed.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise, product
from math import prod
from typing import Any

import msgspec

from rambla.policy import attributes, generic
from rambla.policy.analysis.diagram import Cube
from rambla.policy.credentials import prepare
from rambla.policy.interpret import Asked, atom_holds
from rambla.policy.terms import (
    SCOPES,
    Ask,
    Atom,
    Attribute,
    Contains,
    Equal,
    InScope,
    Matches,
    Operand,
    Order,
    Present,
    Role,
    Rules,
    Scope,
)

TRIES_MAX = 2000
_SCOPE_KEYS: dict[Scope, tuple[dict[str, str], ...]] = {
    "project": ({},),
    "domain": ({"domain_id": "a-domain"},),
    "system": ({"system_scope": "all"}, {"system_scope": "a-system"}, {"system": "all"}, {"system": "a-system"}),
}
_SCOPED = ("system", "system_scope", "domain_id")


class Example(msgspec.Struct, frozen=True):
    """`answers` are those that enforcers outside have to give."""

    credentials: dict[str, Any]
    target: dict[str, Any]
    answers: dict[str, bool] = {}


class Impossible(Exception):
    """No request at all is like that."""


class Unknown(Exception):
    """Perhaps there is an example, but none was found."""


def find(cube: Cube) -> Example:
    """An example of the cube. Raises Impossible or Unknown."""
    impossible = True
    for scope in SCOPES[::-1]:
        if any(value is not (atom.scope == scope) for atom, value in cube if isinstance(atom, InScope)):
            continue
        for keys in _SCOPE_KEYS[scope]:
            try:
                return _in_scope(cube, keys)
            except Impossible:
                continue
            except Unknown:
                impossible = False
    raise Impossible if impossible else Unknown


def _in_scope(cube: Cube, keys: Mapping[str, str]) -> Example:
    maker = _Maker(cube, keys)
    for credentials, target in islice(maker.candidates(), TRIES_MAX):
        if all(_holds(atom, credentials, target) is value for atom, value in cube if not isinstance(atom, Ask)):
            answers = {atom.where: value for atom, value in cube if isinstance(atom, Ask)}
            return Example(credentials, target, answers)
    if maker.complete:
        raise Impossible
    raise Unknown


def _holds(atom: Atom, credentials: dict[str, Any], target: dict[str, Any]) -> bool | None:
    try:
        return atom_holds(atom, Asked(prepare(credentials), target, Rules({})))
    except Exception:
        return None


class _Maker:
    """Candidates that do what the true atoms need and nothing more.

    A value is only ever compared with texts and numbers of the atoms and with other values. So a target's key needs no
    values but those, and one of its own that nothing else has; credentials are lists of what they have to match.
    `complete` tells whether this holds for all of the atoms and all candidates fit into the limit.
    """

    def __init__(self, cube: Cube, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._true = [atom for atom, value in cube if value]
        self._atoms = [atom for atom, _ in cube]
        self._chosen = {each: self._values(each) for each in dict.fromkeys(self._attributes())}
        count = prod(len(values) for values in self._chosen.values())
        simple = all(self._is_simple(atom) for atom in self._atoms)
        self.complete = count <= TRIES_MAX and simple and not self._is_mixed()

    def candidates(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for values in product(*self._chosen.values()):
            credentials: dict[str, Any] = {"roles": self._roles(), **self._keys}
            target: dict[str, Any] = {}
            for attribute, value in zip(self._chosen, values, strict=True):
                _put(credentials if attribute.of == "caller" else target, attribute, value)
            self._match(credentials, target)
            self._contain(credentials, target)
            yield credentials, target

    def _is_simple(self, atom: Atom) -> bool:
        match atom:
            case Matches(kind, match):
                left = generic.left(kind)
                filled = "%" not in match or generic.single_key(match) is not None
                return filled and (isinstance(left, generic.Literal) or _is_plain(left, match))
            case Role(name):
                return "%" not in name
            case Ask(where):
                return "%" not in where
        return True

    def _is_mixed(self) -> bool:
        """Whether two atoms speak of the same thing in different ways, so that their needs may meet in one value."""
        paths: set[tuple[str, ...]] = set()
        keys: set[str] = set()
        compared = {each for atom in self._atoms if not isinstance(atom, Matches | Role) for each in _compared(atom)}
        for atom in self._atoms:
            if isinstance(atom, Matches):
                keys |= set(generic.keys(atom.match))
                left = generic.left(atom.kind)
                paths |= {left.segments} if isinstance(left, generic.Path) else set()
        callers = {each.path[0] for each in compared if each.of == "caller"}
        return (
            self._is_numeric()
            or bool(callers & ({path[0] for path in paths} | {"roles"}))
            or any(".".join(each.path) in keys for each in compared if each.of == "target")
            or any(one != other and other[: len(one)] == one for one in paths for other in paths)
        )

    def _is_numeric(self) -> bool:
        """Whether numbers in intervals are compared with each other, for which there may be too few candidates."""
        numbers = any(
            isinstance(atom, Order) or atom == Present(each, "number")
            for atom in self._atoms
            for each in _compared(atom)
        )
        return numbers and any(len(_compared(atom)) > 1 for atom in self._atoms)

    def _roles(self) -> list[str]:
        return [atom.name for atom in self._true if isinstance(atom, Role) and "%" not in atom.name]

    def _attributes(self) -> Iterator[Attribute]:
        """Those whose value has to be chosen: all of comparisons, and the target's keys of checks."""
        for atom in self._atoms:
            yield from _compared(atom)
            if isinstance(atom, Matches | Role):
                template = atom.match if isinstance(atom, Matches) else atom.name
                yield from (Attribute("target", (key,)) for key in generic.keys(template))

    def _values(self, attribute: Attribute) -> list[Any]:
        """Something of its own, nothing, a list if it is compared, and whatever the atoms compare it with."""
        found: list[Any] = [_own(attribute), None]
        for atom in self._atoms:
            found += [[]] if attribute in _compared(atom) else []
            match atom:
                case Equal() if attribute in _compared(atom):
                    found += self._linked()
                case Order(left) if left == attribute:
                    found += self._linked()
                case Contains(_, item) if item == attribute:
                    found += self._linked()
                case Present(each, "number") if each == attribute:
                    found += [0]
                case Matches(kind, match) if generic.single_key(match) == ".".join(attribute.path):
                    side = generic.left(kind)
                    found += [side.text] if isinstance(side, generic.Literal) else []
        return [value for index, value in enumerate(found) if not _among(value, found[:index])]

    def _linked(self) -> list[Any]:
        """All values that comparisons speak of: by a chain of them, any may have to be that of another."""
        found: list[Any] = []
        numbers: set[int | float] = set()
        for atom in self._atoms:
            match atom:
                case Equal(left, right):
                    found += [_own(each) if isinstance(each, Attribute) else each for each in (left, right)]
                case Contains(_, item):
                    found.append(_own(item) if isinstance(item, Attribute) else item)
                case Order(_, _, number):
                    numbers.add(number)
        numbers |= {each for each in found if attributes.is_number(each)}
        return [*found, *_around(sorted(numbers))]

    def _match(self, credentials: dict[str, Any], target: dict[str, Any]) -> None:
        """Every path of the credentials gets what the true checks want of it."""
        wanted: dict[tuple[str, ...], list[str]] = {}
        for atom in self._true:
            if isinstance(atom, Matches) and isinstance(left := generic.left(atom.kind), generic.Path):
                try:
                    text = generic.fill(atom.match, target)
                except (KeyError, ValueError, TypeError):
                    continue
                wanted.setdefault(left.segments, []).append(text)
        for path, values in wanted.items():
            unique = list(dict.fromkeys(values))
            step = credentials
            for name in path[:-1]:
                step = step.setdefault(name, {})
                if not isinstance(step, dict):
                    return
            step[path[-1]] = unique if len(unique) > 1 else self._value(path, unique[0])

    def _value(self, path: tuple[str, ...], text: str) -> str | None:
        """What reads as None is null, but where it has to make the scope."""
        return None if text == "None" and path[0] not in self._keys else text

    def _contain(self, credentials: dict[str, Any], target: dict[str, Any]) -> None:
        """Every list gets the items that it has to have."""
        for atom in self._true:
            if isinstance(atom, Contains):
                holder = credentials if atom.items.of == "caller" else target
                items = _get(holder, atom.items)
                item = _operand(atom.item, credentials, target)
                if isinstance(items, list) and item is not None:
                    _put(holder, atom.items, [*items, item])


def _is_plain(left: generic.Left, match: str) -> bool:
    """Whether a path says nothing of roles and scope that is not said by the atoms for these."""
    if not isinstance(left, generic.Path) or left.segments[0] == "roles":
        return False
    return left.segments[0] not in _SCOPED or (len(left.segments) == 1 and match != "")


def _compared(atom: Atom) -> list[Attribute]:
    match atom:
        case Equal(left, right):
            sides: tuple[Operand, ...] = (left, right)
        case Order(left):
            sides = (left,)
        case Contains(items, item):
            sides = (items, item)
        case Present(attribute):
            sides = (attribute,)
        case _:
            sides = ()
    return [side for side in sides if isinstance(side, Attribute)]


def _around(numbers: list[int | float]) -> list[int | float]:
    """The numbers, and one below, between and above each of them."""
    if not numbers:
        return []
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    return [numbers[0] - 1, *numbers, *between, numbers[-1] + 1]


def _own(attribute: Attribute) -> str:
    return f"{attribute.of}-{'.'.join(attribute.path)}"


def _among(value: Any, values: list[Any]) -> bool:
    return any(type(value) is type(each) and value == each for each in values)


def _put(values: dict[str, Any], attribute: Attribute, value: Any) -> None:
    """As a flat key, which is looked up before a path; nothing for None."""
    if value is not None:
        values[".".join(attribute.path)] = value


def _get(values: dict[str, Any], attribute: Attribute) -> Any:
    return values.get(".".join(attribute.path))


def _operand(operand: Operand, credentials: dict[str, Any], target: dict[str, Any]) -> Any:
    if isinstance(operand, Attribute):
        return _get(credentials if operand.of == "caller" else target, operand)
    return operand
