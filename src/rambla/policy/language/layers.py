"""What does one layer of a policy say?

A layer is one YAML document: `layer`, `roles`, `rules` and `locks`. Read strictly: what has no meaning is a problem
with file, line, column and fix, and all problems of a file are told at once. Whether it fits the layers above is asked
by `stack`.
"""

from collections.abc import Iterator
from typing import Literal, cast

import msgspec
import yaml

from rambla.policy import documents
from rambla.policy.language import conditions
from rambla.policy.language.tokens import ConditionError
from rambla.policy.language.truth import NEVER, Truth
from rambla.policy.problems import Place, Problem, broken, nearest
from rambla.policy.terms import SCOPES, Scope

Level = Literal["defaults", "site", "region", "domain", "project"]
Mode = Literal["", "extend", "replace"]
LEVELS: tuple[Level, ...] = ("defaults", "site", "region", "domain", "project")
MODES = ("extend", "replace")
NAME_CHARS_MAX = 200


class Word(msgspec.Struct, frozen=True):
    """A name or a pattern, and where it is written."""

    text: str
    place: Place


class Condition(msgspec.Struct, frozen=True):
    truth: Truth
    text: str
    place: Place


class Role(msgspec.Struct, frozen=True):
    """`may` and `never` are patterns of permissions: `object:read`, `object:*` or `*`."""

    place: Place
    includes: tuple[Word, ...] = ()
    may: tuple[Word, ...] = ()
    never: tuple[Word, ...] = ()
    mode: Mode = ""


class Rule(msgspec.Struct, frozen=True):
    """Allowed if any of `allow` holds; denied if any of `deny` might hold; denied out of `scope`, if there is any."""

    place: Place
    allow: tuple[Condition, ...] = ()
    deny: tuple[Condition, ...] = ()
    scope: tuple[Scope, ...] = ()
    mode: Mode = ""


class Layer(msgspec.Struct, frozen=True):
    """`place` is where its level is written."""

    level: Level
    place: Place
    roles: dict[str, Role] = {}
    rules: dict[str, Rule] = {}
    locks: tuple[Word, ...] = ()


def read(text: str, file: str) -> Layer:
    """Raises BrokenPolicy."""
    root = documents.read(text, file)
    reader = _Reader(file)
    if not isinstance(root, yaml.MappingNode):
        place = Place(file) if root is None else documents.place_of(root, file)
        raise broken([Problem(place, "this is no layer", "begin with a line 'layer: site'")])
    layer = reader.layer(root)
    if reader.problems:
        raise broken(reader.problems)
    return layer


