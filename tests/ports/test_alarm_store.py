"""Every store of alarms keeps the port's promises."""

import pytest

from rambla.drivers.memory.alarms import MemoryAlarmStore
from rambla.drivers.sql.alarms import SqlAlarmStore
from rambla.schedule.ports import AlarmStore
from rambla.testing.alarm_store import AlarmStoreSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestAlarmStore(AlarmStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> AlarmStore:
        return MemoryAlarmStore() if kind == "memory" else SqlAlarmStore(await open_fresh(kind, "catalog"))
