"""Which rules are in force for an OpenStack service?

What the service registers in code, overridden by its policy files in their order, with deprecated rules carried over:
the order and the exceptions of oslo_policy/policy.py, 6.0.1. Whole rules are replaced, nothing is merged.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from rambla.domain.access import Decision
from rambla.policy.oslo.checks import Check, parse
from rambla.policy.oslo.files import FileRule, PolicyFile
from rambla.policy.rulings import Clause, Ruling
from rambla.policy.terms import FALSE, SCOPES, Either, InScope, Reference, Rules, Term, all_of, either_of

DEFAULT_RULE = "default"
IN_CODE = "in code"


class Deprecated(msgspec.Struct, frozen=True):
    name: str
    check: str


class RuleDefault(msgspec.Struct, frozen=True):
    """A rule that a service registers. Without scopes it is for callers of any scope."""

    name: str
    check: str
    scopes: tuple[str, ...] = ()
    deprecated: Deprecated | None = None


class Rule(msgspec.Struct, frozen=True):
    """A rule in force, and where it is written."""

    term: Term
    layer: str
    line: int = 0


class OsloBook:
    """The rules in force, by name."""

    def __init__(self, rules: dict[str, Rule], scopes: dict[str, tuple[str, ...]], default: str) -> None:
        self.rules = Rules({name: rule.term for name, rule in rules.items()}, default)
        self.permissions = tuple(rules)
        self.patterns: tuple[str, ...] = ()
        self._rules = rules
        self._scopes = scopes
        self._default = default

    def ruling(self, permission: str) -> Ruling:
        name = permission if permission in self._rules else self._default
        rule = self._rules.get(name)
        if rule is None:
            return Ruling((), Decision(allowed=False, rule=permission))
        term = all_of(*self._scope_terms(permission), rule.term)
        allowed = Decision(allowed=True, rule=name, layer=rule.layer, line=rule.line)
        return Ruling((Clause(term, allowed),), msgspec.structs.replace(allowed, allowed=False))

    def rule(self, name: str) -> Rule | None:
        return self._rules.get(name)

    def rewritten(self, change: Callable[[Term], Term]) -> "OsloBook":
        """The same book with every term changed."""
        rules = {name: msgspec.structs.replace(rule, term=change(rule.term)) for name, rule in self._rules.items()}
        return OsloBook(rules, self._scopes, self._default)

    def scopes(self, permission: str) -> tuple[str, ...]:
        return self._scopes.get(permission, ())

    def _scope_terms(self, permission: str) -> tuple[Term, ...]:
        if not self._scopes.get(permission):
            return ()
        terms = [InScope(scope) for scope in SCOPES if scope in self._scopes[permission]]
        return (either_of(*terms) if terms else FALSE,)


def book(
    defaults: Iterable[RuleDefault],
    files: Sequence[PolicyFile] = (),
    *,
    default_rule: str = DEFAULT_RULE,
    new_defaults: bool = True,
) -> OsloBook:
    """The rules in force. `new_defaults` is oslo.policy's `enforce_new_defaults`."""
    written = {name: rule for file in files for name, rule in file.rules.items()}
    rules = {name: Rule(rule.check.term, rule.key.file, rule.key.line) for name, rule in written.items()}
    scopes = {}
    for default in defaults:
        scopes[default.name] = default.scopes
        if default.name not in rules:
            rules[default.name] = _in_force(default, written, new_defaults=new_defaults)
    return OsloBook(rules, scopes, default_rule)


def _in_force(default: RuleDefault, written: dict[str, FileRule], *, new_defaults: bool) -> Rule:
    """A default that no file overrides by its name, but perhaps by the name it had before."""
    term = parse(default.check).term
    deprecated = default.deprecated
    if deprecated is None:
        return Rule(term, IN_CODE)
    if deprecated.name != default.name and deprecated.name in written:
        override = written[deprecated.name]
        if _overrides(override.check, deprecated, default):
            return Rule(override.check.term, override.key.file, override.key.line)
    if not new_defaults and deprecated.check != default.check:
        return Rule(Either((term, parse(deprecated.check).term)), IN_CODE)
    return Rule(term, IN_CODE)


def _overrides(check: Check, deprecated: Deprecated, default: RuleDefault) -> bool:
    """Not if it only repeats the old default, or only points to the new name as generated samples do."""
    return check.term != parse(deprecated.check).term and check.term != Reference(default.name)
