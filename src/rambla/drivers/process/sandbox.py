"""What is one sandbox to the platform?

A number at the zygote, a channel to its worker, two pipes of output and perhaps a control group. `init` and `run` send
a frame and wait for whatever comes first: an answer, the end of the process, or the deadline; `verdict` says what that
means. After anything but an answer the sandbox is ended.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import msgspec

from rambla.domain.activation import RunResult
from rambla.domain.errors import EngineFailed
from rambla.drivers.process import frames, verdict
from rambla.drivers.process.cgroups import Group
from rambla.drivers.process.frames import Channel, Frame, Hostile
from rambla.drivers.process.logs import LogPipes
from rambla.drivers.process.verdict import Phase, Verdict
from rambla.drivers.process.zygote import LOST, Zygote
from rambla.engine.ports import Grant, Program, Run
from rambla.kit.clock import Clock

_EXIT_GRACE_S = 0.5
_CLOSE_TIMEOUT_S = 10.0
_HELLO_TIMEOUT_S = 10.0
_FAILURE_BYTES_MAX = 64 << 10
_GROUP_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """The sandbox's process is gone with this status, or with LOST if the zygote went first."""

    status: int | None


class ProcessSandbox:
    """See rambla.engine.ports.Sandbox."""

    def __init__(self, number: int, zygote: Zygote, clock: Clock, pipes: LogPipes, group: Group | None) -> None:
        self._number, self._zygote, self._clock, self._pipes, self._group = number, zygote, clock, pipes, group
        self._channel: Channel | None = None
        self._on_grants: Callable[[tuple[Grant, ...]], None] = lambda grants: None
        self._on_close: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Frame | None] | None = None
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._job = 0
        self._broken = self._exhausted = self._greeted = False

    @property
    def alive(self) -> bool:
        return not self._broken and not self._ended.done()

    def connect(self, channel: Channel) -> None:
        self._channel = channel
        self._answer = self._loop.create_future()

    async def greeted(self) -> None:
        """Wait until it says that it is isolated. Raises EngineFailed."""
        assert self._channel is not None, "connected"
        assert self._answer is not None, "connected"
        frame = None
        with anyio.move_on_after(_HELLO_TIMEOUT_S):
            frame = await self._answer
        self._answer = None
        self._greeted = True
        if frame is None or frame.kind != frames.HELLO:
            raise EngineFailed(detail=frame.body.decode(errors="replace") if frame else "it ended before it was ready")

    def take_rights(self) -> list[int]:
        """The descriptors that it sent before it was shut in; from now on the caller's."""
        return self._channel.take_rights() if self._channel else []

    def limit_memory(self, memory_bytes: int) -> None:
        """Bound it as a whole, before it loads anything. Raises EngineFailed."""
        try:
            if self._group:
                self._group.limit_memory(memory_bytes)
        except OSError as error:
            raise EngineFailed(detail=f"the memory limit could not be set: {error}") from error

    def fit(self, on_grants: Callable[[tuple[Grant, ...]], None], on_close: Callable[[], None]) -> None:
        """What sets the grants in force, and what is to be undone once it has ended."""
        self._on_grants, self._on_close = on_grants, on_close

    async def init(self, program: Program, run: Run) -> RunResult | None:
        env = {f"__OW_{key.upper()}": value for key, value in run.context.items()} | program.env
        message = {"name": program.name, "main": program.main, "code": program.code, "binary": program.binary}
        result = await self._call("init", msgspec.json.encode(message | {"env": env}), run)
        if result is not None:
            await self.close()
        return result

    async def run(self, run: Run) -> RunResult:
        body = b'{"value":%b,"context":%b}' % (run.payload, msgspec.json.encode(run.context))
        self._on_grants(run.grants)
        try:
            result = await self._call("run", body, run)
        finally:
            self._on_grants(())
        assert result is not None, "every frame of a run has a verdict"
        return result

    def abandon(self) -> None:
        """Begin its end without waiting for it."""
        self._broken = True
        self._zygote.kill(self._number)

    async def close(self) -> None:
        self.abandon()
        with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True):
            await asyncio.shield(self._ended)

    # --- what happens to it ---

    def on_frame(self, frame: Frame) -> None:
        """Only one answer is ever awaited, the first after the listener perhaps; anything else is a lie."""
        if frame.kind == frames.LISTENER and not self._greeted:
            return
        if self._answer is None or self._answer.done() or frame.job != self._job:
            raise Hostile(f"a frame of type {frame.kind} that nobody waits for")
        self._pipes.collect()
        self._answer.set_result(frame)

    def on_channel_end(self, hostile: bool) -> None:
        """It is about to end, or has closed its stream to play dead: it gets a moment to end by itself, if it is ours.

        The moment matters: what it dies of by itself can be told, a kill hides it.
        """
        self._broken = True
        self._loop.call_later(0 if hostile else _EXIT_GRACE_S, self._zygote.kill, self._number)

    def on_exit(self, status: int | None) -> None:
        """Every process of it is gone: take what it left behind, then let go of everything."""
        if self._ended.done():
            return
        if self._channel:
            self._channel.pump()
            self._channel.close()
        self._pipes.collect()
        self._pipes.close()
        self._exhausted = self._group is not None and self._group.memory_exhausted()
        self._on_close()
        self._ended.set_result(Ended(status))
        if self._answer and not self._answer.done():
            self._answer.set_result(None)
        self._remove_group()

    def _remove_group(self) -> None:
        if self._group and not self._group.remove():
            self._loop.call_later(_GROUP_PAUSE_S, self._remove_group)

    # --- one call ---

    async def _call(self, phase: Phase, body: bytes, run: Run) -> RunResult | None:
        """Send, wait, judge, and report with the logs. None for a successful init."""
        started = self._clock.monotonic_ns()
        self._pipes.buffer.begin(run.log_bytes_max)
        timed_out = False
        judged: Verdict | None
        try:
            async with asyncio.timeout(run.timeout_ms / 1000):
                frame = await self._exchange(phase, body, run.result_bytes_max)
            judged = self._judge(frame, phase, run.result_bytes_max)
        except TimeoutError:
            timed_out, judged = True, verdict.timed_out(phase, run.timeout_ms)
        except BaseException:
            await self.close()
            raise
        if judged is None:
            return None
        spent_ms = (self._clock.monotonic_ns() - started) // 1_000_000
        if timed_out or self._broken:
            await self.close()
        status, result = judged
        return RunResult(
            status=status,
            result=result,
            logs=self._pipes.buffer.take(missing=status == "action developer error"),
            init_ms=spent_ms if phase == "init" else None,
            run_ms=spent_ms if phase == "run" else 0,
            timed_out=timed_out,
        )

    async def _exchange(self, phase: Phase, body: bytes, keep_bytes: int) -> Frame | None:
        """The answer, or None if the process ended first."""
        if not self.alive or not self._channel:
            return None
        self._job = (self._job + 1) & 0xFFFFFFFF
        self._answer = self._loop.create_future()
        self._channel.parser.keep_bytes = keep_bytes if phase == "run" else _FAILURE_BYTES_MAX
        self._channel.send(frames.encode(frames.INIT if phase == "init" else frames.RUN, self._job, body))
        try:
            return await self._answer
        finally:
            self._answer = None

    def _judge(self, frame: Frame | None, phase: Phase, result_bytes_max: int) -> Verdict | None:
        if frame is None:
            self._broken = True
            if self._ended.done() and self._ended.result().status is LOST:
                return verdict.lost()
            # Where no control group bounds it, V8 itself gives up, and says so.
            exhausted = self._exhausted or self._pipes.buffer.says(verdict.V8_GAVE_UP)
            return verdict.out_of_memory() if exhausted else verdict.exited(phase)
        if frame.flags & frames.FLAG_MEMORY:
            self._broken = True  # what survives a MemoryError is in no state to be trusted
        try:
            return verdict.of_frame(frame, phase, result_bytes_max)
        except Hostile:
            self._broken = True
            return verdict.exited(phase)
