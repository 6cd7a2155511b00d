"""What must a store of alarms be able to do?

All methods may be called at once from one event loop. Each is one transaction: durable on return, or it raised and
nothing was changed. StorageFailed means the database is gone or full; the caller may try again.
"""

from collections.abc import Sequence
from typing import Protocol

from rambla.domain.names import FullName
from rambla.schedule.alarm import Alarm


class AlarmStore(Protocol):
    """One alarm for each trigger at most. Every write gives it a revision that no alarm of its trigger ever had."""

    async def get(self, trigger: FullName) -> Alarm | None: ...

    async def put(self, alarm: Alarm) -> None:
        """Write it, whatever was there before."""
        ...

    async def replace(self, alarms: Sequence[Alarm]) -> list[bool]:
        """Write those that are still at their revision; which ones were. The others were changed meanwhile, or are
        gone, and stay as they are."""
        ...

    async def delete(self, trigger: FullName) -> bool:
        """Remove it; False if there was none."""
        ...

    async def delete_all(self, namespace: str) -> None:
        """Remove the alarms of all triggers in the namespace."""
        ...

    async def earliest(self, limit: int) -> list[Alarm]:
        """Those with the smallest `wake_ms`, in that order, then by trigger; never one that is off."""
        ...
