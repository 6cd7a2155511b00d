"""May they, by the policy of the whole cloud? A check for oslo.policy's rules.

`rambla:SERVICE/RULE` asks for that rule of the service, `rambla:SERVICE` for the rule that is being decided.
oslo.policy finds the check by its entry point `rambla` of `oslo.policy.rule_checks`. No policy, or one that is too old:
no.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

from oslo_policy import policy

from rambla_openstack.policy.folder import CURRENT


class RamblaCheck(policy.Check):  # type: ignore[misc]  # oslo.policy is the daemon's
    def __init__(self, kind: str, match: str) -> None:
        super().__init__(kind, match)
        self._service, _, self._rule = match.partition("/")

    def __call__(
        self,
        target: Mapping[str, Any],
        creds: MutableMapping[str, Any],
        enforcer: policy.Enforcer,
        current_rule: str | None = None,
    ) -> Any:
        rules = CURRENT.rules(self._service, enforcer)
        rule = self._rule or current_rule
        return rules.decide(rule, target, creds, current_rule) if rules and rule else False
