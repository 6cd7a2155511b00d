"""May they, says somebody who decides nothing by themselves?

Whoever asks is judged as everybody is, and leaves a record if they may not ask. What they ask about leaves none: a
daemon asks for every request that it serves, and what comes of these requests is its own to record. How often what was
said is counted.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from rambla.domain.access import Decision, Target
from rambla.flow.consult import decided
from rambla.flow.guard import judge
from rambla.flow.platform import Op, Platform
from rambla.policy.credentials import prepare
from rambla.policy.policies import OWN as OWN  # the service that is the platform itself
from rambla.policy.policies import Policies

CHECK = "policy:check"


class Check(msgspec.Struct, frozen=True):
    """`credentials` are what is known of whoever wants something, `target` is what they want it of."""

    service: str
    rule: str
    target: dict[str, Any]
    credentials: dict[str, Any]


async def check(platform: Platform, op: Op, wanted: Sequence[Check]) -> tuple[int, list[Decision]]:
    """The number of the bundle that decides all of them, and the decisions in their order.

    Raises NoSuchService.
    """
    for service in dict.fromkeys(one.service for one in wanted) or (OWN,):
        await judge(platform, op, CHECK, target_of(service))
    in_force = platform.policy.in_force  # another may be in force while somebody is asked
    for one in wanted:
        in_force.policies.of(one.service)
    return in_force.number, [await _decide(platform, in_force.policies, one) for one in wanted]


def target_of(service: str) -> Target:
    return Target("", f"policy/openstack/{service}" if service != OWN else "policy")


async def _decide(platform: Platform, policies: Policies, wanted: Check) -> Decision:
    policy, known = policies.of(wanted.service), prepare(wanted.credentials)
    decision = await decided(platform.enforcers, policy, known, wanted.rule, wanted.target)
    platform.tally.add(wanted.service, allowed=decision.allowed)
    return decision
