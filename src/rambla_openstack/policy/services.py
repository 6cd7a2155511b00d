"""What does a bundle say to one service?

Its files below `openstack/SERVICE/`: `defaults.yaml`, what the service registers in code; `policy.yaml`, oslo.policy's
policy file; `policy.d/NAME.yaml`, those of its policy directory. Pure, and it does not know what the rules mean.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from rambla_openstack.policy.signed import Bundle, Untrusted

SERVICE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_IN_DIRECTORY = re.compile(r"policy\.d/([A-Za-z0-9_][A-Za-z0-9_. -]{0,127}\.yaml)")


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """`policy` is empty if there is no such file. `directory` has names and texts in the order of their reading."""

    defaults: str
    policy: str
    directory: tuple[tuple[str, str], ...]


def files_of(bundle: Bundle, service: str) -> ServiceFiles | None:
    """None if the bundle says nothing to this service. Raises Untrusted if it says what nobody understands."""
    prefix = f"openstack/{service}/"
    texts = {name.removeprefix(prefix): text for name, text in bundle.files.items() if name.startswith(prefix)}
    if not texts:
        return None
    if "defaults.yaml" not in texts:
        raise Untrusted(f"{prefix}defaults.yaml is missing")
    defaults, policy = texts.pop("defaults.yaml"), texts.pop("policy.yaml", "")
    directory = []
    for name in sorted(texts):
        found = _IN_DIRECTORY.fullmatch(name)
        if found is None:
            raise Untrusted(f"{prefix}{name[:200]} is no file of a service")
        directory.append((found[1], texts[name]))
    return ServiceFiles(defaults, policy, tuple(directory))


def defaults_of(text: str) -> list[dict[str, Any]]:
    """The rules of `defaults.yaml`, each with `name` and `check_str` at least. Raises Untrusted."""
    rules = _yaml(text, "defaults.yaml")
    if not isinstance(rules, list) or not all(_is_rule(rule) for rule in rules):
        raise Untrusted("defaults.yaml is no list of rules with name and check_str")
    return rules


def names_of(files: ServiceFiles) -> list[str]:
    """The names of all rules that the service or one of its files has, sorted. Raises Untrusted."""
    names = {str(rule["name"]) for rule in defaults_of(files.defaults)}
    for name, text in (("policy.yaml", files.policy), *files.directory):
        rules = _yaml(text, name) or {}
        if not isinstance(rules, dict) or not all(isinstance(rule, str) for rule in rules):
            raise Untrusted(f"{name} is no mapping of rules")
        names |= set(rules)
    return sorted(names)


def _is_rule(rule: Any) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("name"), str) and isinstance(rule.get("check_str"), str)


def _yaml(text: str, name: str) -> Any:
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - each of the two is a safe one
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Untrusted(f"{name} is no YAML") from None


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where libyaml is built in
