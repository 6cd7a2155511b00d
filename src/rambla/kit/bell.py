"""Who waits for something to change, and how are they all woken at once?

Waiting costs a task and no processor time. A bell that is closed keeps nobody waiting any more: the process is about to
end. It says that something changed, not what; whoever is woken looks.
"""

import anyio


class Bell:
    """`waiting` is how many wait now."""

    def __init__(self) -> None:
        self.closed = False
        self.waiting = 0
        self._rung = anyio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        rung, self._rung = self._rung, anyio.Event()
        rung.set()

    def close(self) -> None:
        """Wake all, and keep nobody waiting from now on."""
        self.closed = True
        self.ring()

    async def wait(self) -> None:
        """Until it rings next."""
        if self.closed:
            return
        self.waiting += 1
        try:
            await self._rung.wait()
        finally:
            self.waiting -= 1
