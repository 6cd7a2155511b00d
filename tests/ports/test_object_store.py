"""Every object store keeps the port's promises: the one in memory, and a real Swift."""

from collections.abc import AsyncIterator

import httpx
import pytest

from rambla.domain.errors import ObjectStoreFailed
from rambla.drivers.memory.objects import MemoryObjects
from rambla.drivers.swift.embedded import EmbeddedSwift, open_embedded
from rambla.drivers.swift.store import SwiftStore, TempAuthLogin
from rambla.kit.clock import ManualClock, SystemClock
from rambla.objects.ports import ObjectStore, Subscription
from rambla.testing.object_store import ObjectStoreSuite, Outside

pytestmark = pytest.mark.anyio


class OutsideMemory:
    def __init__(self, store: MemoryObjects) -> None:
        self._store = store

    async def opens(self, namespace: str, secret: str) -> bool:
        return self._store.keys.get(namespace) == secret

    async def send(self, method: str, path: str, query: str, content: bytes = b"") -> tuple[int, bytes]:
        return self._store.answer(method, path, query, content)

    async def subscriptions(self, namespace: str, container: str) -> set[tuple[str, str, str]] | None:
        if (namespace, container) not in self._store.containers:
            return None
        found = self._store.subscriptions
        return {
            (one.trigger, one.prefix, one.suffix) for key, one in found.items() if key[:2] == (namespace, container)
        }


class OutsideSwift:
    """Anybody with an HTTP client."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def opens(self, namespace: str, secret: str) -> bool:
        return (await self._log_in(namespace, secret)).status_code == 200

    async def send(self, method: str, path: str, query: str, content: bytes = b"") -> tuple[int, bytes]:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.request(method, f"{self._url}{path}?{query}", content=content)
        return answer.status_code, b"" if answer.status_code == 401 else answer.content

    async def subscriptions(self, namespace: str, container: str) -> set[tuple[str, str, str]] | None:
        headers = dict((await self._log_in(namespace, "s")).headers)
        async with httpx.AsyncClient(trust_env=False, headers={"X-Auth-Token": headers["x-auth-token"]}) as client:
            answer = await client.get(f"{headers['x-storage-url']}/{container}?notification")
        if answer.status_code == 404:
            return None
        return {(one["trigger"], one["prefix"], one["suffix"]) for one in answer.json()["subscriptions"]}

    async def _log_in(self, namespace: str, secret: str) -> httpx.Response:
        headers = {"X-Auth-User": f"{namespace}:{namespace}", "X-Auth-Key": secret}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"{self._url}/auth/v1.0", headers=headers)


@pytest.fixture(scope="module")
async def swift(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[EmbeddedSwift]:
    pytest.importorskip("swift.common", reason="OpenStack Swift is not installed: pip install 'rambla[swift]'")
    folder = tmp_path_factory.mktemp("swift")
    (folder / "token").write_text("sesame")
    embedded = open_embedded(folder / "swift", "http://127.0.0.1:1", folder / "token")
    try:
        await embedded.start()
        yield embedded
    finally:
        await embedded.close()


class TestMemoryObjects(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryObjects(ManualClock())

    @pytest.fixture
    def outside(self, store: MemoryObjects) -> Outside:
        return OutsideMemory(store)


class TestSwift(ObjectStoreSuite):
    @pytest.fixture
    def store(self, swift: EmbeddedSwift) -> ObjectStore:
        return swift.store

    @pytest.fixture
    def outside(self, swift: EmbeddedSwift) -> Outside:
        return OutsideSwift(swift.url)


@pytest.mark.parametrize("kind", ["memory", "swift"])
async def test_a_store_that_is_away_is_the_worlds_fault(kind: str) -> None:
    store: ObjectStore
    if kind == "memory":
        store = memory = MemoryObjects(ManualClock())
        memory.away = True
    else:
        store = SwiftStore("http://127.0.0.1:1", TempAuthLogin("u", "k"), NoUsers(), b"key", SystemClock())
    with pytest.raises(ObjectStoreFailed):
        await store.open_account("guest", "uuid", "s")
    with pytest.raises(ObjectStoreFailed):
        await store.subscribe("guest", Subscription(trigger="guest/a", container="c"))
    with pytest.raises(ObjectStoreFailed):
        await store.unsubscribe("guest", "c", "guest/a")
    assert not any(text.startswith("ok") for text in (await store.health()).values())
    await store.close()


class NoUsers:
    def put(self, namespace: str, secret: str) -> None: ...

    def remove(self, namespace: str) -> None: ...
