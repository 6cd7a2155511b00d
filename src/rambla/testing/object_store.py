"""Does a driver keep what rambla.objects.ports.ObjectStore promises?

A test class inherits `ObjectStoreSuite` and provides the fixtures `store`, which may be shared by all tests, and
`outside`: how owners and actions, who know nothing of the port, find that same store.
"""

from typing import Protocol

import anyio

from rambla.domain.errors import BadRequest, ObjectStoreFailed
from rambla.objects.ports import ObjectStore, SignedAddress, Subscription
from rambla.testing.checks import raises

MINUTE_MS = 60_000
IMPOSSIBLE = ["", "a/b", ".", "..", "x" * 257, "\ud800", "\x00"]
NAMES = [
    "a",
    "in/ä b?#&%.jpg",
    "in/",
    "/a",
    "%41",
    "+ +",
    "..a",
    "x" * 1024,
    "\U0001f600",
    "a;b=c",
    '"<>\\^`{|}',
    "a//b",
]


class Outside(Protocol):
    async def opens(self, namespace: str, secret: str) -> bool:
        """Whether that secret opens the namespace's account."""
        ...

    async def send(self, method: str, path: str, query: str, content: bytes = b"") -> tuple[int, bytes]:
        """The status and content that a request for an address gets; a refused one gets 401."""
        ...

    async def subscriptions(self, namespace: str, container: str) -> set[tuple[str, str, str]] | None:
        """(trigger, prefix, suffix) of each on that container; None if there is no container."""
        ...


async def use(outside: Outside, address: SignedAddress, content: bytes = b"", *, more: str = "") -> tuple[int, bytes]:
    return await outside.send(address.method, address.path + more, address.query, content)


async def container(store: ObjectStore, name: str, namespace: str = "guest") -> str:
    """One that exists, in an account that is open by the secret `s`."""
    await store.open_account(namespace, f"uuid-{namespace}", "s")
    await store.subscribe(namespace, Subscription(trigger=f"{namespace}/made", container=name))
    return name


