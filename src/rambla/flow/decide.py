"""What does the policy in force say?

The one place where it is asked. What it is told of caller and target is kept with the decision, for the record.
"""

from typing import NamedTuple

from rambla.domain.access import Caller, Decision, Target
from rambla.domain.records import Asked
from rambla.flow.consult import decided
from rambla.flow.platform import Platform
from rambla.policy.defaults import attributes, credentials

BEYOND_TOKEN = Decision(False, "token/scope", reason="the token is not good for this")


class Judged(NamedTuple):
    """A decision, the number of the bundle that made it, and what it was asked."""

    decision: Decision
    bundle: int
    asked: Asked | None


async def decide(platform: Platform, caller: Caller, permission: str, target: Target) -> Judged:
    """The decision of the policy in force. Never raises for what the policy says."""
    if not caller.may_try(permission, target.namespace):
        return Judged(BEYOND_TOKEN, platform.policy.number, Asked.of(caller, target))
    holder = platform.policy
    policy, number = holder.policy, holder.number  # another may be in force while somebody is asked
    decision = await decided(platform.enforcers, policy, credentials(caller), permission, attributes(target))
    if holder.shadow is not None:
        holder.shadow.see(platform.clock.now_ms(), caller, permission, target, decision)
    return Judged(decision, number, Asked.of(caller, target))
