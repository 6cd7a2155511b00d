"""Which alarms are there, and did one of them change?

The store, and word for whoever waits for the next one to be due.
"""

from collections.abc import Sequence

import anyio

from rambla.domain.names import FullName
from rambla.schedule.alarm import Alarm
from rambla.schedule.ports import AlarmStore


class Alarms:
    """Every method is the store's. `changed` is set, and replaced by a new event, whenever an alarm was written: take
    it before looking, and wait for it afterwards."""

    def __init__(self, store: AlarmStore) -> None:
        self._store = store
        self.changed = anyio.Event()

    async def get(self, trigger: FullName) -> Alarm | None:
        return await self._store.get(trigger)

    async def put(self, alarm: Alarm) -> None:
        await self._store.put(alarm)
        self._tell()

    async def replace(self, alarms: Sequence[Alarm]) -> list[bool]:
        replaced = await self._store.replace(alarms)
        self._tell()
        return replaced

    async def delete(self, trigger: FullName) -> bool:
        return await self._store.delete(trigger)

    async def delete_all(self, namespace: str) -> None:
        await self._store.delete_all(namespace)

    async def earliest(self, limit: int) -> list[Alarm]:
        return await self._store.earliest(limit)

    def _tell(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()