class ObjectStoreSuite:
    async def test_a_key_opens_its_account_until_another_does_or_it_is_closed(
        self, store: ObjectStore, outside: Outside
    ) -> None:
        for secret in ("s1", "s2", "s2"):
            await store.open_account("tenant one", "uuid", secret)
            assert await outside.opens("tenant one", secret)
        assert not await outside.opens("tenant one", "s1")
        for _ in range(2):
            await store.close_account("tenant one")
            assert not await outside.opens("tenant one", "s2")
        await store.open_account("tenant one", "uuid", "s3")
        assert await outside.opens("tenant one", "s3")

    async def test_addresses_fall_with_the_key_that_was_in_force(self, store: ObjectStore, outside: Outside) -> None:
        box = await container(store, "rotated", "fickle")
        held = []
        for secret in ("s", "s2", "s3"):
            await store.open_account("fickle", "uuid-fickle", secret)
            held.append(await store.sign("fickle", "PUT", box, "a", ttl_ms=MINUTE_MS))
            held.append(await store.sign_below("fickle", "PUT", box, "a", ttl_ms=MINUTE_MS))
            assert [(await use(outside, address, b"x"))[0] for address in held[-2:]] == [201, 201]
            assert {(await use(outside, address, b"x"))[0] for address in held[:-2]} <= {401}
        await store.open_account("fickle", "uuid-fickle", "s3")
        assert (await use(outside, held[-1], b"x"))[0] == 201
        await store.close_account("fickle")
        assert {(await use(outside, address, b"x"))[0] for address in held} == {401}
        with raises(ObjectStoreFailed):
            await store.sign("fickle", "GET", box, "a", ttl_ms=MINUTE_MS)

    async def test_no_name_passes_for_the_account_of_another(self, store: ObjectStore) -> None:
        with raises(BadRequest):
            await store.open_account("AUTH_guest", "uuid", "s")

    async def test_subscribing_makes_the_containers_and_replaces_what_the_trigger_had(
        self, store: ObjectStore, outside: Outside
    ) -> None:
        await container(store, "elsewhere")
        first = Subscription(trigger="guest/a", container="side", prefix="old", target="side-target")
        await store.subscribe("guest", first)
        await store.subscribe("guest", Subscription(trigger="guest/b", container="side", suffix=".jpg"))
        for _ in range(2):
            await store.subscribe("guest", Subscription(trigger="guest/a", container="side", prefix="new"))
        assert await outside.subscriptions("guest", "side") == {("guest/a", "new", ""), ("guest/b", "", ".jpg")}
        assert await outside.subscriptions("guest", "side-target") == set()
        for _ in range(2):
            await store.unsubscribe("guest", "side", "guest/a")
        assert await outside.subscriptions("guest", "side") == {("guest/b", "", ".jpg")}

    async def test_unsubscribing_from_no_container_makes_none(self, store: ObjectStore, outside: Outside) -> None:
        await container(store, "elsewhere")
        await store.unsubscribe("guest", "absent", "guest/a")
        assert await outside.subscriptions("guest", "absent") is None

    async def test_of_many_who_subscribe_at_once_none_is_lost(self, store: ObjectStore, outside: Outside) -> None:
        await container(store, "busy")
        async with anyio.create_task_group() as group:
            for number in range(8):
                subscription = Subscription(trigger=f"guest/t{number}", container="busy")
                group.start_soon(store.subscribe, "guest", subscription)
        found = await outside.subscriptions("guest", "busy")
        assert found is not None
        assert {trigger for trigger, _, _ in found} == {"guest/made", *(f"guest/t{number}" for number in range(8))}

    async def test_impossible_containers_are_the_callers_fault(self, store: ObjectStore) -> None:
        await container(store, "elsewhere")
        for name in IMPOSSIBLE:
            with raises(BadRequest):
                await store.subscribe("guest", Subscription(trigger="guest/a", container=name))
            with raises(BadRequest):
                await store.sign("guest", "GET", name, "a", ttl_ms=MINUTE_MS)
            with raises(BadRequest):
                await store.sign_below("guest", "GET", name, "a", ttl_ms=MINUTE_MS)

    async def test_no_two_containers_have_one_source(self, store: ObjectStore) -> None:
        pairs = [(space, name) for space in ("a", "b", "a b", "a%20b") for name in ("c", "b c", "b%20c", "ä")]
        assert len({store.source_of(*pair) for pair in pairs}) == len(pairs)

    async def test_an_address_opens_its_object_whatever_its_name(self, store: ObjectStore, outside: Outside) -> None:
        for box in (await container(store, "names &%ä"), await container(store, "plain")):
            for name in NAMES:
                put = await store.sign("guest", "PUT", box, name, ttl_ms=MINUTE_MS)
                get = await store.sign("guest", "GET", box, name, ttl_ms=MINUTE_MS)
                content = f"{box} {name}".encode()
                assert (await use(outside, put, content))[0] == 201, name
                assert await use(outside, get) == (200, content), name
                assert (await outside.send("HEAD", get.path, get.query))[0] == 200
                assert {put.prefix, get.prefix} == {False}

    async def test_it_opens_no_other_object_and_by_no_other_method(self, store: ObjectStore, outside: Outside) -> None:
        box = await container(store, "strict")
        for name in ("a", "in/"):
            await use(outside, await store.sign("guest", "PUT", box, f"{name}b", ttl_ms=MINUTE_MS), b"secret")
            get = await store.sign("guest", "GET", box, name, ttl_ms=MINUTE_MS)
            put = await store.sign("guest", "PUT", box, name, ttl_ms=MINUTE_MS)
            assert await use(outside, get, more="b") == (401, b"")
            assert (await use(outside, put, b"x", more="b"))[0] == 401
            assert (await outside.send("PUT", get.path, get.query, b"x"))[0] == 401
            assert (await outside.send("GET", put.path, put.query))[0] == 401
            assert (await outside.send("GET", get.path, ""))[0] == 401

    async def test_an_address_below_a_prefix_opens_what_begins_with_it(
        self, store: ObjectStore, outside: Outside
    ) -> None:
        box = await container(store, "below")
        await container(store, "below2")
        for prefix in ("", "out/", "out"):
            put = await store.sign_below("guest", "PUT", box, prefix, ttl_ms=MINUTE_MS)
            assert put.prefix
            assert (await use(outside, put, b"x", more="deep/a.jpg"))[0] == 201
            get = await store.sign("guest", "GET", box, f"{prefix}deep/a.jpg", ttl_ms=MINUTE_MS)
            assert await use(outside, get) == (200, b"x")
            elsewhere = put.path.replace("below", "below2", 1)
            assert (await outside.send("PUT", f"{elsewhere}a", put.query, b"x"))[0] == 401
            if prefix:
                root = put.path.removesuffix(prefix)
                assert (await outside.send("PUT", f"{root}in/a", put.query, b"x"))[0] == 401

    async def test_an_address_of_one_account_opens_no_other(self, store: ObjectStore, outside: Outside) -> None:
        box = await container(store, "both")
        await container(store, "both", "neighbour")
        await use(outside, await store.sign("neighbour", "PUT", box, "a", ttl_ms=MINUTE_MS), b"theirs")
        theirs = await store.sign("neighbour", "GET", box, "a", ttl_ms=MINUTE_MS)
        for mine in (
            await store.sign("guest", "GET", box, "a", ttl_ms=MINUTE_MS),
            await store.sign_below("guest", "GET", box, "", ttl_ms=MINUTE_MS),
        ):
            assert await outside.send("GET", theirs.path, mine.query) == (401, b"")

    async def test_an_expired_address_opens_nothing(self, store: ObjectStore, outside: Outside) -> None:
        box = await container(store, "expired")
        fresh = await store.sign("guest", "PUT", box, "a", ttl_ms=MINUTE_MS)
        old = await store.sign("guest", "PUT", box, "a", ttl_ms=-10_000)
        older = await store.sign_below("guest", "PUT", box, "", ttl_ms=-10_000)
        assert (await use(outside, fresh, b"x"))[0] == 201
        assert (await use(outside, old, b"y"))[0] == 401
        assert (await use(outside, older, b"y", more="a"))[0] == 401
        assert 65_000 < fresh.expires_ms - old.expires_ms < 80_000

    async def test_nothing_else_can_be_signed(self, store: ObjectStore) -> None:
        box = await container(store, "unsigned")
        for method, name in (("DELETE", "a"), ("POST", "a"), ("get", "a"), ("GET", ""), ("GET", "x" * 1025)):
            with raises(BadRequest):
                await store.sign("guest", method, box, name, ttl_ms=MINUTE_MS)
        with raises(BadRequest):
            await store.sign_below("guest", "DELETE", box, "", ttl_ms=MINUTE_MS)

    async def test_health_is_for_people(self, store: ObjectStore) -> None:
        parts = await store.health()
        assert parts
        assert all(text.startswith("ok") for text in parts.values())
