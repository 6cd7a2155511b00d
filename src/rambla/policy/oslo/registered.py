"""What does an OpenStack service register in code, as a file tells it?

A YAML list with one entry for each rule: `name`, `check_str`, and where there are any `scope_types` and `deprecated`,
the name and the check that the rule had before. Further fields are for people and are passed over. What oslo.policy
would not let a service register is refused here.
"""

from collections.abc import Iterator
from typing import TypeVar

import yaml

from rambla.policy import documents
from rambla.policy.oslo.book import Deprecated, RuleDefault
from rambla.policy.problems import Place, Problem, broken

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_FIX = "make the file anew: rambla policy openstack SERVICE --python PATH"
NodeT = TypeVar("NodeT", bound=yaml.Node)


class _Wrong(Exception):
    def __init__(self, node: yaml.Node, detail: str) -> None:
        self.node = node
        self.detail = detail


def read(text: str, file: str) -> list[RuleDefault]:
    """The rules in the order of the file. Raises BrokenPolicy with all that is wrong in it."""
    root = documents.read(text, file)
    if not isinstance(root, yaml.SequenceNode):
        place = documents.place_of(root, file) if root else Place(file)
        raise broken([Problem(place, "this is no list of rules", _FIX)])
    found: dict[str, RuleDefault] = {}
    problems = []
    for node in root.value:
        try:
            default = _default(node)
            if default.name in found:
                raise _Wrong(node, f"'{default.name}' is registered twice")
            found[default.name] = default
        except _Wrong as wrong:
            problems.append(Problem(documents.place_of(wrong.node, file), wrong.detail, _FIX))
    if problems:
        raise broken(problems)
    return list(found.values())


def _default(node: yaml.Node) -> RuleDefault:
    fields = _fields(node)
    scopes = _given(fields, "scope_types")
    deprecated = _given(fields, "deprecated")
    return RuleDefault(
        name=_text(fields, "name", node),
        check=_text(fields, "check_str", node),
        scopes=() if scopes is None else tuple(_scopes(scopes)),
        deprecated=None if deprecated is None else _deprecated(deprecated),
    )


def _deprecated(node: yaml.Node) -> Deprecated:
    fields = _fields(node)
    return Deprecated(_text(fields, "name", node), _text(fields, "check_str", node))


def _scopes(node: yaml.Node) -> Iterator[str]:
    for each in _of(yaml.SequenceNode, node, "this is no list of scopes").value:
        yield _as_text(each, "a scope")


def _fields(node: yaml.Node) -> dict[str, yaml.Node]:
    fields: dict[str, yaml.Node] = {}
    for key, value in _of(yaml.MappingNode, node, "this is no mapping with name and check_str").value:
        name = _as_text(key, "a field's name")
        if name in fields:
            raise _Wrong(key, f"'{name}' is written twice")
        fields[name] = value
    return fields


def _given(fields: dict[str, yaml.Node], name: str) -> yaml.Node | None:
    node = fields.get(name)
    return None if node is None or node.tag == _NULL else node


def _text(fields: dict[str, yaml.Node], name: str, whole: yaml.Node) -> str:
    if name not in fields:
        raise _Wrong(whole, f"it has no '{name}'")
    return _as_text(fields[name], f"'{name}'")


def _as_text(node: yaml.Node, what: str) -> str:
    found = _of(yaml.ScalarNode, node, f"{what} must be text")
    if found.tag != _TEXT:
        raise _Wrong(node, f"{what} must be text")
    return str(found.value)


def _of(kind: type[NodeT], node: yaml.Node, detail: str) -> NodeT:
    if not isinstance(node, kind):
        raise _Wrong(node, detail)
    return node
