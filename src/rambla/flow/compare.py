"""What would another policy decide, of what is asked from now on and of what was asked before?

In the shadow it decides beside the one in force, on this node and until the next start; over the journal it decides
once more what was asked. Neither changes anything, and neither tells what targets are called.
"""

from collections.abc import Mapping
from functools import partial

import anyio

from rambla.audit.ledger import Ledger
from rambla.domain.access import Decision, Target
from rambla.domain.errors import NotFound
from rambla.domain.records import Asked, Intent
from rambla.flow.bundles import READ, compiled
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.policy.bundle import File, check_note, files_of, hash_of
from rambla.policy.comparison import Comparison as Comparison  # what all of this gives
from rambla.policy.comparison import Otherwise as Otherwise  # and what that holds

DAY_MS = 86_400_000
DAYS_MAX = 366
RECORDS_MAX = 5_000_000
COMPARE = "policy:compare"
_SHADOW = Target("", "policy/shadow")


async def start_shadow(platform: Platform, op: Op, texts: Mapping[str, str], name: str) -> Comparison:
    """In place of another shadow, if there is one. Raises BadRequest or BadPolicy."""
    files, name = files_of(texts), check_note(name)
    async with guarded(platform, op, COMPARE, _target("shadow", files)):
        policies = await compiled(platform, files)
        platform.policy.shadow = Comparison(policies.own, name, platform.clock.now_ms())
        return platform.policy.shadow


async def shadow(platform: Platform, op: Op) -> Comparison:
    """Raises NotFound."""
    async with guarded(platform, op, READ, _SHADOW):
        return _existing(platform)


async def stop_shadow(platform: Platform, op: Op) -> Comparison:
    """What it came to. Raises NotFound."""
    async with guarded(platform, op, COMPARE, _SHADOW):
        found = _existing(platform)
        platform.policy.shadow = None
        return found


async def replay(platform: Platform, op: Op, texts: Mapping[str, str], days: int) -> Comparison:
    """What of the calls of the last days would be decided otherwise. Raises BadRequest or BadPolicy."""
    files = files_of(texts)
    async with guarded(platform, op, COMPARE, _target("journal", files)):
        since_ms = platform.clock.now_ms() - min(days, DAYS_MAX) * DAY_MS
        policies = await compiled(platform, files)
        comparison = Comparison(policies.own, "journal", since_ms)
        await anyio.to_thread.run_sync(partial(_read_journal, platform.ledger, comparison))
        return comparison


def _target(kind: str, files: tuple[File, ...]) -> Target:
    return Target("", f"policy/{kind}/{hash_of(files)}")


def _existing(platform: Platform) -> Comparison:
    if platform.policy.shadow is None:
        raise NotFound()
    return platform.policy.shadow


def _read_journal(ledger: Ledger, comparison: Comparison) -> None:
    """Blocking."""
    for record in ledger.since(comparison.since_ms, records_max=RECORDS_MAX):
        if isinstance(record, Intent) and record.asked is not None and record.at_ms >= comparison.since_ms:
            _see(comparison, record, record.asked)


def _see(comparison: Comparison, intent: Intent, asked: Asked) -> None:
    target = Target(intent.namespace, intent.target, asked.shared, asked.exported)
    comparison.see(intent.at_ms, asked.caller, intent.permission, target, Decision(intent.allowed, intent.rule))
