"""What many want at once is done once, and nobody is left waiting."""

import anyio
import pytest

from rambla.kit.flights import Flights
from rambla.kit.tasks import Tasks

pytestmark = pytest.mark.anyio


class Work:
    def __init__(self, error: Exception | None = None) -> None:
        self.times = 0
        self.gate = anyio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.times += 1
        await self.gate.wait()
        if self._error:
            raise self._error
        return self.times


def anew(error: Exception) -> Exception:
    return type(error)(*error.args)


async def test_many_who_want_the_same_get_what_one_did() -> None:
    work, found = Work(), list[int]()
    async with Tasks() as tasks, anyio.create_task_group() as group:
        flights: Flights[int] = Flights("work", tasks)

        async def want(key: str) -> None:
            found.append(await flights.share(key, work, anew))

        for _ in range(10):
            group.start_soon(want, "same")
        await anyio.wait_all_tasks_blocked()
        assert (work.times, len(flights)) == (1, 1)
        group.start_soon(want, "other")
        await anyio.wait_all_tasks_blocked()
        work.gate.set()
    assert sorted(found) == [2] * 11
    assert len(flights) == 0


async def test_it_goes_on_when_the_first_who_wanted_it_does_not_wait() -> None:
    work = Work()
    async with Tasks() as tasks:
        flights: Flights[int] = Flights("work", tasks)
        with anyio.move_on_after(0.01):
            await flights.share("same", work, anew)
        async with anyio.create_task_group() as group:
            group.start_soon(flights.share, "same", work, anew)
            await anyio.wait_all_tasks_blocked()
            work.gate.set()
    assert work.times == 1


async def test_a_failure_is_told_to_each_as_an_error_of_its_own() -> None:
    work, caught = Work(ValueError("no luck")), list[Exception]()
    async with Tasks() as tasks, anyio.create_task_group() as group:
        flights: Flights[int] = Flights("work", tasks)

        async def want() -> None:
            with pytest.raises(ValueError, match="no luck") as info:
                await flights.share("same", work, anew)
            caught.append(info.value)

        for _ in range(3):
            group.start_soon(want)
        await anyio.wait_all_tasks_blocked()
        work.gate.set()
    assert len({id(error) for error in caught}) == 3


async def test_a_stop_leaves_nobody_waiting() -> None:
    async with Tasks() as tasks, anyio.create_task_group() as group:
        flights: Flights[int] = Flights("work", tasks)

        async def want() -> None:
            with pytest.raises(RuntimeError, match="broken off"):
                await flights.share("same", Work(), anew)

        group.start_soon(want)
        await anyio.wait_all_tasks_blocked()
        tasks.stop()
