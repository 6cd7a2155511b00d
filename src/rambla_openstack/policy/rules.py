"""What do a service's files decide?

oslo.policy itself reads them and lays file over default, with its own classes for every check. What it does again for
each decision is done once here: no file is looked at, and no signature of a call is inspected at every part of a rule,
which is half of its time. So the answers are its own, also where it raises.
"""

import inspect
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from oslo_policy import policy

from rambla_openstack.policy.services import ServiceFiles, defaults_of

Decide = Callable[[Mapping[str, Any], MutableMapping[str, Any], str | None], Any]
"""By target, credentials, and the name of the rule that is being decided."""


class ServiceRules:
    """The rules of one service, for one Enforcer of a daemon, whose settings they share."""

    def __init__(self, files: ServiceFiles, enforcer: policy.Enforcer) -> None:
        """Raises ValueError or what oslo.policy raises for files that it cannot read."""
        self._own = _loaded(files, enforcer)
        self._scopes = {name: rule.scope_types for name, rule in self._own.registered_rules.items() if rule.scope_types}
        self._decide = {name: self._compiled(check) for name, check in self._own.rules.items()}
        self._default = self._default_rule()

    def decide(
        self, rule: str, target: Mapping[str, Any], credentials: MutableMapping[str, Any], current: str | None
    ) -> Any:
        """As `Enforcer.enforce(rule, ...)` if that rule is the `current` one, else as a reference to it."""
        if rule == current and not self._is_in_scope(rule, credentials):
            return False
        found = self._find(rule)
        return found(target, credentials, current) if found is not None else False

    def _find(self, rule: str) -> Decide | None:
        return self._decide.get(rule, self._default)

    def _default_rule(self) -> Decide | None:
        """What decides where there is no such rule, by name or as a check."""
        default = self._own.default_rule
        return self._decide.get(default) if isinstance(default, str) else default and self._compiled(default)

    def _is_in_scope(self, rule: str, credentials: Mapping[str, Any]) -> bool:
        scopes = self._scopes.get(rule)
        if scopes is None:
            return True
        scope = "system" if credentials.get("system") else "domain" if credentials.get("domain_id") else "project"
        return scope in scopes

    def _compiled(self, check: Any) -> Decide:
        kind = type(check)
        if kind is policy.AndCheck:
            return _all([self._compiled(part) for part in check.rules])
        if kind is policy.OrCheck:
            return _any([self._compiled(part) for part in check.rules])
        if kind is policy.NotCheck:
            inner = self._compiled(check.rule)
            return lambda target, credentials, current: not inner(target, credentials, current)
        if kind is policy.RuleCheck:
            return self._reference(check.match)
        if check.__class__.__module__.startswith("rambla_openstack."):
            raise ValueError(f"a rule says '{check}', which would ask for ever")
        return self._leaf(check)

    def _reference(self, rule: str) -> Decide:
        """A KeyError on the way is a no, as in oslo.policy."""

        def decide(target: Mapping[str, Any], credentials: MutableMapping[str, Any], current: str | None) -> Any:
            found = self._find(rule)
            try:
                return found(target, credentials, current) if found is not None else False
            except KeyError:
                return False

        return decide

    def _leaf(self, check: Any) -> Decide:
        """A check without parts, also one of the daemon's own kinds; old ones take no name of a rule."""
        own = self._own
        if len(inspect.getfullargspec(check.__call__).args) > 4:
            return lambda target, credentials, current: check(target, credentials, own, current)
        return lambda target, credentials, current: check(target, credentials, own)


def _all(parts: list[Decide]) -> Decide:
    def decide(target: Mapping[str, Any], credentials: MutableMapping[str, Any], current: str | None) -> bool:
        for part in parts:  # noqa: SIM110 - a generator takes longer than what it would save
            if not part(target, credentials, current):
                return False
        return True

    return decide


def _any(parts: list[Decide]) -> Decide:
    def decide(target: Mapping[str, Any], credentials: MutableMapping[str, Any], current: str | None) -> bool:
        for part in parts:  # noqa: SIM110 - a generator takes longer than what it would save
            if part(target, credentials, current):
                return True
        return False

    return decide


def _loaded(files: ServiceFiles, enforcer: policy.Enforcer) -> policy.Enforcer:
    """An Enforcer that reads no files by itself."""
    made = policy.Enforcer(enforcer.conf, default_rule=enforcer.default_rule, use_conf=False)
    made.suppress_deprecation_warnings = True
    for default in defaults_of(files.defaults):
        made.register_default(_registered(default))
    for text in (files.policy, *(text for _, text in files.directory)):
        made.set_rules(policy.Rules.load(text, made.default_rule), overwrite=False)
        for name, check in policy.parse_file_contents(text).items():
            made.file_rules[name] = policy.RuleDefault(name, check)
    for name, rule in made.registered_rules.items():
        if name not in made.rules:  # as in `load_rules`, which does it for its own files only
            made.rules[name] = made._handle_deprecated_rule(rule) if rule.deprecated_rule else rule.check
    return made


def _registered(default: dict[str, Any]) -> policy.RuleDefault:
    old = default.get("deprecated")
    told = {"deprecated_reason": "not told", "deprecated_since": "not told"}  # oslo.policy wants both
    deprecated = policy.DeprecatedRule(old["name"], old["check_str"], **told) if old else None
    scopes = default.get("scope_types") or None
    return policy.RuleDefault(default["name"], default["check_str"], scope_types=scopes, deprecated_rule=deprecated)
