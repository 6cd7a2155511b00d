"""What does a policy file of an OpenStack service say?

policy.yaml, policy.json and the files of policy.d: one mapping of names to checks, read as oslo.policy reads it. Values
of other kinds mean what they mean there (null allows, a list is the old form); what would raise there is refused here.
"""

from typing import Any

import msgspec
import yaml

from rambla.policy import documents
from rambla.policy.oslo.checks import Check, parse, parse_lists
from rambla.policy.problems import Place, Problem, broken

_AS_CHECK = 'write the check as text, for instance "role:admin"'


class FileRule(msgspec.Struct, frozen=True):
    """`value` is what stood there; `first` is where a rule of this name was written before, in the same file."""

    name: str
    check: Check
    value: object
    key: Place
    text: Place
    first: Place | None = None


class PolicyFile(msgspec.Struct, frozen=True):
    """`odd` are keys that are no text, which no rule can ever be asked for by."""

    name: str
    rules: dict[str, FileRule]
    odd: tuple[Place, ...] = ()


def read(text: str, file: str) -> PolicyFile:
    """Raises BrokenPolicy for what oslo.policy would raise on."""
    root = documents.read(text, file)
    if root is None or (not isinstance(root, yaml.MappingNode) and not _value(root, file)):
        return PolicyFile(file, {})
    if not isinstance(root, yaml.MappingNode):
        place = documents.place_of(root, file)
        raise broken([Problem(place, "this is no mapping of rules", 'write lines of the form "name": "check"')])
    rules: dict[str, FileRule] = {}
    odd = []
    for key, node in _pairs(root, file):
        name = _value(key, file)
        if isinstance(name, list | dict | set):
            raise _unreadable(key, file)
        if not isinstance(name, str):
            odd.append(documents.place_of(key, file))
            continue
        first = rules[name].key if name in rules else None
        value = _value(node, file)
        place = documents.place_of(key, file)
        rules[name] = FileRule(name, _check(value, node, file), value, place, _text_place(node, file), first)
    return PolicyFile(file, rules, tuple(odd))


def place_in(rule: FileRule, at: int) -> Place:
    """The place of a character of the rule's text, as far as the file shows it on one line."""
    place = rule.text
    return Place(place.file, place.line, place.column + at)


def _check(value: object, node: yaml.Node, file: str) -> Check:
    if isinstance(value, str):
        return parse(value)
    try:
        return parse_lists(list(value) if value else ())  # type: ignore[call-overload]  # raises if it is no list
    except TypeError as error:
        place = documents.place_of(node, file)
        kind = type(value).__name__
        raise broken([Problem(place, f"a check cannot be of kind {kind}", _AS_CHECK)]) from error


def _pairs(root: yaml.MappingNode, file: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """The entries, with those that `<<` merges before the others."""
    constructor: Any = yaml.constructor.SafeConstructor()
    try:
        constructor.flatten_mapping(root)
    except yaml.YAMLError as error:
        raise _unreadable(root, file) from error
    return list(root.value)


def _value(node: yaml.Node, file: str) -> object:
    constructor: Any = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, KeyError, OverflowError, AttributeError, IndexError) as error:
        raise _unreadable(node, file) from error


def _unreadable(node: yaml.Node, file: str) -> Exception:
    return broken([Problem(documents.place_of(node, file), "this has no value that YAML knows", _AS_CHECK)])


def _text_place(node: yaml.Node, file: str) -> Place:
    place = documents.place_of(node, file)
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    return Place(file, place.line, place.column + 1) if quoted else place
