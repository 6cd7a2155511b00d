"""An engine without processes: an action's code is the name of a Python function that the test gave.

For tests of `flow` and `dispatch`, where rooms are real and only the technology is not. Nothing here isolates anything.
(port: rambla.engine.ports.Engine)
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel
import msgspec

from rambla.domain.activation import LogLine, RunResult, error_result
from rambla.domain.errors import EngineFailed
from rambla.drivers.process import frames, verdict
from rambla.drivers.process.logs import LogBuffer
from rambla.engine.ports import Health, Program, Run
from rambla.kit.clock import Clock, SystemClock

Function = Callable[[dict[str, Any], Run], Awaitable[Any]]
_inside: ContextVar["MemorySandbox"] = ContextVar("inside")


class Crash(Exception):
    """Raised by a function, it ends its sandbox as a crash would."""


def say(text: str) -> None:
    """Print a line, from within a function."""
    _inside.get().logs.feed("stdout", f"{text}\n".encode(errors="surrogateescape"))


def kept() -> dict[str, Any]:
    """What functions left in this sandbox, from within one."""
    return _inside.get().kept


class MemorySandbox:
    def __init__(self, engine: "MemoryEngine", memory_mb: int) -> None:
        self.alive = True
        self.memory_mb = memory_mb
        self._engine = engine
        self._function: Function | None = None
        self.logs = LogBuffer(engine.clock)
        self.kept: dict[str, Any] = {}

    async def init(self, program: Program, run: Run) -> RunResult | None:
        self.logs.begin(run.log_bytes_max)
        self._function = self._engine.functions.get(program.code)
        if self._function is not None:
            return None
        await self.close()
        return self._result(verdict.exited("init"))

    async def run(self, run: Run) -> RunResult:
        self.logs.begin(run.log_bytes_max)
        if self._function is None or not self.alive:
            return self._result(verdict.exited("run"))
        _inside.set(self)
        try:
            with anyio.fail_after(run.timeout_ms / 1000):
                answer = await self._function(msgspec.json.decode(run.payload), run)
            body = msgspec.json.encode(answer)
            frame = frames.Frame(frames.RESULT, 0, 0, len(body), body[: run.result_bytes_max])
            judged = verdict.of_frame(frame, "run", run.result_bytes_max)
        except TimeoutError:
            await self.close()
            return self._result(verdict.timed_out("run", run.timeout_ms), timed_out=True)
        except Crash:
            await self.close()
            return self._result(verdict.exited("run"))
        except Exception as error:
            return self._result(("application error", error_result(str(error))))
        except BaseException:
            await self.close()
            raise
        assert judged is not None, "every result has a verdict"
        return self._result(judged)

    async def close(self) -> None:
        self.alive = False
        self._engine.live.discard(self)

    def _result(self, judged: verdict.Verdict, *, timed_out: bool = False) -> RunResult:
        status, result = judged
        logs: tuple[LogLine, ...] = self.logs.take(missing=status == "action developer error")
        return RunResult(status=status, result=result, logs=logs, timed_out=timed_out)


class MemoryEngine:
    """`functions` by name; `fail_starts` makes the next so many starts fail."""

    objects_address = "http://127.0.0.1:8081"

    def __init__(self, functions: Mapping[str, Function], clock: Clock | None = None) -> None:
        self.functions = functions
        self.clock = clock or SystemClock()
        self.live: set[MemorySandbox] = set()
        self.started = 0
        self.fail_starts = 0
        self._closed = False

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> MemorySandbox:
        await anyio.lowlevel.checkpoint()
        if kind.partition(":")[0] not in self.health().runtimes or self._closed:
            raise EngineFailed(detail="the engine is closed" if self._closed else f"no runtime for kind '{kind}'")
        if self.fail_starts:
            self.fail_starts -= 1
            raise EngineFailed(detail="asked to fail")
        sandbox = MemorySandbox(self, memory_mb)
        self.live.add(sandbox)
        self.started += 1
        return sandbox

    def health(self) -> Health:
        return Health(level="none", parts={}, runtimes=("python", "nodejs"), sandboxes=len(self.live))

    async def close(self) -> None:
        self._closed = True
        for sandbox in list(self.live):
            await sandbox.close()
