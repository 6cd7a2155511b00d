"""May it happen, and is it written down that it will?

Every effect and every reading of somebody's data goes through here: decide, write the intent, let it happen, write
what came of it. Reads like the sentence it is; the rooms do the work.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rambla.domain.access import Decision, Target
from rambla.domain.errors import RamblaError, Refused, StorageFailed
from rambla.domain.records import Intent, Outcome, Work
from rambla.flow.decide import Judged, decide
from rambla.flow.platform import Op, Platform

INVOKE = "action:invoke"
OK = "ok"
INTERRUPTED = "interrupted"


async def judge(platform: Platform, op: Op, permission: str, target: Target) -> Judged:
    """The judgement if it is yes. Raises Refused, and leaves a record of it, if it is no."""
    judged = await decide(platform, op.caller, permission, target)
    if not judged.decision.allowed:
        platform.ledger.note(intent_of(platform, op, permission, target, judged))
        raise refusal(target, judged.decision)
    return judged


def refusal(target: Target, decision: Decision) -> Refused:
    why = {"reason": decision.reason} if decision.reason else {}
    return Refused(target=target.name, rule=decision.name, layer=decision.layer, line=decision.line, **why)


def intent_of(
    platform: Platform, op: Op, permission: str, target: Target, judged: Judged, *, work: Work | None = None
) -> Intent:
    """The record that `op` is about to do `permission` to `target`."""
    return Intent(
        id=platform.ids.next(),
        at_ms=platform.clock.now_ms(),
        subject=op.caller.subject,
        source=op.caller.source,
        permission=permission,
        namespace=target.namespace,
        target=target.name,
        allowed=judged.decision.allowed,
        rule=judged.decision.name,
        activation_id=work.activation_id if work else None,
        work=work,
        bundle=judged.bundle,
        asked=judged.asked,
    )


@asynccontextmanager
async def guarded(platform: Platform, op: Op, permission: str, target: Target) -> AsyncIterator[Intent]:
    """What stands inside happens only after a yes that is on disk, and its outcome is on disk before the caller hears.

    Raises Refused, or StorageFailed if the intent or the outcome could not be written; the outcome is then written as
    soon as there is room again.
    """
    judged = await judge(platform, op, permission, target)
    intent = intent_of(platform, op, permission, target, judged)
    await platform.ledger.write(intent)
    try:
        yield intent
    except BaseException as error:
        status = error.code if isinstance(error, RamblaError) else INTERRUPTED
        await _conclude(platform, intent, status)
        raise
    await _conclude(platform, intent, OK)


async def _conclude(platform: Platform, intent: Intent, status: str) -> None:
    outcome = Outcome(intent_id=intent.id, at_ms=platform.clock.now_ms(), status=status)
    try:
        await platform.ledger.write(outcome)
    except StorageFailed:
        platform.tasks.start(f"outcome of {intent.id}", platform.ledger.write_at_last, outcome)
        raise
