"""What was promised before the last stop and has not ended?

Run once at start, before the edges open. The journal is read from its low-water mark; what has no outcome is settled:
work runs again if its promise says so, everything else is recorded as interrupted. Nothing acknowledged is left open.
"""

import logging
from collections.abc import Callable

from rambla.catalog.arguments import merge
from rambla.domain.activation import Activation
from rambla.domain.errors import RamblaError
from rambla.domain.records import Intent, Outcome, Record, Work, decode_record
from rambla.flow.invoke import start
from rambla.flow.perform import never_ran, outcome_of
from rambla.flow.platform import Platform
from rambla.flow.resolve import runnable
from rambla.flow.task import Task
from rambla.kit.journal import Journal

log = logging.getLogger(__name__)
_READ_RECORDS_MAX = 10_000
_READ_BYTES_MAX = 32 * 2**20
INTERRUPTED = "The platform stopped while the action was running; it was not run again."


def read_back(journal: Journal, from_seq: int, track: Callable[[int, Record], None]) -> None:
    """Give every durable record from `from_seq` on to `track`, in order."""
    seq = from_seq
    while records := journal.read(seq, records_max=_READ_RECORDS_MAX, bytes_max=_READ_BYTES_MAX):
        for seq_read, payload in records:
            track(seq_read, decode_record(payload))
            seq = seq_read + 1


async def settle(platform: Platform) -> tuple[int, int]:
    """(how many run again, how many were recorded as interrupted). Raises StorageFailed."""
    again = ended = 0
    for intent, started in platform.ledger.pending.left_open():
        if intent.work is None:
            outcome = Outcome(intent_id=intent.id, at_ms=platform.clock.now_ms(), status="interrupted")
            await platform.ledger.write(outcome)
        elif intent.work.replay == "always" or (intent.work.replay == "unless_started" and not started):
            again += await _run_again(platform, intent, intent.work)
        else:
            await _give_up(platform, intent, never_ran(platform, intent, intent.work, INTERRUPTED))
            ended += 1
    if again or ended:
        log.warning("after the last stop: %d activations run again, %d recorded as interrupted", again, ended)
    return again, ended


async def _run_again(platform: Platform, intent: Intent, work: Work) -> int:
    try:
        found = await runnable(platform, work.action)
        arguments = merge(found.defaults, work.payload)
    except RamblaError as error:
        if error.fault != "caller":
            raise
        await _give_up(platform, intent, never_ran(platform, intent, work, str(error)))
        return 0
    start(platform, Task.of(intent, found, arguments), counted=False)
    return 1


async def _give_up(platform: Platform, intent: Intent, activation: Activation) -> None:
    await platform.ledger.write(outcome_of(platform, intent, activation))
    platform.activations.remember(activation)
