"""How does promised work become a record?

Dispatch, sign the addresses the action may reach, run, make the activation record, write it down, remember it. Used
for invokes, for fires and for what a restart takes up again. It never raises for what the action did; until the record
can be written the promise stays open in the journal, and if it never can the next start settles it.
"""

from itertools import islice
from typing import Any

import anyio

from rambla.catalog.arguments import environment_of
from rambla.catalog.merge import API_KEY
from rambla.dispatch.jobs import Done, Job, PoolKey
from rambla.domain.activation import Activation, RunResult, Status, error_result
from rambla.domain.entities import BLACKBOX, BUILTIN, SEQUENCE
from rambla.domain.errors import RamblaError, StorageFailed
from rambla.domain.records import Intent, Outcome, Started, Work
from rambla.engine.ports import Grant, Program, Run
from rambla.flow.access import NETWORK, OBJECTS, open_objects
from rambla.flow.builtins import run_builtin
from rambla.flow.compose import compose, is_composition
from rambla.flow.platform import Platform
from rambla.flow.task import Task
from rambla.kit.tasks import pauses_s
from rambla.usage.billing import billed_mb_ms

RUNS_MAX = 5
_MB = 2**20
INTERNAL: Status = "whisk internal error"


async def perform(platform: Platform, task: Task) -> Activation:
    """Run the task's work to its end. The activation, on disk.

    An event's work, which runs again after a crash of the platform, does so after one of a part of it too: while the
    failure is ours, up to RUNS_MAX times.
    """
    activation, ours = await _attempt(platform, task)
    if task.work.replay == "always":
        for pause_s in islice(pauses_s(), RUNS_MAX - 1):
            if not ours:
                break
            await anyio.sleep(pause_s)
            activation, ours = await _attempt(platform, task)
    return await conclude(platform, task.intent, activation)


async def _attempt(platform: Platform, task: Task) -> tuple[Activation, bool]:
    """The record of one run, and whether it failed through our fault or the world's, and may be tried again."""
    try:
        if is_composition(task):
            composed = await compose(platform, task, perform)
            return composed, composed.status == INTERNAL
        done = await _run(platform, task)
    except RamblaError as error:
        return never_ran(platform, task.intent, task.work, str(error)), error.fault != "caller"
    return record_of(task, done), done.result.status == INTERNAL


async def _run(platform: Platform, task: Task) -> Done:
    """Run it once. A direct invoke that could not write that it begins has not begun: it waits until there is room.

    Raises what the dispatcher raises.
    """
    for pause_s in pauses_s():
        try:
            if task.action.exec.kind == BUILTIN:
                return await run_builtin(platform, task)
            return await platform.dispatcher.run(job_of(platform, task))
        except StorageFailed:
            if task.work.replay != "unless_started":
                raise
        await anyio.sleep(pause_s)
    raise AssertionError("pauses never end")


async def conclude(platform: Platform, intent: Intent, activation: Activation) -> Activation:
    """Write the record that ends `intent`: also while the platform stops, and however long the disk is full."""
    await platform.ledger.write_at_last(outcome_of(platform, intent, activation))
    platform.activations.remember(activation)
    return activation


def outcome_of(platform: Platform, intent: Intent, activation: Activation) -> Outcome:
    now_ms = platform.clock.now_ms()
    return Outcome(intent_id=intent.id, at_ms=now_ms, status=activation.status, activation=activation.written())


