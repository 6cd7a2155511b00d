"""Alarms in a dict. (port: rambla.schedule.ports.AlarmStore)"""

from collections.abc import Sequence
from itertools import count

import msgspec

from rambla.domain.names import FullName
from rambla.schedule.alarm import Alarm


class MemoryAlarmStore:
    def __init__(self) -> None:
        self._alarms: dict[FullName, Alarm] = {}
        self._revisions = count(1)

    async def get(self, trigger: FullName) -> Alarm | None:
        return self._alarms.get(trigger)

    async def put(self, alarm: Alarm) -> None:
        self._alarms[alarm.trigger] = msgspec.structs.replace(alarm, revision=next(self._revisions))

    async def replace(self, alarms: Sequence[Alarm]) -> list[bool]:
        return [await self._replace(alarm) for alarm in alarms]

    async def delete(self, trigger: FullName) -> bool:
        return self._alarms.pop(trigger, None) is not None

    async def delete_all(self, namespace: str) -> None:
        for trigger in [trigger for trigger in self._alarms if trigger.namespace == namespace]:
            del self._alarms[trigger]

    async def earliest(self, limit: int) -> list[Alarm]:
        waiting = [
            (alarm.wake_ms, alarm.trigger, alarm) for alarm in self._alarms.values() if alarm.wake_ms is not None
        ]
        return [alarm for _, _, alarm in sorted(waiting, key=lambda each: each[:2])[:limit]]

    async def _replace(self, alarm: Alarm) -> bool:
        current = self._alarms.get(alarm.trigger)
        if current is None or current.revision != alarm.revision:
            return False
        await self.put(alarm)
        return True
