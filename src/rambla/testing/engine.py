"""Does a driver keep what rambla.engine.ports.Engine promises?

A test class inherits `EngineSuite`, says of which `kind` its programs are, and provides the fixtures `engine`, of which
no sandbox lives yet, and `code`: what this engine calls the programs named here. Isolation is each one's own to prove.

    echo    gives its arguments back, and prints "one" and "two" on its standard output
    counts  gives {"n": how often it ran in this sandbox}, and prints "run N"
    value   gives the argument `value` back, whatever it is
    large   gives an object of 2 MiB
    prints  prints the argument `text` so many `times`
    bytes   prints 4000 lines of 100 bytes that are no UTF-8
    fails   raises an exception with the text "not today"
    crashes ends its process
    endless never returns
    broken  cannot be loaded
"""

import anyio
import msgspec

from rambla.domain.activation import Activation, RunResult
from rambla.domain.errors import EngineFailed
from rambla.domain.records import Outcome, encode_record
from rambla.engine.ports import LEVELS, Engine, Program, Run, Sandbox
from rambla.testing.checks import raises

NAMES = ("echo", "counts", "value", "large", "prints", "bytes", "fails", "crashes", "endless", "broken")
"""What `code` has an entry for."""
Code = dict[str, str]
MEMORY_MB = 128
DEVELOPER = "action developer error"
EXITED = "The action did not produce a valid response and exited unexpectedly."
TRUNCATED = "Logs were truncated because the total bytes size exceeds the limit of {limit} bytes."


def a_run(arguments: object = None, *, timeout_ms: int = 30_000, log_bytes_max: int = 10_000_000) -> Run:
    return Run(
        activation_id="0" * 32,
        payload=msgspec.json.encode(arguments or {}),
        context={"namespace": "guest", "action_name": "/guest/a"},
        timeout_ms=timeout_ms,
        log_bytes_max=log_bytes_max,
        result_bytes_max=2**20,
    )


def a_program(kind: str, code: str) -> Program:
    return Program(kind=kind, name="a", main="", code=code, binary=False)


def value_of(result: RunResult) -> object:
    assert result.status == "success", result
    return msgspec.json.decode(result.result)


def error_of(result: RunResult) -> object:
    return msgspec.json.decode(result.result)["error"]


def texts_of(result: RunResult) -> list[str]:
    return [line.text for line in result.logs]


