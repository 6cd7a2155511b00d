"""What have roles and rules become after several layers?

The layers from the top down to one of them, merged: which role is held by whom, what each role may and never may, and
which conditions allow and deny. Knows nothing of locks.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from rambla.domain.access import Decision
from rambla.policy.circles import on_circles
from rambla.policy.language import truth
from rambla.policy.language.layers import NAME_CHARS_MAX, Condition, Layer, Role, Rule, Word
from rambla.policy.problems import Problem
from rambla.policy.terms import InScope, Reference, Scope, Term, references
from rambla.policy.terms import Role as RoleTerm

NAMES_MAX = 10_000

_Grant: TypeAlias = tuple[str, Word, str]  # role, permission or pattern, level


class Merged:
    """Every piece is kept with the level of the layer that it came from."""

    def __init__(self) -> None:
        self._includers: dict[str, set[str]] = {}
        self._may: dict[str, list[_Grant]] = {}
        self._never: dict[str, list[_Grant]] = {}
        self._allow: dict[str, list[tuple[Condition, str]]] = {}
        self._deny: dict[str, list[tuple[Condition, str]]] = {}
        self._scope: dict[str, tuple[tuple[Scope, ...], Decision]] = {}
        self._holders: dict[str, list[str]] = {}

    def add(self, layer: Layer) -> None:
        for name, role in layer.roles.items():
            self._add_role(name.lower(), role, layer.level)
        for name, rule in layer.rules.items():
            self._add_rule(name, rule, layer.level)

    def _add_role(self, name: str, role: Role, level: str) -> None:
        if role.mode == "replace":
            for grants in self._may.values():
                grants[:] = [grant for grant in grants if grant[0] != name]
            for holders in self._includers.values():
                holders.discard(name)
        for word in role.includes:
            self._includers.setdefault(word.text.lower(), set()).add(name)
        for words, index in ((role.may, self._may), (role.never, self._never)):
            for word in words:
                index.setdefault(word.text, []).append((name, word, level))

    def _add_rule(self, name: str, rule: Rule, level: str) -> None:
        if rule.mode == "replace":
            self._allow[name], self._deny[name] = [], []
            self._scope.pop(name, None)
        self._allow.setdefault(name, []).extend((condition, level) for condition in rule.allow)
        self._deny.setdefault(name, []).extend((condition, level) for condition in rule.deny)
        if rule.scope:
            self._scope[name] = (rule.scope, Decision(False, name, level, rule.place.line))

    def holders(self, role: str) -> list[str]:
        """The role itself and those that include it, directly or not: whoever holds one of them holds it."""
        name = role.lower()
        if name not in self._holders:
            held, todo = {name}, [name]
            while todo:
                new = self._includers.get(todo.pop(), set()) - held
                held |= new
                todo += new
            self._holders[name] = sorted(held)
        return self._holders[name]

    def denials(self, permission: str) -> Iterator[tuple[Term, Decision]]:
        """All rules that mean the permission may deny it, and so may every role."""
        for name in self._matching(permission):
            for condition, level in self._deny[name]:
                yield condition.truth.possible, _decision(False, name, condition, level)
        for role, word, level in _meant(self._never, permission):
            yield RoleTerm(role), Decision(False, f"role {role}", level, word.place.line)

    def scopes(self, permission: str) -> Iterator[tuple[list[InScope], Decision]]:
        for name in self._matching(permission):
            if name in self._scope:
                scopes, decision = self._scope[name]
                yield [InScope(scope) for scope in scopes], decision

    def grants(self, permission: str) -> Iterator[tuple[Term, Decision]]:
        """Every role may grant, and the rule that means the permission most exactly and says `allow`."""
        for role, word, level in _meant(self._may, permission):
            yield RoleTerm(role), Decision(True, f"role {role}", level, word.place.line)
        for name in self._matching(permission):
            if self._allow[name]:
                for condition, level in self._allow[name]:
                    yield condition.truth.certain, _decision(True, name, condition, level)
                return

    def conditions(self) -> Iterator[tuple[str, Term]]:
        """What `rule NAME` refers to, certain and possible."""
        for name in self._allow:
            allow = truth.disjunction(*[condition.truth for condition, _ in self._allow[name]])
            deny = truth.disjunction(*[condition.truth for condition, _ in self._deny[name]])
            whole = truth.decided(allow, deny)
            yield name, whole.certain
            yield truth.possibly(name), whole.possible

    def _matching(self, permission: str) -> list[str]:
        """The names of rules that mean the permission, the most exact first."""
        return [name for name in meaning(permission) if name in self._allow]


def _meant(index: dict[str, list[_Grant]], permission: str) -> Iterator[_Grant]:
    return (grant for name in meaning(permission) for grant in index.get(name, ()))


def _decision(allowed: bool, rule: str, condition: Condition, level: str) -> Decision:
    """Named by its rule, or by the one that the condition is no more than a reference to."""
    term = condition.truth.certain
    name = truth.certainly(term.rule) if isinstance(term, Reference) else rule
    return Decision(allowed, name, level, condition.place.line)


def is_pattern(name: str) -> bool:
    """`resource:*` or `*`; with a `=` in front, a name means itself whatever is in it."""
    return name.endswith("*") and not name.startswith("=")


def meaning(permission: str) -> list[str]:
    """All names and patterns that mean a permission, the most exact first."""
    start = permission[:NAME_CHARS_MAX]
    patterns = [f"{start[: at + 1]}*" for at in range(len(start) - 1, -1, -1) if start[at] == ":"]
    exact = [f"={permission}"] if is_pattern(permission) else [permission, f"={permission}"]
    return [*exact, *patterns, "*"]


def merge(layers: Sequence[Layer]) -> Merged:
    merged = Merged()
    for layer in layers:
        merged.add(layer)
    return merged


def problems(layers: Sequence[Layer]) -> Iterator[Problem]:
    """What does not say how it goes with the layers above, and what includes or refers to itself."""
    seen: dict[tuple[str, str], str] = {}
    for layer in layers:
        for kind, entries in (("role", layer.roles), ("rule", layer.rules)):
            for name, entry in entries.items():
                key = (kind, name.lower() if kind == "role" else name)
                if key in seen and not entry.mode:
                    fix = "write 'mode: extend' to add to it, 'mode: replace' to start anew"
                    yield Problem(entry.place, f"the {kind} '{name}' is there already, in {seen[key]}", fix)
                if key not in seen and entry.mode:
                    yield Problem(entry.place, f"there is no {kind} '{name}' above to {entry.mode}", "drop 'mode'")
                seen.setdefault(key, layer.place.file)
    if layers and len(seen) > NAMES_MAX:
        detail = f"there are more than {NAMES_MAX} roles and rules in all layers"
        yield Problem(layers[-1].place, detail, "say the same with patterns and fewer roles")
    else:
        yield from _circles(layers)


def _circles(layers: Sequence[Layer]) -> Iterator[Problem]:
    includes: dict[str, set[str]] = {}
    refers: dict[str, set[str]] = {}
    for layer in layers:
        for name, role in layer.roles.items():
            includes.setdefault(name.lower(), set()).update(word.text.lower() for word in role.includes)
        for name, rule in layer.rules.items():
            found = [each for condition in (*rule.allow, *rule.deny) for each in references(condition.truth.certain)]
            refers.setdefault(name, set()).update(truth.certainly(each) for each in found)
    roles, rules = on_circles(includes), on_circles(refers)
    for layer in layers:
        for name, role in layer.roles.items():
            if name.lower() in roles and role.includes:
                yield Problem(role.place, f"the role '{name}' includes itself, or one that does", "break the circle")
        for name, rule in layer.rules.items():
            if name in rules and (rule.allow or rule.deny):
                yield Problem(
                    rule.place, f"the rule '{name}' refers to itself, or to one that does", "break the circle"
                )
