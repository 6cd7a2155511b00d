"""Does a driver keep what rambla.policy.ports.BundleStore promises?

A test class inherits `BundleStoreSuite` and provides the fixture `store`: an empty one for each test.
"""

import anyio

from rambla.domain.errors import ConcurrentChange
from rambla.policy.bundle import Bundle, File
from rambla.policy.ports import BundleStore
from rambla.testing.checks import raises


def bundle(number: int = 1, note: str = "", *files: File) -> Bundle:
    return Bundle(
        number=number,
        at_ms=1_700_000_000_000 + number,
        author="operator",
        note=note,
        hash="h" * 64,
        files=files or (File("site.yaml", "layer: site\n"),),
        key="k" * 64,
        signature=b"\0\xff signature",
    )


class BundleStoreSuite:
    async def test_what_is_appended_is_got_with_every_field(self, store: BundleStore) -> None:
        whole = bundle(1, "why: é \0 \U0001f600", File("b.yaml", "layer: site\r\n# ü \0"), File("a.yaml", ""))
        await store.append(whole)
        assert await store.get(1) == whole
        assert await store.newest() == 1

    async def test_an_empty_store_has_nothing(self, store: BundleStore) -> None:
        assert await store.newest() == 0
        assert await store.get(1) is None
        assert await store.history(before=2**70, limit=10) == []

    async def test_numbers_that_nothing_has_are_none(self, store: BundleStore) -> None:
        await store.append(bundle())
        for number in (-1, 0, 2, 2**70, -(2**70)):
            assert await store.get(number) is None

    async def test_numbers_follow_each_other_without_gaps_and_none_is_written_twice(self, store: BundleStore) -> None:
        await store.append(bundle(1))
        for number in (0, 1, 3):
            with raises(ConcurrentChange):
                await store.append(bundle(number, "other"))
        await store.append(bundle(2))
        assert await store.newest() == 2
        assert await store.get(1) == bundle(1)

    async def test_of_several_at_the_same_time_one_gets_the_number(self, store: BundleStore) -> None:
        outcomes: list[str] = []

        async def append(note: str) -> None:
            try:
                await store.append(bundle(1, note))
                outcomes.append(note)
            except ConcurrentChange:
                pass

        async with anyio.create_task_group() as group:
            for note in "abcdef":
                group.start_soon(append, note)
        (winner,) = outcomes
        found = await store.get(1)
        assert found is not None
        assert found.note == winner

    async def test_the_history_is_newest_first_in_pages_and_without_files(self, store: BundleStore) -> None:
        for number in range(1, 6):
            await store.append(bundle(number))
        assert await store.history(before=2**70, limit=2) == [bundle(5).summary, bundle(4).summary]
        assert [one.number for one in await store.history(before=4, limit=10)] == [3, 2, 1]
        assert await store.history(before=1, limit=10) == []
        assert await store.history(before=9, limit=0) == []