class _Reader:
    """Goes on after a problem, so that all of them are found at once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def layer(self, root: yaml.MappingNode) -> Layer:
        entries = self._entries(root, ("layer", "roles", "rules", "locks"))
        level: Level = "project"
        if "layer" in entries:
            level = cast("Level", self._choice(entries["layer"], LEVELS))
        else:
            self._problem(root, "the layer has no level", f"begin with 'layer: ' and one of {', '.join(LEVELS)}")
        place = documents.place_of(entries.get("layer", root), self._file)
        roles = {name: self._role(node) for name, node in self._named(entries.get("roles"))}
        rules = {name: self._rule(node) for name, node in self._named(entries.get("rules"))}
        for name, rule in rules.items():
            self._pattern(Word(name, rule.place))
        return Layer(level, place, roles, rules, self._patterns(entries.get("locks")))

    def _role(self, node: yaml.Node) -> Role:
        place = documents.place_of(node, self._file)
        if _is_null(node):
            return Role(place)
        entries = self._entries(node, ("includes", "may", "never", "mode"))
        return Role(
            place,
            includes=self._words(entries.get("includes")),
            may=self._patterns(entries.get("may")),
            never=self._patterns(entries.get("never")),
            mode=self._mode(entries.get("mode")),
        )

    def _rule(self, node: yaml.Node) -> Rule:
        """A condition alone is short for `allow`."""
        place = documents.place_of(node, self._file)
        if not isinstance(node, yaml.MappingNode):
            return Rule(place, allow=self._conditions(node))
        entries = self._entries(node, ("allow", "deny", "scope", "mode"))
        scopes = self._words(entries.get("scope"))
        for word in scopes:
            if word.text not in SCOPES:
                self._told(word.place, f"there is no scope '{word.text}'", f"write one of {', '.join(SCOPES)}")
        return Rule(
            place,
            allow=self._conditions(entries.get("allow")),
            deny=self._conditions(entries.get("deny")),
            scope=tuple(scope for scope in SCOPES if scope in [word.text for word in scopes]),
            mode=self._mode(entries.get("mode")),
        )

    def _mode(self, node: yaml.Node | None) -> Mode:
        return "" if node is None else cast("Mode", self._choice(node, MODES))

    def _choice(self, node: yaml.Node, choices: tuple[str, ...]) -> str:
        text = self._text(node)
        if text not in choices:
            self._problem(node, f"'{text}' is not possible here", f"write one of {', '.join(choices)}")
        return text

    def _conditions(self, node: yaml.Node | None) -> tuple[Condition, ...]:
        return tuple(self._condition(each) for each in self._items(node))

    def _condition(self, node: yaml.Node) -> Condition:
        text, place = self._text(node), documents.place_of(node, self._file)
        try:
            return Condition(conditions.parse(text), text, place)
        except ConditionError as error:
            quote = 1 if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') else 0
            at = Place(place.file, place.line, place.column + quote + error.at)
            self._told(at, error.detail, error.fix)
            return Condition(NEVER, text, place)

    def _patterns(self, node: yaml.Node | None) -> tuple[Word, ...]:
        words = self._words(node)
        for word in words:
            self._pattern(word)
        return words

    def _pattern(self, word: Word) -> None:
        text = word.text
        if len(text) > NAME_CHARS_MAX:
            self._told(word.place, f"a name is longer than {NAME_CHARS_MAX} characters", "give it a shorter one")
        plain = "*" not in text or text.startswith("=")
        if not plain and text != "*" and not (text.endswith(":*") and text.count("*") == 1):
            fix = f"write 'resource:verb', 'resource:*' or '*', or '={text}' if that is its very name"
            self._told(word.place, f"'{text}' is no pattern", fix)

    def _words(self, node: yaml.Node | None) -> tuple[Word, ...]:
        return tuple(Word(self._text(each), documents.place_of(each, self._file)) for each in self._items(node))

    def _items(self, node: yaml.Node | None) -> list[yaml.Node]:
        """The items of a list; one that stands alone is a list of one."""
        if node is None:
            return []
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def _named(self, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
        if node is None or _is_null(node):
            return
        for name, value in self._pairs(node).items():
            if not name or len(name) > NAME_CHARS_MAX or any(char.isspace() and char != " " for char in name):
                self._problem(value, "a name is empty, too long or has a line break in it", "give it a plain name")
            yield name, value

    def _entries(self, node: yaml.Node, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        found = self._pairs(node)
        for name, value in found.items():
            if name not in keys:
                fix = nearest(name, keys) or f"write {', '.join(keys)}"
                self._problem(value, f"'{name}' has no meaning here", fix)
        return found

    def _pairs(self, node: yaml.Node) -> dict[str, yaml.Node]:
        """The entries by their keys; those that `<<` brings give way to those written here."""
        if not isinstance(node, yaml.MappingNode):
            self._problem(node, "a mapping is needed here", "write lines of the form 'name: value' below this")
            return {}
        found: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for each in self._items(value):
                    merged = {**self._pairs(each), **merged}
                continue
            name = self._text(key)
            if name in found:
                self._problem(key, f"'{name}' is written twice", "keep one of them")
            found[name] = value
        return {**merged, **found}

    def _text(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode) and not _is_null(node):
            return str(node.value)
        self._problem(node, "text is needed here", "write it in one line, or in quotes")
        return ""

    def _problem(self, node: yaml.Node, detail: str, fix: str) -> None:
        self._told(documents.place_of(node, self._file), detail, fix)

    def _told(self, place: Place, detail: str, fix: str) -> None:
        self.problems.append(Problem(place, detail, fix))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
