"""Does a driver keep what rambla.fleet.ports.FleetStore promises?

A test class inherits `FleetStoreSuite` and provides the fixture `store`: an empty one for each test.
"""

import anyio
from msgspec.structs import replace

from rambla.domain.errors import FleetFull, HostTaken
from rambla.fleet.ports import Daemon, FleetStore, Host
from rambla.testing.checks import raises

MANY = 100
DAEMON = Daemon("keystone-api", "keystone", "files", 7, "refused", "h" * 64, "line 3: é \0 \U0001f600")


def host(name: str = "h1", by: str = "agent", seen_ms: int = 1000, *daemons: Daemon) -> Host:
    return Host(name, by, seen_ms, daemons or (DAEMON,))


class FleetStoreSuite:
    async def test_what_is_put_is_got_with_every_field(self, store: FleetStore) -> None:
        whole = host("h1", "corp/ann", 2**62, DAEMON, replace(DAEMON, daemon="other", mode="plugin", detail=""))
        await store.put(whole, hosts_max=MANY)
        assert await store.get("h1") == whole
        assert await store.all() == [whole]

    async def test_an_empty_store_has_nothing(self, store: FleetStore) -> None:
        assert await store.get("h1") is None
        assert await store.all() == []
        assert await store.delete("h1") is False
        assert await store.see({}) == set()
        assert await store.see({"h1": 1}) == {"h1"}

    async def test_a_report_takes_the_place_of_the_one_before(self, store: FleetStore) -> None:
        await store.put(host(), hosts_max=1)
        newer = replace(host(), daemons=(), seen_ms=2000)
        await store.put(newer, hosts_max=1)
        assert await store.all() == [newer]

    async def test_a_host_is_whose_reported_it_first_until_it_is_forgotten(self, store: FleetStore) -> None:
        await store.put(host(), hosts_max=MANY)
        with raises(HostTaken):
            await store.put(host(by="other", seen_ms=2000), hosts_max=MANY)
        assert await store.all() == [host()]
        assert await store.delete("h1") is True
        await store.put(host(by="other"), hosts_max=MANY)
        assert await store.all() == [host(by="other")]

    async def test_no_more_than_so_many_are_taken_in(self, store: FleetStore) -> None:
        for name in "ab":
            await store.put(host(name), hosts_max=2)
        with raises(FleetFull):
            await store.put(host("c"), hosts_max=2)
        await store.put(host("a", seen_ms=2000), hosts_max=2)
        assert [(one.host, one.seen_ms) for one in await store.all()] == [("a", 2000), ("b", 1000)]

    async def test_who_is_seen_is_seen_later_and_never_earlier(self, store: FleetStore) -> None:
        for name in "ba":
            await store.put(host(name), hosts_max=MANY)
        assert await store.see({"a": 3000, "b": 500, "gone": 1}) == {"gone"}
        assert [(one.host, one.seen_ms) for one in await store.all()] == [("a", 3000), ("b", 1000)]
        assert await store.get("a") == host("a", seen_ms=3000)
        assert await store.get("gone") is None

    async def test_of_several_at_the_same_time_one_gets_the_host(self, store: FleetStore) -> None:
        outcomes: list[str] = []

        async def put(by: str) -> None:
            try:
                await store.put(host(by=by), hosts_max=MANY)
                outcomes.append(by)
            except HostTaken:
                pass

        async with anyio.create_task_group() as group:
            for by in "abcdef":
                group.start_soon(put, by)
        (winner,) = outcomes
        assert await store.all() == [host(by=winner)]
