"""How does whoever decides elsewhere come by the newest policy?

They wait until there is one, and are told at once; then they take the whole bundle, signed as it was published. That
somebody waits leaves no record, that they were given a bundle does.
"""

from collections.abc import Awaitable, Callable

import anyio

from rambla.domain.access import Target
from rambla.domain.errors import NotFound, TooManyConcurrent
from rambla.flow.bundles import POLICY, reload
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Op, Platform
from rambla.kit.tasks import until_first
from rambla.policy.bundle import Bundle as Bundle  # what `bundle` gives
from rambla.policy.freshness import SIGNED_MS
from rambla.policy.freshness import Statement as Statement  # what `newest` gives

SYNC = "policy:sync"
WAIT_MS_MAX = 30_000
WAITING_MAX = 5_000


async def newest(
    platform: Platform, op: Op, known: int, wait_ms: int, gone: Callable[[], Awaitable[None]]
) -> Statement:
    """What is in force, as soon as that is not the bundle `known`, or the time is over, or `gone` returns.

    Raises TooManyConcurrent if so many wait that others would find no connection, and StorageFailed if nobody can say
    whether there is a newer one: to call the one that is known here the newest would be a lie.
    """
    await judge(platform, op, SYNC, POLICY)
    if platform.news.waiting >= WAITING_MAX and platform.policy.number == known and wait_ms:
        raise TooManyConcurrent(count=platform.news.waiting, allowed=WAITING_MAX)

    async def changed() -> None:
        while platform.policy.number == known and not platform.news.closed:
            await platform.news.wait()

    with anyio.move_on_after(wait_ms / 1000):
        await until_first(changed, gone)
    if not 0 <= platform.clock.now_ms() - platform.policy.looked_ms < SIGNED_MS:
        await reload(platform)
    return platform.freshness.statement(platform.policy.in_force, platform.signer, platform.policy.looked_ms)


async def bundle(platform: Platform, op: Op, number: int) -> Bundle:
    """Raises NotFound."""
    async with guarded(platform, op, SYNC, Target("", f"policy/{number}")):
        found = await platform.bundles.get(number)
        if found is None:
            raise NotFound()
        return found
