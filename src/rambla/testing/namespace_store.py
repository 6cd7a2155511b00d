"""Does a driver keep what rambla.identity.ports.NamespaceStore promises?

A test class inherits `NamespaceStoreSuite` and provides the fixtures `store` and `entities`, empty and over one
catalogue for each test.
"""

import msgspec

from rambla.catalog.ports import EntityStore
from rambla.domain.entities import Namespace, Package
from rambla.domain.errors import AlreadyExists, NamespaceDeleted
from rambla.domain.names import FullName
from rambla.identity.ports import NamespaceStore
from rambla.testing.checks import raises
from rambla.testing.entity_store import action


def namespace(name: str, uuid: str = "") -> Namespace:
    return Namespace(
        name=name,
        uuid=uuid or f"uuid-of-{name}",
        secret="s" * 64,
        created_ms=1_700_000_000_000,
        invocations_per_minute=60,
        concurrent_invocations=30,
        fires_per_minute=10,
    )


class NamespaceStoreSuite:
    async def test_a_namespace_is_found_by_name_and_by_uuid(self, store: NamespaceStore) -> None:
        guest = namespace("guest")
        await store.put(guest)
        assert await store.get("guest") == await store.by_uuid(guest.uuid) == guest
        for absent in ("Guest", "", "\0", "\ud800", "x" * 100_000):
            assert await store.get(absent) is None
            assert await store.by_uuid(absent) is None

    async def test_put_replaces_and_the_old_key_opens_nothing(self, store: NamespaceStore) -> None:
        await store.put(namespace("guest"))
        changed = msgspec.structs.replace(namespace("guest", uuid="new"), fires_per_minute=99)
        await store.put(changed)
        assert await store.all() == [changed]
        assert await store.by_uuid("uuid-of-guest") is None

    async def test_a_uuid_belongs_to_one_namespace(self, store: NamespaceStore) -> None:
        await store.put(namespace("guest", uuid="u"))
        with raises(AlreadyExists):
            await store.put(namespace("thief", uuid="u"))
        assert [each.name for each in await store.all()] == ["guest"]

    async def test_a_project_has_one_namespace_and_none_once_that_is_deleted(self, store: NamespaceStore) -> None:
        owned = msgspec.structs.replace(namespace("guest"), owner="cloud/1")
        await store.put(namespace("other"))
        await store.put(owned)
        assert await store.by_owner("cloud/1") == owned
        for absent in ("cloud/2", "guest", "\0", "\ud800", "x" * 100_000):
            assert await store.by_owner(absent) is None
        with raises(AlreadyExists):
            await store.put(msgspec.structs.replace(namespace("thief"), owner="cloud/1"))
        await store.put(namespace("third"))  # any number of them are nobody's
        await store.delete("guest")
        assert await store.by_owner("cloud/1") is None
        await store.put(msgspec.structs.replace(namespace("new"), owner="cloud/1"))

    async def test_all_come_by_name(self, store: NamespaceStore) -> None:
        for name in ("b", "c", "a", "B"):
            await store.put(namespace(name))
        assert [each.name for each in await store.all()] == ["B", "a", "b", "c"]

    async def test_deleting_takes_every_entity_along_and_no_other(
        self, store: NamespaceStore, entities: EntityStore
    ) -> None:
        for name in ("guest", "other"):
            await store.put(namespace(name))
            await entities.put(Package(name=FullName(name, "", "p")), expected_revision=None)
            await entities.put(action(FullName(name, "p", "a")), expected_revision=None)
        assert await store.delete("guest") is True
        assert await store.delete("guest") is False
        assert await store.get("guest") is None
        assert await entities.get(FullName("guest", "p", "a")) is None
        assert await entities.count("packages", "guest", package=None) == 0
        assert await entities.get(FullName("other", "p", "a")) is not None

    async def test_the_name_of_a_deleted_namespace_stays_taken(self, store: NamespaceStore) -> None:
        assert await store.was_deleted("guest") is False
        await store.put(namespace("guest", uuid="u"))
        assert await store.was_deleted("guest") is False
        await store.delete("guest")
        assert await store.was_deleted("guest") is True
        with raises(NamespaceDeleted):
            await store.put(namespace("guest", uuid="v"))
        assert await store.get("guest") is None
        assert await store.by_uuid("u") is None
        assert await store.by_uuid("v") is None
        assert await store.all() == []
        assert await store.delete("guest") is False

    async def test_the_uuid_of_a_deleted_namespace_is_free(self, store: NamespaceStore) -> None:
        for name in ("a", "b"):
            await store.put(namespace(name, uuid="u"))
            await store.delete(name)
        await store.put(namespace("c", uuid="u"))
        assert await store.by_uuid("u") == namespace("c", uuid="u")

    async def test_revisions_go_on_counting_after_a_namespace_is_gone(
        self, store: NamespaceStore, entities: EntityStore
    ) -> None:
        await store.put(namespace("guest"))
        await entities.put(action(), expected_revision=None)
        await store.delete("guest")
        assert (await entities.put(action(), expected_revision=None)).revision == 2
