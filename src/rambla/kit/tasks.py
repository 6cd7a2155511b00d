"""Where does everything start that runs beside the rest?

Here only. A `Tasks` is a named task group: a task that crashes is logged by its name and ends the group, so that the
process stops rather than limps; one started with `restart=True` is begun again after a pause instead. Nothing outlives
the `async with`.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self, TypeVarTuple, Unpack

import anyio
from anyio.abc import TaskGroup

PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 10.0

Args = TypeVarTuple("Args")
_log = logging.getLogger(__name__)


class Tasks:
    """`async with Tasks() as tasks: tasks.start("tailer", follow, journal, index)`.

    Leaving the block waits for all; an error in the block or in a task cancels the others and is raised as an
    ExceptionGroup, as any anyio task group does.
    """

    def __init__(self) -> None:
        self._group: TaskGroup = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._group.__aexit__(kind, error, traceback)

    def start(
        self,
        name: str,
        function: Callable[[Unpack[Args]], Awaitable[object]],
        *args: *Args,
        restart: bool = False,
    ) -> None:
        """Run `function(*args)` until it returns. If it raises: log it with `name`, then end the group, or with
        `restart` begin it again after 0.1 s, doubling to 10 s while it keeps crashing at once."""
        self._group.start_soon(_run_again if restart else _run, name, function, args, name=name)

    def stop(self) -> None:
        """Cancel all of them."""
        self._group.cancel_scope.cancel()


async def until_first(*waits: Callable[[], Awaitable[object]]) -> None:
    """Wait until one of them returns; the others are cancelled. None of them may raise."""
    async with anyio.create_task_group() as group:

        async def wait(function: Callable[[], Awaitable[object]]) -> None:
            await function()
            group.cancel_scope.cancel()

        for function in waits:
            group.start_soon(wait, function)


def pauses_s() -> Iterator[float]:
    """How long to wait before each further attempt: 0.1, 0.2, 0.4 ... 10, 10."""
    pause = PAUSE_FIRST_S
    while True:
        yield pause
        pause = min(2 * pause, PAUSE_MAX_S)


async def _run(name: str, function: Callable[..., Awaitable[object]], args: tuple[object, ...]) -> None:
    try:
        await function(*args)
    except Exception:
        _log.exception("task %s crashed", name)
        raise


async def _run_again(name: str, function: Callable[..., Awaitable[object]], args: tuple[object, ...]) -> None:
    pauses = pauses_s()
    while True:
        began = anyio.current_time()
        try:
            await function(*args)
            return
        except Exception:
            if anyio.current_time() - began > PAUSE_MAX_S:
                pauses = pauses_s()  # it ran well for a while: this is a new trouble
            pause = next(pauses)
            _log.exception("task %s crashed, again in %.1f s", name, pause)
            await anyio.sleep(pause)
