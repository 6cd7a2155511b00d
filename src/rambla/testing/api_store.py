"""Does a driver keep what rambla.gateway.ports.ApiStore promises?

A test class inherits `ApiStoreSuite` and provides the fixture `store`: an empty one for each test.
"""

from typing import Any

import anyio
from msgspec.structs import replace

from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.domain.names import FullName
from rambla.gateway.api import ActionTarget, Api, KeyCheck, RateLimit, Route, gateway_id
from rambla.gateway.ports import ApiStore
from rambla.testing.checks import raises

TARGET = ActionTarget(FullName("guest", "p", "a"))


def api(base_path: str = "/base", namespace: str = "guest", **fields: Any) -> Api:
    routes = (Route(method="GET", path="/path", target=TARGET),)
    given: dict[str, Any] = {"name": base_path, "document": b"{}", "routes": routes} | fields
    return Api(namespace=namespace, base_path=base_path, **given)


class ApiStoreSuite:
    async def test_what_is_put_is_got_with_every_field(self, store: ApiStore) -> None:
        whole = api(
            "/b\u00e4se/path",
            name="My API \0 \U0001f600",
            document='{"paths": "\u00e9\\u0000"}'.encode(),
            routes=(
                Route(
                    method="POST",
                    path="/{id}/x",
                    target=ActionTarget(
                        FullName("other", "", "b c"), "svg", tells_path=True, secured=True, method="PUT"
                    ),
                    rate_limit=RateLimit(5, 1000, whole_api=True),
                    keys=KeyCheck("x-api-key", ("d" * 64, "e" * 64)),
                ),
                Route(method="GET", path="/", target=TARGET),
            ),
            cors=False,
            rate_limit=RateLimit(1, 2),
            keys=KeyCheck("key", ()),
            updated_ms=1_700_000_000_000,
        )
        written = await store.put(whole, expected_revision=None)
        assert written == replace(whole, revision=written.revision)
        assert await store.get("guest", whole.base_path) == written
        assert await store.find("guest", name=None, skip=0, limit=10) == [written]

    async def test_an_api_that_does_not_exist_is_none(self, store: ApiStore) -> None:
        await store.put(api(), expected_revision=None)
        for namespace, base_path in (("other", "/base"), ("guest", "/Base"), ("guest", "/base/"), ("\0", "x" * 10_000)):
            assert await store.get(namespace, base_path) is None
        assert await store.find("other", name=None, skip=0, limit=10) == []
        assert await store.routes("absent") == []

    async def test_creating_what_exists_fails_and_changes_nothing(self, store: ApiStore) -> None:
        first = await store.put(api(), expected_revision=None)
        with raises(AlreadyExists):
            await store.put(api(name="second"), expected_revision=None)
        assert await store.get("guest", "/base") == first

    async def test_only_what_is_unchanged_is_replaced_or_deleted(self, store: ApiStore) -> None:
        first = await store.put(api(), expected_revision=None)
        second = await store.put(api(name="second"), expected_revision=first.revision)
        assert second.revision != first.revision
        with raises(ConcurrentChange):
            await store.put(api(name="third"), expected_revision=first.revision)
        with raises(ConcurrentChange):
            await store.delete("guest", "/base", expected_revision=first.revision)
        with raises(ConcurrentChange):
            await store.put(api("/absent"), expected_revision=first.revision)
        with raises(ConcurrentChange):
            await store.delete("guest", "/absent", expected_revision=first.revision)
        assert await store.get("guest", "/base") == second
        await store.delete("guest", "/base", expected_revision=second.revision)
        assert await store.get("guest", "/base") is None

    async def test_an_api_made_anew_is_not_taken_for_the_old_one(self, store: ApiStore) -> None:
        old = await store.put(api(), expected_revision=None)
        await store.delete("guest", "/base", expected_revision=old.revision)
        new = await store.put(api(), expected_revision=None)
        with raises(ConcurrentChange):
            await store.put(api(name="late"), expected_revision=old.revision)
        assert await store.get("guest", "/base") == new

    async def test_of_two_who_create_at_once_one_succeeds(self, store: ApiStore) -> None:
        outcomes: list[str] = []

        async def create(name: str) -> None:
            try:
                await store.put(api(name=name), expected_revision=None)
                outcomes.append(name)
            except AlreadyExists:
                outcomes.append("refused")

        async with anyio.create_task_group() as group:
            for name in ("one", "two", "three", "four"):
                group.start_soon(create, name)
        (winner,) = [name for name in outcomes if name != "refused"]
        found = await store.get("guest", "/base")
        assert found is not None
        assert found.name == winner

    async def test_they_are_found_by_base_path_and_by_name_a_page_at_a_time(self, store: ApiStore) -> None:
        for base_path, name in (("/c", "odd"), ("/", "even"), ("/a", "odd"), ("/b", "even")):
            await store.put(api(base_path, name=name), expected_revision=None)
        await store.put(api("/a", "other", name="odd"), expected_revision=None)

        async def found(name: str | None, skip: int, limit: int) -> list[str]:
            return [one.base_path for one in await store.find("guest", name=name, skip=skip, limit=limit)]

        assert await found(None, 0, 10) == ["/", "/a", "/b", "/c"]
        assert await found(None, 1, 2) == ["/a", "/b"]
        assert await found("odd", 0, 10) == ["/a", "/c"]
        assert await found("odd", 1, 10) == ["/c"]
        assert await found("none", 0, 10) == await found(None, 10**30, 1) == []

    async def test_routes_are_found_by_the_namespaces_id_without_documents(self, store: ApiStore) -> None:
        for base_path in ("/b", "/a"):
            await store.put(api(base_path), expected_revision=None)
        await store.put(api("/c", "other"), expected_revision=None)
        found = await store.routes(gateway_id("guest"))
        assert [(one.base_path, one.document) for one in found] == [("/a", b""), ("/b", b"")]
        assert found[0].routes == api().routes

    async def test_a_namespaces_apis_go_together_and_no_others(self, store: ApiStore) -> None:
        for namespace in ("guest", "guest2"):
            for base_path in ("/a", "/b"):
                await store.put(api(base_path, namespace), expected_revision=None)
        await store.delete_all("guest")
        assert await store.find("guest", name=None, skip=0, limit=10) == []
        assert await store.routes(gateway_id("guest")) == []
        assert len(await store.find("guest2", name=None, skip=0, limit=10)) == 2
