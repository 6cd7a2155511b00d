"""An engine without processes: an action's code is the name of a Python function that the test gave.

For tests of `flow` and `dispatch`, where rooms are real and only the technology is not. Nothing here isolates anything.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import anyio.lowlevel
import msgspec

from rambla.domain.activation import LogLine, RunResult, error_result
from rambla.domain.errors import EngineFailed
from rambla.engine.ports import Health, Program, Run

Function = Callable[[dict[str, Any], Run], Awaitable[Any]]


class Crash(Exception):
    """Raised by a function, it ends its sandbox as a crash would."""


class MemorySandbox:
    def __init__(self, engine: "MemoryEngine", memory_mb: int) -> None:
        self.alive = True
        self.memory_mb = memory_mb
        self._engine = engine
        self._function: Function | None = None

    async def init(self, program: Program, run: Run) -> RunResult | None:
        self._function = self._engine.functions.get(program.code)
        if self._function is None:
            self.alive = False
            return RunResult(
                status="action developer error",
                result=error_result("The action did not initialize and exited unexpectedly."),
            )
        return None

    async def run(self, run: Run) -> RunResult:
        assert self._function is not None
        try:
            with anyio.fail_after(run.timeout_ms / 1000):
                answer = await self._function(msgspec.json.decode(run.payload), run)
        except TimeoutError:
            self.alive = False
            text = f"The action exceeded its time limits of {run.timeout_ms} milliseconds."
            return RunResult(status="action developer error", result=error_result(text), timed_out=True)
        except Crash:
            self.alive = False
            text = "The action did not produce a valid response and exited unexpectedly."
            return RunResult(status="action developer error", result=error_result(text))
        failed = isinstance(answer, dict) and "error" in answer
        logs = (LogLine(run.deadline_ms - run.timeout_ms, "stdout", f"ran {run.activation_id}"),)
        return RunResult(
            status="application error" if failed else "success", result=msgspec.json.encode(answer), logs=logs
        )

    async def close(self) -> None:
        self.alive = False
        self._engine.live.discard(self)


class MemoryEngine:
    """`functions` by name; `fail_starts` makes the next so many starts fail."""

    objects_address = "http://127.0.0.1:8080"

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self.live: set[MemorySandbox] = set()
        self.started = 0
        self.fail_starts = 0

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> MemorySandbox:
        await anyio.lowlevel.checkpoint()
        if self.fail_starts:
            self.fail_starts -= 1
            raise EngineFailed(detail="asked to fail")
        sandbox = MemorySandbox(self, memory_mb)
        self.live.add(sandbox)
        self.started += 1
        return sandbox

    def health(self) -> Health:
        return Health(level="none", parts={}, runtimes=("python:3",), sandboxes=len(self.live))

    async def close(self) -> None:
        for sandbox in list(self.live):
            await sandbox.close()
