"""How is the same thing, wanted by many at once, done once?

Whoever comes first starts it in a task of its own, so that it goes on when they do not wait for it; everybody gets the
same result, or an error of the same kind. Nothing is remembered once it is done.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

from rambla.kit.tasks import Tasks

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.done = anyio.Event()
        self.result: T | Exception | None = None


class Flights(Generic[T]):
    """`name` says in the log what is done."""

    def __init__(self, name: str, tasks: Tasks) -> None:
        self._name = name
        self._tasks = tasks
        self._flights: dict[Hashable, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def share(self, key: Hashable, work: Callable[[], Awaitable[T]], copy: Callable[[Exception], Exception]) -> T:
        """What `work` gives, which is called unless it is under way for `key`.

        Raises what it raises, made anew for each by `copy`, as one exception cannot be raised in several tasks.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._tasks.start(self._name, self._fly, key, flight, work)
        await flight.done.wait()
        if isinstance(flight.result, Exception):
            raise copy(flight.result)
        assert flight.result is not None
        return flight.result

    async def _fly(self, key: Hashable, flight: _Flight[T], work: Callable[[], Awaitable[T]]) -> None:
        flight.result = RuntimeError(f"{self._name} was broken off")
        try:
            flight.result = await work()
        except Exception as error:
            flight.result = error
        finally:
            del self._flights[key]
            flight.done.set()
