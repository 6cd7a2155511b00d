"""Which rules does an OpenStack service register in code?

`python -m rambla_openstack.defaults SERVICE`, run in the service's own environment, prints them as `defaults.yaml` of a
bundle has them: a YAML list of name, check_str, scope_types and deprecated. SERVICE is the name of the service's entry
point in `oslo.policy.policies`: keystone, nova, ironic.api.
"""

import argparse
import importlib.metadata
import sys
from typing import Any

import yaml

GROUP = "oslo.policy.policies"


def registered(service: str) -> list[dict[str, Any]]:
    """Raises LookupError if no such service is installed here."""
    for entry in importlib.metadata.entry_points(group=GROUP, name=service):
        return [described(rule) for rule in entry.load()()]
    known = sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)})
    raise LookupError(f"no service '{service}' is installed here, but: {' '.join(known) or 'none'}")


def described(rule: Any) -> dict[str, Any]:
    """One rule, an `oslo_policy.policy.RuleDefault`."""
    found = {"name": rule.name, "check_str": rule.check_str}
    if rule.scope_types:
        found["scope_types"] = list(rule.scope_types)
    if rule.deprecated_rule:
        found["deprecated"] = {"name": rule.deprecated_rule.name, "check_str": rule.deprecated_rule.check_str}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rambla_openstack.defaults", description=__doc__)
    parser.add_argument("service")
    options = parser.parse_args()
    try:
        rules = registered(options.service)
    except LookupError as error:
        raise SystemExit(str(error.args[0])) from None
    yaml.safe_dump(rules, sys.stdout, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    main()