def job_of(platform: Platform, task: Task) -> Job:
    """What the dispatcher is asked for. Times and signed addresses are made when a sandbox is at hand."""
    action, work = task.action, task.work
    grants = action.annotations.get(NETWORK) == OBJECTS

    async def prepare(start_ms: int) -> Run:
        arguments = task.arguments
        addresses: tuple[Grant, ...] = ()
        if work.access is not None and grants:
            arguments, addresses = await open_objects(platform, task, arguments)
        if work.replay == "unless_started":
            # On disk before the code begins, so that no crash can make a direct invoke run twice.
            await platform.ledger.write(Started(activation_id=work.activation_id, at_ms=start_ms))
        return Run(
            activation_id=work.activation_id,
            payload=arguments,
            context=await _context(platform, task, start_ms),
            timeout_ms=action.limits.timeout_ms,
            log_bytes_max=action.limits.logs_mb * _MB,
            result_bytes_max=platform.limits.result_bytes_max,
            grants=addresses,
        )

    program = program_of(task)
    key = PoolKey(
        namespace=work.namespace,
        action=str(action.name),
        revision=action.revision,
        kind=f"{BLACKBOX}:{action.exec.image}" if action.exec.image else action.exec.kind,
        memory_mb=action.limits.memory_mb,
        grants=grants,
        environment=tuple(program.env.items()),
    )
    return Job(key=key, program=program, prepare=prepare, payload_bytes=len(task.arguments))


def program_of(task: Task) -> Program:
    code = task.action.exec
    return Program(
        kind=code.kind,
        name=task.action.name.name,
        main=code.main or "",
        code=code.code,
        binary=code.binary,
        env=environment_of(task.defaults),
    )


async def _context(platform: Platform, task: Task, start_ms: int) -> dict[str, str]:
    action = task.action
    context = {
        "api_host": platform.api_host,
        "namespace": task.work.namespace,
        "action_name": f"/{action.name}",
        "action_version": action.version,
        "activation_id": task.work.activation_id,
        "transaction_id": task.transaction or task.work.activation_id,
        "deadline": str(start_ms + action.limits.timeout_ms),
    }
    if action.annotations.get(API_KEY):
        context["api_key"] = (await platform.keys.namespace(task.work.namespace)).key
    return context


def record_of(task: Task, done: Done) -> Activation:
    """The activation record of a run, with the annotations OpenWhisk gives it."""
    action, work, result = task.action, task.work, done.result
    duration_ms = done.end_ms - done.start_ms
    return Activation(
        id=work.activation_id,
        namespace=work.namespace,
        name=action.name.name,
        package=task.binding.name if task.binding else action.name.package,
        version=action.version,
        subject=task.intent.subject,
        start_ms=done.start_ms,
        end_ms=done.end_ms,
        status=result.status,
        result=result.result,
        logs=result.logs,
        annotations=_annotations(task, result, done.wait_ms),
        cause=work.cause,
        billed_mb_ms=0 if _is_free(task, result) else billed_mb_ms(action.limits.memory_mb, duration_ms),
        kept=work.kept,
    )


def _is_free(task: Task, result: RunResult) -> bool:
    """What failed by our own fault is not charged, and what held no sandbox neither."""
    return result.status == INTERNAL or task.action.exec.kind == BUILTIN


def _annotations(task: Task, result: RunResult, wait_ms: int) -> dict[str, Any]:
    action, limits = task.action, task.action.limits
    annotations: dict[str, Any] = {
        "path": str(action.name),
        "kind": action.exec.kind,
        "limits": {
            "concurrency": limits.concurrency,
            "logs": limits.logs_mb,
            "memory": limits.memory_mb,
            "timeout": limits.timeout_ms,
        },
        "waitTime": wait_ms,
        "timeout": result.timed_out,
    }
    if result.init_ms is not None:
        annotations["initTime"] = result.init_ms
    if task.binding is not None:
        annotations["binding"] = str(task.binding)
    if task.work.cause is not None:
        annotations["causedBy"] = SEQUENCE
    return annotations


def never_ran(platform: Platform, intent: Intent, work: Work, text: str) -> Activation:
    """The record of work that could not be run, and why."""
    now_ms = platform.clock.now_ms()
    return Activation(
        id=work.activation_id,
        namespace=work.namespace,
        name=work.action.name,
        package=work.action.package,
        version="0.0.1",
        subject=intent.subject,
        start_ms=now_ms,
        end_ms=now_ms,
        status=INTERNAL,
        result=error_result(text),
        annotations={"path": str(work.action), "waitTime": now_ms - intent.at_ms},
        cause=work.cause,
        kept=work.kept,
    )
