"""The record of a run: whose it was, what came of it, and what it costs."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowkit import add_action, ended, named
from rambla.dispatch.jobs import Done
from rambla.domain.activation import Activation, LogLine, RunResult
from rambla.domain.changes import LimitsChange, PackageChange
from rambla.domain.entities import Action, ActionLimits, Exec, Parameter
from rambla.domain.names import FullName
from rambla.domain.records import Intent, Started, Work
from rambla.drivers.memory.engine import MemorySandbox
from rambla.engine.ports import Program, Run
from rambla.flow import change
from rambla.flow.invoke import invoke
from rambla.flow.perform import program_of, record_of
from rambla.flow.task import Task
from rooms import FUNCTIONS, Rooms, op_of

pytestmark = pytest.mark.anyio
STATUSES = ["success", "application error", "action developer error", "whisk internal error"]


def a_task(memory_mb: int = 256) -> Task:
    name = FullName("guest", "p", "a")
    work = Work(activation_id="id", action=name, replay="never", namespace="caller")
    intent = Intent(
        id="i",
        at_ms=0,
        subject="somebody",
        source="key",
        permission="action:invoke",
        namespace="guest",
        target=str(name),
        allowed=True,
        rule="r",
        work=work,
    )
    limits = ActionLimits(timeout_ms=7, memory_mb=memory_mb, logs_mb=3, concurrency=1)
    action = Action(name=name, version="1.2.3", exec=Exec(kind="python:3"), limits=limits)
    return Task(intent=intent, action=action, defaults=(), arguments=b"{}")


@given(
    memory_mb=st.integers(1, 512),
    init_ms=st.none() | st.integers(0, 10_000),
    run_ms=st.integers(0, 300_000),
    wait_ms=st.integers(0, 10_000),
    status=st.sampled_from(STATUSES),
)
def test_a_run_costs_its_memory_times_its_time_and_our_own_faults_cost_nothing(
    memory_mb: int, init_ms: int | None, run_ms: int, wait_ms: int, status: Any
) -> None:
    result = RunResult(status=status, result=b"{}", init_ms=init_ms, run_ms=run_ms)
    end_ms = 1000 + (init_ms or 0) + run_ms
    record = record_of(a_task(memory_mb), Done(result=result, wait_ms=wait_ms, start_ms=1000, end_ms=end_ms))
    if status == "whisk internal error":
        assert record.billed_mb_ms == 0
    else:
        assert record.billed_mb_ms == memory_mb * max(1, record.duration_ms)
    assert record.duration_ms == (init_ms or 0) + run_ms
    assert ("initTime" in record.annotations) == (init_ms is not None)
    assert record.annotations["waitTime"] == wait_ms


def test_a_record_has_everything_that_openwhisk_says_of_a_run() -> None:
    logs = (LogLine(1, "stdout", "hello"),)
    result = RunResult(status="success", result=b'{"n":1}', logs=logs, init_ms=5, run_ms=10, timed_out=True)
    record = record_of(a_task(), Done(result=result, wait_ms=3, start_ms=1000, end_ms=1015))
    assert record == Activation(
        id="id",
        namespace="caller",
        name="a",
        package="p",
        version="1.2.3",
        subject="somebody",
        start_ms=1000,
        end_ms=1015,
        status="success",
        result=b'{"n":1}',
        logs=logs,
        annotations={
            "path": "guest/p/a",
            "kind": "python:3",
            "limits": {"concurrency": 1, "logs": 3, "memory": 256, "timeout": 7},
            "waitTime": 3,
            "timeout": True,
            "initTime": 5,
        },
        billed_mb_ms=256 * 15,
    )


def test_init_parameters_go_to_the_environment_and_not_into_the_arguments() -> None:
    task = msgspec.structs.replace(
        a_task(), defaults=(Parameter("A", "text", True), Parameter("B", [1], True), Parameter("c", 1))
    )
    assert program_of(task).env == {"A": "text", "B": "[1]"}


async def test_a_run_is_told_who_and_what_it_is_and_how_long_it_has(rooms: Rooms) -> None:
    told: list[Run] = []

    async def look(arguments: dict[str, Any], run: Run) -> Any:
        told.append(run)
        return {}

    rooms.engine.functions = {**FUNCTIONS, "look": look}
    wish = PackageChange()
    await change.put_package(rooms.platform, op_of(rooms.platform), named("p"), wish, overwrite=False)
    limits = LimitsChange(timeout_ms=5000, logs_mb=2, memory_mb=128)
    name = await add_action(rooms, "p/a", "look", limits=limits)
    op = op_of(rooms.platform)
    record = await invoke(rooms.platform, op, name, b'{"n":1}', blocking=True)
    assert isinstance(record, Activation)
    (run,) = told
    now_ms = rooms.world.clock.now_ms()
    assert run == Run(
        activation_id=record.id,
        payload=b'{"n":1}',
        context={
            "api_host": "",
            "namespace": "guest",
            "action_name": "/guest/p/a",
            "action_version": "0.0.1",
            "activation_id": record.id,
            "transaction_id": op.id,
            "deadline": str(now_ms + 5000),
        },
        timeout_ms=5000,
        log_bytes_max=2 * 2**20,
        result_bytes_max=2**20,
    )


async def test_the_start_of_what_may_run_once_is_on_disk_before_the_code_is_loaded(rooms: Rooms) -> None:
    name = await add_action(rooms)
    activation_id = await invoke(rooms.platform, op_of(rooms.platform), name, b"{}", blocking=False)
    assert isinstance(activation_id, str)
    await ended(rooms, activation_id)
    kinds = [type(record).__name__ for record in (await rooms.records())[-3:]]
    assert kinds == ["Intent", "Started", "Outcome"]
    (start,) = [record for record in await rooms.records() if isinstance(record, Started)]
    assert start.activation_id == (await rooms.intents())[-1].activation_id


async def test_a_changed_action_never_runs_in_an_old_sandbox(rooms: Rooms) -> None:
    loaded: list[Program] = []

    class Watching(MemorySandbox):
        async def init(self, program: Program, run: Run) -> RunResult | None:
            loaded.append(program)
            return await super().init(program, run)

    async def start(kind: str, memory_mb: int, *, grants: bool) -> MemorySandbox:
        return Watching(rooms.engine, memory_mb)

    rooms.engine.start = start  # type: ignore[method-assign]  # to see what is loaded
    for code in ("echo", "listed", "echo"):
        name = await add_action(rooms, code=code)
        for _ in range(2):
            await invoke(rooms.platform, op_of(rooms.platform), name, b"{}", blocking=True)
    assert [program.code for program in loaded] == ["echo", "listed", "echo"]