class EngineSuite:
    kind = "python:3"

    async def loaded(self, engine: Engine, code: str) -> Sandbox:
        sandbox = await engine.start(self.kind, MEMORY_MB, grants=False)
        assert sandbox.alive
        assert await sandbox.init(a_program(self.kind, code), a_run()) is None
        return sandbox

    async def test_a_sandbox_is_counted_until_it_is_closed(self, engine: Engine, code: Code) -> None:
        assert engine.health().level in LEVELS
        assert self.kind.partition(":")[0] in engine.health().runtimes
        first, second = await self.loaded(engine, code["echo"]), await self.loaded(engine, code["echo"])
        assert engine.health().sandboxes == 2
        for _ in range(2):
            await first.close()
            assert (first.alive, second.alive, engine.health().sandboxes) == (False, True, 1)
        await second.close()
        assert engine.health().sandboxes == 0

    async def test_arguments_go_in_and_the_result_and_the_logs_come_out(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["echo"])
        arguments = {"text": "Grüße \u2028 \0 \U0001f388", "deep": [{"n": 1.5}, None, 2**53]}
        result = await sandbox.run(a_run(arguments))
        assert value_of(result) == arguments
        assert [(line.stream, line.text) for line in result.logs] == [("stdout", "one"), ("stdout", "two")]
        assert (result.timed_out, sandbox.alive) == (False, True)
        await sandbox.close()

    async def test_a_sandbox_keeps_its_state_and_each_run_its_own_logs(self, engine: Engine, code: Code) -> None:
        first, second = await self.loaded(engine, code["counts"]), await self.loaded(engine, code["counts"])
        for number in (1, 2, 3):
            result = await first.run(a_run())
            assert (value_of(result), texts_of(result)) == ({"n": number}, [f"run {number}"])
        assert value_of(await second.run(a_run())) == {"n": 1}
        await first.close()
        await second.close()

    async def test_what_an_action_returns_decides_the_status(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["value"])
        for value, status in (
            ({}, "success"),
            ([], "success"),
            ({"error": {"why": 1}}, "application error"),
            (3, DEVELOPER),
            ("text", DEVELOPER),
            (None, DEVELOPER),
        ):
            result = await sandbox.run(a_run({"value": value}))
            assert result.status == status, value
            assert isinstance(msgspec.json.decode(result.result), dict | list)
        await sandbox.close()

    async def test_an_exception_is_the_applications_error(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["fails"])
        result = await sandbox.run(a_run())
        assert (result.status, error_of(result)) == ("application error", "not today")
        assert sandbox.alive
        await sandbox.close()

    async def test_a_result_that_is_too_large_is_cut_and_said_so(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["large"])
        result = await sandbox.run(a_run())
        text = str(error_of(result))
        assert result.status == "application error"
        assert text.startswith("The action produced a response that exceeded the allowed length: ")
        assert len(text) < 10_000
        await sandbox.close()

    async def test_logs_end_at_their_limit_and_the_run_goes_on(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["prints"])
        result = await sandbox.run(a_run({"text": "x" * 100, "times": 4000}, log_bytes_max=20_000))
        assert result.status == "success"
        *kept, last = texts_of(result)
        assert 50 < len(kept) < 200
        assert set(kept) == {"x" * 100}
        assert last == TRUNCATED.format(limit=20_000)
        again = await sandbox.run(a_run({"text": "y", "times": 1}, log_bytes_max=20_000))
        assert texts_of(again) == ["y"]
        await sandbox.close()

    async def test_the_limit_of_logs_bounds_the_record_whatever_is_printed(self, engine: Engine, code: Code) -> None:
        """One that outgrew the journal's records could never be written."""
        for program, arguments in (("bytes", {}), ("prints", {"text": "", "times": 50_000})):
            sandbox = await self.loaded(engine, code[program])
            result = await sandbox.run(a_run(arguments, log_bytes_max=200_000))
            assert result.status == "success"
            assert texts_of(result)[-1] == TRUNCATED.format(limit=200_000)
            assert len(encode_record(_record(result))) < 201_000
            await sandbox.close()

    async def test_a_crash_is_reported_and_ends_its_sandbox_only(self, engine: Engine, code: Code) -> None:
        other, sandbox = await self.loaded(engine, code["counts"]), await self.loaded(engine, code["crashes"])
        for _ in range(2):
            result = await sandbox.run(a_run())
            assert (result.status, error_of(result)) == (DEVELOPER, EXITED)
            assert (sandbox.alive, other.alive) == (False, True)
        await sandbox.close()
        assert value_of(await other.run(a_run())) == {"n": 1}
        await other.close()

    async def test_a_timeout_is_reported_and_ends_its_sandbox(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["endless"])
        result = await sandbox.run(a_run(timeout_ms=50))
        assert (result.status, result.timed_out, sandbox.alive) == (DEVELOPER, True, False)
        assert error_of(result) == "The action exceeded its time limits of 50 milliseconds."
        await sandbox.close()
        assert engine.health().sandboxes == 0

    async def test_what_cannot_be_loaded_says_so_and_is_ended(self, engine: Engine, code: Code) -> None:
        sandbox = await engine.start(self.kind, MEMORY_MB, grants=False)
        failure = await sandbox.init(a_program(self.kind, code["broken"]), a_run())
        assert failure is not None
        assert failure.status == DEVELOPER
        assert error_of(failure)
        assert not sandbox.alive
        await sandbox.close()

    async def test_a_cancelled_run_ends_its_sandbox(self, engine: Engine, code: Code) -> None:
        sandbox = await self.loaded(engine, code["endless"])
        with anyio.move_on_after(0.05):
            await sandbox.run(a_run())
        assert not sandbox.alive
        await sandbox.close()
        assert engine.health().sandboxes == 0

    async def test_sandboxes_at_once_each_answer_their_own_caller(self, engine: Engine, code: Code) -> None:
        seen: list[object] = []

        async def one(number: int) -> None:
            sandbox = await self.loaded(engine, code["echo"])
            seen.append(value_of(await sandbox.run(a_run({"n": number}))) == {"n": number})
            await sandbox.close()

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(one, number)
        assert seen == [True] * 8

    async def test_an_unknown_kind_is_refused_by_its_name(self, engine: Engine) -> None:
        with raises(EngineFailed):
            await engine.start("cobol:60", MEMORY_MB, grants=False)
        assert engine.health().sandboxes == 0

    async def test_closing_ends_every_sandbox_and_begins_none(self, engine: Engine, code: Code) -> None:
        sandboxes = [await self.loaded(engine, code["echo"]) for _ in range(3)]
        for _ in range(2):
            await engine.close()
        assert not any(sandbox.alive for sandbox in sandboxes)
        assert engine.health().sandboxes == 0
        with raises(EngineFailed):
            await engine.start(self.kind, MEMORY_MB, grants=False)


def _record(result: RunResult) -> Outcome:
    ended = Activation(
        id="a",
        namespace="n",
        name="a",
        version="0.0.1",
        subject="s",
        start_ms=0,
        end_ms=0,
        status=result.status,
        result=result.result,
        logs=result.logs,
    )
    return Outcome(intent_id="i", at_ms=0, status="ok", activation=ended)
