"""Routes are compiled once, and anew as soon as an API of the namespace is written."""

import anyio
import pytest

from rambla.drivers.memory.apis import MemoryApiStore
from rambla.gateway.api import Api, Route, gateway_id
from rambla.gateway.apis import Apis
from rambla.testing.api_store import TARGET, api

pytestmark = pytest.mark.anyio
GUEST = gateway_id("guest")


class Watched(MemoryApiStore):
    """Counts how often routes are read; with `hold`, a reader waits in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.hold: anyio.Event | None = None

    async def routes(self, identifier: str) -> list[Api]:
        self.reads += 1
        found = await super().routes(identifier)
        if self.hold is not None:
            await self.hold.wait()
        return found


def many(base_path: str, namespace: str, routes: int) -> Api:
    made = tuple(Route(method="GET", path=f"/{number}", target=TARGET) for number in range(routes))
    return api(base_path, namespace, routes=made)


async def test_routes_are_read_once() -> None:
    store = Watched()
    apis = Apis(store)
    await apis.put(api(), expected_revision=None)
    for _ in range(3):
        assert (await apis.router(GUEST)).find(("base", "path")) is not None
    assert (store.reads, apis.routes_held) == (1, 1)


async def test_every_write_is_seen_at_once() -> None:
    apis = Apis(Watched())
    written = await apis.put(api(), expected_revision=None)
    assert (await apis.router(GUEST)).find(("base", "path"))
    changed = await apis.put(many("/base", "guest", 1), expected_revision=written.revision)
    assert (await apis.router(GUEST)).find(("base", "0"))
    await apis.delete("guest", "/base", expected_revision=changed.revision)
    assert (await apis.router(GUEST)).find(("base", "0")) is None
    await apis.put(api(), expected_revision=None)
    assert (await apis.router(GUEST)).find(("base", "path"))
    await apis.delete_all("guest")
    assert (await apis.router(GUEST)).routes == 0
    assert apis.routes_held == 0


async def test_what_was_read_before_a_write_is_not_remembered_after_it() -> None:
    store = Watched()
    apis = Apis(store)
    written = await apis.put(api(), expected_revision=None)
    store.hold = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(apis.router, GUEST)
        await anyio.wait_all_tasks_blocked()
        await apis.delete("guest", "/base", expected_revision=written.revision)
        store.hold.set()
    assert (await apis.router(GUEST)).routes == 0


async def test_guessed_ids_drive_nothing_out() -> None:
    store = Watched()
    apis = Apis(store)
    await apis.put(api(), expected_revision=None)
    await apis.router(GUEST)
    for number in range(100):
        assert (await apis.router(f"{number:032x}")).routes == 0
    assert apis.routes_held == 1


async def test_the_longest_unasked_give_way_and_too_many_are_never_held() -> None:
    store = Watched()
    apis = Apis(store, routes_max=10)
    for namespace, routes in (("a", 4), ("b", 4), ("c", 4), ("d", 11)):
        await apis.put(many("/", namespace, routes), expected_revision=None)
    for namespace in ("a", "b", "a", "c", "a", "d", "a"):
        await apis.router(gateway_id(namespace))
    assert (store.reads, apis.routes_held) == (4, 8)
    await apis.router(gateway_id("b"))
    assert (store.reads, apis.routes_held) == (5, 8)
