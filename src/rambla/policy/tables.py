"""Does a policy decide as somebody expected?

A table is a YAML document with `people`, `targets` and `tests`; a test is a row of person, `may` or `may not`,
permission and target. Read as strictly as layers are. Reading the files is the caller's.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
import yaml

from rambla.domain.errors import BrokenPolicy
from rambla.policy import documents
from rambla.policy.credentials import prepare
from rambla.policy.policy import Policy
from rambla.policy.problems import Place, Problem, broken, nearest, problems_of

KEYS = ("people", "targets", "tests")
VERBS = ("may", "may not")
NAMED_BY_PATH = "a target is a name from 'targets', or NAMESPACE/NAME"
Values = dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    person: str
    allowed: bool
    permission: str
    target: str
    caller: Values
    about: Values
    place: Place

    def __str__(self) -> str:
        return f"{self.person} {VERBS[not self.allowed]} {self.permission} {self.target}"


class Table(msgspec.Struct, frozen=True):
    people: dict[str, Values]
    targets: dict[str, Values]
    rows: tuple[Row, ...]


def read_all(texts: Mapping[str, str]) -> Table:
    """One table of all; people and targets of one file are known in that file. Raises BrokenPolicy."""
    tables: list[Table] = []
    problems: list[Problem] = []
    for name, text in texts.items():
        try:
            tables.append(read(text, name))
        except BrokenPolicy as error:
            problems.extend(problems_of(error))
    if problems:
        raise broken(problems)
    people = {name: values for table in tables for name, values in table.people.items()}
    targets = {name: values for table in tables for name, values in table.targets.items()}
    return Table(people, targets, tuple(row for table in tables for row in table.rows))


def read(text: str, file: str) -> Table:
    """Raises BrokenPolicy with all that is wrong."""
    reader = _Reader(file)
    table = reader.table(documents.read(text, file))
    if reader.problems:
        raise broken(reader.problems)
    return table


def failures(policy: Policy, rows: Iterable[Row]) -> list[Problem]:
    """The rows that the policy decides otherwise, and what decided."""
    found = []
    for row in rows:
        decision = policy.decide(prepare(row.caller), row.permission, row.about)
        if decision.allowed is not row.allowed:
            at = f", line {decision.line}" if decision.line else ""
            detail = f"'{row}' is not so: {'allowed' if decision.allowed else 'denied'} by {decision.name}{at}"
            found.append(Problem(row.place, detail, "change the policy or the test"))
    return found


def person(name: str, given: Mapping[str, Any]) -> Values:
    """What conditions know of a caller, as the platform tells it, with what is given over it."""
    return {"subject": name, "namespace": "", "source": "key", "roles": [], **given}


def target(name: str, given: Mapping[str, Any]) -> Values:
    """What conditions know of NAMESPACE/NAME, likewise."""
    return {"namespace": name.partition("/")[0], "name": name, "shared": False, "exported": False, **given}


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def table(self, root: yaml.Node | None) -> Table:
        if not isinstance(root, yaml.MappingNode):
            place = Place(self._file) if root is None else self._place(root)
            raise broken([Problem(place, "this is no table", "write 'people:', 'targets:' and 'tests:'")])
        parts: dict[str, yaml.Node] = {}
        for key, node in root.value:
            name = str(self._value(key))
            if name not in KEYS:
                self._told(key, f"'{name}' has no meaning here", nearest(name, KEYS) or f"write {', '.join(KEYS)}")
            parts[name] = node
        people = {name: person(name, given) for name, given in self._named(parts.get("people")).items()}
        targets = {name: target(name, given) for name, given in self._named(parts.get("targets")).items()}
        table = Table(people, targets, ())
        rows = [self._row(each, table) for each in self._items(parts.get("tests"))]
        return msgspec.structs.replace(table, rows=tuple(row for row in rows if row))

    def _named(self, node: yaml.Node | None) -> dict[str, Values]:
        if node is None:
            return {}
        found = self._value(node)
        if found is None:
            return {}
        if isinstance(found, dict) and all(isinstance(given, dict | None) for given in found.values()):
            return {str(name): given or {} for name, given in found.items()}
        self._told(node, "names with their attributes are needed here", "write lines 'name: {attribute: value}'")
        return {}

    def _items(self, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None or isinstance(node, yaml.SequenceNode):
            return list(node.value) if node else []
        self._told(node, "a list of rows is needed here", "begin each with '- '")
        return []

    def _row(self, node: yaml.Node, table: Table) -> Row | None:
        cells = self._value(node)
        if not isinstance(cells, list) or len(cells) != 4 or not all(isinstance(cell, str) for cell in cells):
            fix = "write [person, may, permission, target], or 'may not' in the second place"
            self._told(node, "this is no row of four texts", fix)
            return None
        who, verb, permission, what = cast("list[str]", cells)
        if verb not in VERBS:
            self._told(node, f"'{verb}' is not possible here", "write 'may' or 'may not'")
        if who not in table.people:
            self._told(node, f"nobody is called '{who}'", nearest(who, table.people) or "add them to 'people'")
        if what not in table.targets and "/" not in what:
            self._told(node, f"there is no target '{what}'", nearest(what, table.targets) or NAMED_BY_PATH)
        about = table.targets.get(what) or target(what, {})
        return Row(who, verb == "may", permission, what, table.people.get(who, {}), about, self._place(node))

    def _value(self, node: yaml.Node) -> Any:
        constructor: Any = yaml.constructor.SafeConstructor()
        try:
            return constructor.construct_document(node)
        except (yaml.YAMLError, ValueError, TypeError, KeyError, OverflowError, AttributeError, IndexError):
            self._told(node, "this has no value that YAML knows", "write text, numbers, lists and mappings")
            return None

    def _told(self, node: yaml.Node, detail: str, fix: str) -> None:
        self.problems.append(Problem(self._place(node), detail, fix))

    def _place(self, node: yaml.Node) -> Place:
        return documents.place_of(node, self._file)
