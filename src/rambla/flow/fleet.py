"""Which daemons elsewhere have the policy in force, and who may say so and know?

A report is written down when it tells something new; one that only says that all is as it was leaves no record. A host
is whose reported it first.
"""

from collections.abc import Sequence

import anyio

from rambla.domain.access import Target
from rambla.domain.errors import NotFound
from rambla.fleet.fleet import DAEMONS_MAX as DAEMONS_MAX  # how many `report` takes
from rambla.fleet.ports import NAME_PATTERN as NAME_PATTERN  # what a host is called
from rambla.fleet.ports import Daemon as Daemon  # what `report` takes
from rambla.fleet.ports import Name as Name
from rambla.fleet.states import Entry as Entry  # what `fleet` gives
from rambla.fleet.states import Wanted, counts, entries
from rambla.flow.bundles import READ
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Op, Platform
from rambla.flow.sync import SYNC

FORGET = "policy:fleet"
SEEN_S = 10.0
_ALL = Target("", "policy/fleet")


async def report(platform: Platform, op: Op, host: str, daemons: Sequence[Daemon]) -> None:
    """Raises BadRequest, HostTaken or FleetFull."""
    target = _target(host)
    await judge(platform, op, SYNC, target)
    reported = platform.fleet.report(host, op.caller.subject, daemons)
    if await platform.fleet.is_known(reported):
        return
    async with guarded(platform, op, SYNC, target):
        await platform.fleet.put(reported)


async def fleet(platform: Platform, op: Op) -> tuple[int, list[Entry]]:
    """The number of the bundle in force, and every daemon by host and name."""
    async with guarded(platform, op, READ, _ALL):
        return platform.policy.number, await _entries(platform)


async def forget(platform: Platform, op: Op, host: str) -> None:
    """Somebody else may report it from now on. Raises NotFound."""
    async with guarded(platform, op, FORGET, _target(host)):
        if not await platform.fleet.forget(host):
            raise NotFound()


async def daemons_by_state(platform: Platform) -> dict[str, int]:
    """For whoever has been judged already. Raises StorageFailed."""
    return counts(await _entries(platform))


async def save_seen(platform: Platform) -> None:
    while True:
        await anyio.sleep(SEEN_S)
        await platform.fleet.save_seen()


async def _entries(platform: Platform) -> list[Entry]:
    in_force = platform.policy.in_force
    wanted = Wanted(in_force.number, in_force.hash, platform.fleet.silent_ms)
    return list(entries(await platform.fleet.hosts(), wanted, platform.clock.now_ms()))


def _target(host: str) -> Target:
    return Target("", f"policy/fleet/{host}")
