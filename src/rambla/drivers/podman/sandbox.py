"""What is one container to the dispatcher?

A sandbox: `init` and `run` are HTTP calls to OpenWhisk's two addresses inside, each on a connection of its own. What
they come to is judged by `answers`, and by `verdict` where there is no answer. After anything else the container is
ended.
"""

import asyncio
import socket
from collections.abc import Callable

import anyio
import msgspec

from rambla.domain.activation import RunResult
from rambla.domain.errors import EngineFailed
from rambla.drivers.podman import answers
from rambla.drivers.podman.container import Container
from rambla.drivers.podman.entrance import Entrance
from rambla.drivers.podman.http import PORT, Answer, BrokenAnswer, post
from rambla.drivers.process import verdict
from rambla.drivers.process.verdict import Phase, Verdict
from rambla.engine.ports import Grant, Program, Run
from rambla.kit.clock import Clock

_EXIT_GRACE_S = 0.5
_CONNECT_PAUSE_S = 0.01
_FAILURE_BYTES_MAX = 64 << 10
_SOCKETS = 4  # made at once: an entrance costs more than a socket that waits


class ImageSandbox:
    """See rambla.engine.ports.Sandbox."""

    def __init__(self, container: Container, entrance: Entrance, clock: Clock) -> None:
        self._container, self._entrance, self._clock = container, entrance, clock
        self._on_grants: Callable[[tuple[Grant, ...]], None] = lambda grants: None
        self._on_close: Callable[[], None] = lambda: None
        self._sockets: list[socket.socket] = []
        self._broken = self._closed = False

    @property
    def alive(self) -> bool:
        return not self._broken and not self._container.ended.is_set()

    def fit(self, on_grants: Callable[[tuple[Grant, ...]], None], on_close: Callable[[], None]) -> None:
        """What sets the grants in force, and what is to be undone once it has ended."""
        self._on_grants, self._on_close = on_grants, on_close

    async def init(self, program: Program, run: Run) -> RunResult | None:
        env = {f"__OW_{key.upper()}": value for key, value in run.context.items()} | program.env
        code = {"code": program.code} if program.code else {}
        value = {"name": program.name, "main": program.main or "main", "binary": program.binary, **code, "env": env}
        result = await self._call("init", msgspec.json.encode({"value": value}), run)
        if result is not None:
            await self.close()
        return result

    async def run(self, run: Run) -> RunResult:
        context = msgspec.json.encode(run.context)
        body = b'{"value":%b,%b' % (run.payload, context[1:]) if run.context else b'{"value":%b}' % run.payload
        self._on_grants(run.grants)
        try:
            result = await self._call("run", body, run)
        finally:
            self._on_grants(())
        assert result is not None, "every answer to a run has a verdict"
        return result

    async def close(self) -> None:
        self._broken = True
        if self._closed:
            await self._container.ended.wait()
            return
        self._closed = True
        while self._sockets:
            self._sockets.pop().close()
        await self._container.close()
        self._on_close()

    # --- one call ---

    async def _call(self, phase: Phase, body: bytes, run: Run) -> RunResult | None:
        """None for a successful init. Whoever no longer waits ends the container."""
        try:
            return await self._report(phase, body, run)
        except BaseException:
            await self.close()
            raise

    async def _report(self, phase: Phase, body: bytes, run: Run) -> RunResult | None:
        """Send, wait, judge, and report with the logs."""
        started = self._clock.monotonic_ns()
        self._container.buffer.begin(run.log_bytes_max)
        timed_out = False
        judged: Verdict | None
        try:
            async with asyncio.timeout(run.timeout_ms / 1000):
                answer = await self._exchange(phase, body, run.result_bytes_max)
            judged = await self._judge(answer, phase, run.result_bytes_max)
        except TimeoutError:
            timed_out, judged = True, verdict.timed_out(phase, run.timeout_ms)
        except EngineFailed:  # the platform's own side of it
            self._broken, judged = True, verdict.lost()
        if judged is None:
            return None
        spent_ms = (self._clock.monotonic_ns() - started) // 1_000_000
        await self._gather_logs(ended=timed_out or self._broken)
        status, result = judged
        return RunResult(
            status=status,
            result=result,
            logs=self._container.buffer.take(missing=status == "action developer error"),
            init_ms=spent_ms if phase == "init" else None,
            run_ms=spent_ms if phase == "run" else 0,
            timed_out=timed_out,
        )

    async def _gather_logs(self, *, ended: bool) -> None:
        self._container.pipes.collect()
        if not ended:
            await self._container.buffer.marked()
        elif not self._closed:
            await self.close()

    async def _exchange(self, phase: Phase, body: bytes, result_bytes_max: int) -> Answer | None:
        """The answer, or None if there is none and there will be none."""
        keep_bytes = result_bytes_max if phase == "run" else _FAILURE_BYTES_MAX
        try:
            connected = await self._connect(patient=phase == "init")
            return await post(connected, f"/{phase}", body, keep_bytes) if connected else None
        except (BrokenAnswer, OSError):
            return None

    async def _connect(self, *, patient: bool) -> socket.socket | None:
        """A connection into the container; None if nothing listens there. Who is `patient` waits until it does."""
        loop = asyncio.get_running_loop()
        while self.alive and self._container.namespaces:
            if not self._sockets:
                self._sockets = await self._entrance.sockets(self._container.namespaces, _SOCKETS)
                continue
            try:
                await loop.sock_connect(self._sockets[-1], ("127.0.0.1", PORT))
                return self._sockets.pop()
            except (ConnectionRefusedError, ConnectionAbortedError):  # it may try again: the latter tells of the former
                if not patient:
                    return None
            await asyncio.sleep(_CONNECT_PAUSE_S)
        return None

    async def _judge(self, answer: Answer | None, phase: Phase, result_bytes_max: int) -> Verdict | None:
        if answer is None:
            self._broken = True
            with anyio.move_on_after(_EXIT_GRACE_S):
                await self._container.ended.wait()
        elif answers.is_success(answer):
            return answers.judge(answer, phase, result_bytes_max)
        self._broken = True
        if await self._container.memory_exhausted():
            return verdict.out_of_memory()
        return answers.judge(answer, phase, result_bytes_max) if answer else verdict.exited(phase)
