"""What may a namespace use after the operator changed it?

The numbers of a namespace stay within what the platform allows one action; how much in a minute is the operator's to
say. Pure: `flow/tend.py` reads before and writes after.
"""

import msgspec

from rambla.catalog.bounds import ActionRanges
from rambla.catalog.kinds import resolve
from rambla.domain.changes import NamespaceChange
from rambla.domain.entities import BLACKBOX, SEQUENCE, Namespace
from rambla.domain.errors import BadRequest

_PER_MINUTE_MAX = 10**9


def changed(old: Namespace, change: NamespaceChange, allowed: ActionRanges) -> Namespace:
    """`old` with what is given. Raises BadRequest for what cannot be, MalformedContent for a kind that there is not."""
    many = (0, _PER_MINUTE_MAX)
    for name, value, (least, most) in (
        ("invocationsPerMinute", change.invocations_per_minute, many),
        ("concurrentInvocations", change.concurrent_invocations, many),
        ("firesPerMinute", change.fires_per_minute, many),
        ("maxActionTimeout", change.timeout_ms_max, allowed.timeout_ms),
        ("maxActionMemory", change.memory_mb_max, allowed.memory_mb),
        ("maxActionLogs", change.logs_mb_max, allowed.logs_mb),
    ):
        if value is not None and not least <= value <= most:
            raise BadRequest(detail=f"{name} must be in the range of {least} to {most}.")
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    if change.allowed_kinds is not None:
        given["allowed_kinds"] = tuple(dict.fromkeys(map(_kind, change.allowed_kinds)))
    return msgspec.structs.replace(old, **given)


def _kind(name: str) -> str:
    return name if name in (SEQUENCE, BLACKBOX) else resolve(name).name
