"""A bell wakes all who wait, at once, and keeps nobody waiting once it is closed."""

import anyio

from rambla.kit.bell import Bell
from rambla.kit.tasks import until_first


async def test_all_who_wait_are_woken_at_once_and_wait_anew() -> None:
    bell, woken = Bell(), []

    async def wait(number: int) -> None:
        await bell.wait()
        woken.append(number)
        await bell.wait()
        woken.append(number)

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(wait, number)
        await anyio.wait_all_tasks_blocked()
        assert bell.waiting == 100
        bell.ring()
        await anyio.wait_all_tasks_blocked()
        assert sorted(woken) == list(range(100))
        bell.close()
    await bell.wait()
    assert bell.waiting == 0


async def test_whichever_ends_first_ends_the_others() -> None:
    ended = []

    async def quick() -> None:
        ended.append("quick")

    async def slow() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("slow")

    await until_first(slow, quick)
    assert ended == ["quick", "slow"]
