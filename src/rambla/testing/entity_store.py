"""Does a driver keep what rambla.catalog.ports.EntityStore promises?

A test class inherits `EntityStoreSuite` and provides the fixture `store`: an empty one for each test.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import msgspec

from rambla.catalog.ports import Collection, EntityStore
from rambla.domain.entities import Action, ActionLimits, AnyEntity, Exec, Package, Parameter, Rule, Trigger
from rambla.domain.errors import AlreadyExists, ConcurrentChange
from rambla.domain.names import NAME_CHARS_MAX, FullName
from rambla.testing.checks import raises

RESIZE = FullName("guest", "", "resize")


def action(name: FullName = RESIZE, code: str = "def main(args): ...", **fields: Any) -> Action:
    return Action(name=name, exec=Exec(kind="python:3", code=code), **fields)


class EntityStoreSuite:
    async def test_what_is_put_is_got_with_every_field(self, store: EntityStore) -> None:
        whole = Action(
            name=FullName("guest", "tools", "resize"),
            version="1.2.3",
            publish=True,
            updated_ms=1_700_000_000_000,
            annotations={"web-export": True, "deep": [{"a": None}, 1.5, "é\0"]},
            exec=Exec(kind="nodejs:20", code="'\0 é \U0001f600'", binary=False, main="run"),
            parameters=(Parameter("key", {"x": [1]}, init=True),),
            limits=ActionLimits(timeout_ms=1, memory_mb=2, logs_mb=3, concurrency=4),
        )
        others: list[AnyEntity] = [
            Package(name=FullName("guest", "", "tools"), parameters=(Parameter("a", 1),)),
            Trigger(name=FullName("guest", "", "uploaded")),
            Rule(name=FullName("guest", "", "rule"), trigger=RESIZE, action=RESIZE, status="inactive"),
        ]
        for entity in [whole, *others]:
            written = await store.put(entity, expected_revision=None)
            assert written == msgspec.structs.replace(entity, revision=1)
            assert await store.get(entity.name) == written

    async def test_a_name_that_does_not_exist_is_none(self, store: EntityStore) -> None:
        await store.put(action(), expected_revision=None)
        for name in (
            FullName("other", "", "resize"),
            FullName("guest", "p", "resize"),
            FullName("guest", "", "Resize"),
        ):
            assert await store.get(name) is None

    async def test_creating_what_exists_fails_whatever_its_collection(self, store: EntityStore) -> None:
        first = await store.put(action(), expected_revision=None)
        with raises(AlreadyExists):
            await store.put(Trigger(name=RESIZE), expected_revision=None)
        assert await store.get(RESIZE) == first

    async def test_an_update_needs_the_current_revision(self, store: EntityStore) -> None:
        first = await store.put(action(code="one"), expected_revision=None)
        second = await store.put(action(code="two"), expected_revision=first.revision)
        assert second.revision == 2
        for stale in (first.revision, 0, 3, -1, 2**70):
            with raises(ConcurrentChange):
                await store.put(action(code="three"), expected_revision=stale)
        assert await store.get(RESIZE) == second
        with raises(ConcurrentChange):
            await store.put(action(FullName("guest", "", "absent")), expected_revision=1)

    async def test_revisions_go_on_counting_after_a_deletion(self, store: EntityStore) -> None:
        await store.put(action(code="secret"), expected_revision=None)
        await store.delete(RESIZE, expected_revision=1)
        assert await store.get(RESIZE) is None
        assert await store.count("actions", "guest", package=None) == 0
        again = await store.put(Trigger(name=RESIZE), expected_revision=None)
        assert again.revision == 2
        with raises(AlreadyExists):
            await store.put(action(), expected_revision=None)
        await store.delete(RESIZE, expected_revision=2)
        for revision in (1, 2):
            with raises(ConcurrentChange):
                await store.put(action(), expected_revision=revision)
        assert (await store.put(action(code=""), expected_revision=None)) == await store.get(RESIZE)

    async def test_deleting_needs_the_current_revision(self, store: EntityStore) -> None:
        await store.put(action(), expected_revision=None)
        for stale in (0, 2, 2**70):
            with raises(ConcurrentChange):
                await store.delete(RESIZE, expected_revision=stale)
        await store.delete(RESIZE, expected_revision=1)
        with raises(ConcurrentChange):
            await store.delete(RESIZE, expected_revision=1)

    async def test_of_many_who_create_or_change_at_once_one_wins(self, store: EntityStore) -> None:
        created = await _attempts(
            [partial(store.put, action(code=str(n)), expected_revision=None) for n in range(8)], AlreadyExists
        )
        assert created == 1
        changed = await _attempts(
            [partial(store.put, action(code=str(n)), expected_revision=1) for n in range(8)], ConcurrentChange
        )
        assert changed == 1
        found = await store.get(RESIZE)
        assert found is not None
        assert found.revision == 2

    async def test_a_listing_is_newest_first_then_by_name_without_code(self, store: EntityStore) -> None:
        for name, updated_ms in (("b", 5), ("c", 9), ("a", 5), ("B", 5)):
            await store.put(action(FullName("guest", "", name), updated_ms=updated_ms), expected_revision=None)
        await store.put(Trigger(name=FullName("guest", "", "t")), expected_revision=None)
        await store.put(action(FullName("other", "", "x")), expected_revision=None)
        found = await store.find("actions", "guest", package=None, skip=0, limit=10)
        assert [each.name.name for each in found] == ["c", "B", "a", "b"]
        assert all(isinstance(each, Action) and each.exec == Exec(kind="python:3") for each in found)
        assert all(each.revision == 1 for each in found)

    async def test_a_listing_is_paged_and_counted(self, store: EntityStore) -> None:
        for n in range(5):
            await store.put(Package(name=FullName("guest", "", f"p{n}")), expected_revision=None)
        pages = [
            await store.find("packages", "guest", package=None, skip=skip, limit=2) for skip in (0, 2, 4, 6, 2**70)
        ]
        assert [[each.name.name for each in page] for page in pages] == [["p0", "p1"], ["p2", "p3"], ["p4"], [], []]
        assert await store.find("packages", "guest", package=None, skip=0, limit=0) == []
        assert await store.count("packages", "guest", package=None) == 5
        assert await store.count("rules", "guest", package=None) == 0

    async def test_a_package_narrows_a_listing(self, store: EntityStore) -> None:
        for package in ("", "p", "q"):
            await store.put(action(FullName("guest", package, "a")), expected_revision=None)
        wanted: list[tuple[str | None, int]] = [(None, 3), ("p", 1), ("absent", 0), ("", 1)]
        for package_wanted, count in wanted:
            assert await store.count("actions", "guest", package=package_wanted) == count
            assert len(await store.find("actions", "guest", package=package_wanted, skip=0, limit=9)) == count

    async def test_rules_of_a_trigger_come_by_name(self, store: EntityStore) -> None:
        trigger, other = FullName("guest", "", "t"), FullName("guest", "", "u")
        for name, of in (("z", trigger), ("a", trigger), ("m", other)):
            await store.put(Rule(name=FullName("guest", "", name), trigger=of, action=RESIZE), expected_revision=None)
        assert [rule.name.name for rule in await store.rules_of(trigger)] == ["a", "z"]
        await store.put(Rule(name=FullName("guest", "", "a"), trigger=other, action=RESIZE), expected_revision=1)
        await store.delete(FullName("guest", "", "z"), expected_revision=1)
        assert await store.rules_of(trigger) == []

    async def test_large_code_and_the_longest_names_are_kept(self, store: EntityStore) -> None:
        longest = FullName("n" * NAME_CHARS_MAX, "p" * NAME_CHARS_MAX, "a" * NAME_CHARS_MAX)
        written = await store.put(action(longest, code="x" * 5_000_000), expected_revision=None)
        assert await store.get(longest) == written
        await store.put(Rule(name=RESIZE, trigger=longest, action=longest), expected_revision=None)
        assert len(await store.rules_of(longest)) == 1

    async def test_names_no_one_could_have_are_simply_absent(self, store: EntityStore) -> None:
        for text in ("\0", "\ud800", "x" * 100_000, "' OR 1=1 --", ""):
            assert await store.get(FullName(text, text, text)) is None
            collection: Collection = "actions"
            assert await store.find(collection, text, package=text, skip=0, limit=9) == []


async def _attempts(works: list[Callable[[], Awaitable[object]]], failure: type[Exception]) -> int:
    """Do all at once; how many did not raise `failure`."""
    succeeded: list[object] = []

    async def attempt(work: Callable[[], Awaitable[object]]) -> None:
        try:
            succeeded.append(await work())
        except failure:
            return

    async with anyio.create_task_group() as group:
        for work in works:
            group.start_soon(attempt, work)
    return len(succeeded)
