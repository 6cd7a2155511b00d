"""Every store of what hosts report keeps the port's promises."""

import pytest

from rambla.domain.errors import HostTaken
from rambla.drivers.memory.fleet import MemoryFleetStore
from rambla.drivers.sql.fleet import SqlFleetStore
from rambla.fleet.fleet import Fleet
from rambla.fleet.ports import FleetStore
from rambla.kit.clock import ManualClock
from rambla.testing.fleet_store import DAEMON, FleetStoreSuite


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
class TestFleetStore(FleetStoreSuite):
    @pytest.fixture
    async def store(self, kind: str, open_fresh) -> FleetStore:
        if kind == "memory":
            return MemoryFleetStore()
        return SqlFleetStore(await open_fresh(kind, "catalog"))


async def test_two_nodes_on_one_postgresql_see_one_fleet(open_fresh) -> None:
    database, clock = await open_fresh("postgresql", "catalog"), ManualClock()
    here, there = (Fleet(SqlFleetStore(database), clock) for _ in range(2))
    await here.put(here.report("h1", "agent", [DAEMON]))
    assert await there.hosts() == await here.hosts()
    clock.advance(50_000)
    assert await there.is_known(there.report("h1", "agent", [DAEMON])), "a heartbeat may come to either"
    assert [one.seen_ms for one in await here.hosts()] == [clock.now_ms() - 50_000]
    await there.save_seen()
    assert [one.seen_ms for one in await here.hosts()] == [clock.now_ms()]
    with pytest.raises(HostTaken):
        await there.put(there.report("h1", "other", [DAEMON]))
    assert await there.forget("h1")
    assert await here.hosts() == []
    assert await here.is_known(here.report("h1", "agent", [DAEMON]))
    await here.save_seen()
    assert not await here.is_known(here.report("h1", "agent", [DAEMON])), "so it is reported anew"
