"""Which blank sandboxes are kept ready?

One for each wish that came lately: a start of the same kind, size and right to grants takes it, and another is made a
moment later. A spare has loaded nothing yet, so it may become anybody's. What cannot be made is not: a spare is never
owed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from rambla.domain.errors import EngineFailed
from rambla.drivers.process.sandbox import ProcessSandbox

Wish = tuple[str, int, bool]
"""Family of the runtime, memory in MiB, whether grants will be served."""
_WISHES_MAX = 4
_PAUSE_S = 0.05  # lets the sandbox that was just handed out have the processor first


class Spares:
    """At most `_WISHES_MAX` spares; the one whose wish came longest ago gives way."""

    def __init__(self, conceive: Callable[[Wish], ProcessSandbox]) -> None:
        self._conceive = conceive
        self._ready: dict[Wish, ProcessSandbox] = {}
        self._closed = False

    def take(self, wish: Wish) -> ProcessSandbox | None:
        """The spare for `wish`, if there is one and it still lives."""
        spare = self._ready.pop(wish, None)
        return spare if spare and spare.alive else None

    def plan(self, wish: Wish) -> None:
        """Have a spare for `wish` soon."""
        asyncio.get_running_loop().call_later(_PAUSE_S, self._make, wish)

    async def close(self) -> None:
        self._closed = True
        while self._ready:
            await self._ready.popitem()[1].close()

    def _make(self, wish: Wish) -> None:
        if self._closed or wish in self._ready:
            return
        while len(self._ready) >= _WISHES_MAX:
            self._ready.pop(next(iter(self._ready))).abandon()
        with suppress(EngineFailed):
            self._ready[wish] = self._conceive(wish)
