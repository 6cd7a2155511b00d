"""What happens when an action is made of others?

A sequence or a conductor is one promised piece of work whose parts are activations of their own: each is judged, its
intent is on disk before it runs, and its outcome follows. Which part comes next is `dispatch/composition.py`; how one
is run, `perform`, is handed in. Between two parts nothing is held but the last result. A crash breaks a composition
off: it is never taken up in the middle, what is left open is settled by `recover`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rambla.catalog.arguments import merge
from rambla.dispatch.composition import (
    COMPONENTS_MAX,
    SEQUENCE_TOO_LONG,
    Automaton,
    Call,
    Conductor,
    Response,
    Sequence,
    Tally,
)
from rambla.domain.access import Decision, Target
from rambla.domain.activation import Activation
from rambla.domain.entities import SEQUENCE
from rambla.domain.errors import BadRequest, CallerError, NotFound, Refused
from rambla.domain.records import Record, Started, Work
from rambla.flow.decide import Judged
from rambla.flow.entitle import check_kind
from rambla.flow.guard import INVOKE, intent_of, judge
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import Runnable, reach, target
from rambla.flow.task import Task

Perform = Callable[[Platform, Task], Awaitable[Activation]]
CONDUCTOR = "conductor"


@dataclass(slots=True)
class _Run:
    """A composition while it runs; `ids`, `parts_ms` and `memory_mb` sum up its parts so far."""

    platform: Platform
    task: Task
    op: Op
    tally: Tally
    start_ms: int
    ids: list[str] = field(default_factory=list)
    parts_ms: int = 0
    memory_mb: int = 0


def is_composition(task: Task) -> bool:
    action = task.action
    return action.exec.kind == SEQUENCE or (bool(action.annotations.get(CONDUCTOR)) and not task.conducting)


async def compose(platform: Platform, task: Task, perform: Perform) -> Activation:
    """The record of the whole, not written yet. Raises StorageFailed if the intent of a part could not be written."""
    run = _Run(platform, task, _invoker(task), task.tally or Tally(), platform.clock.now_ms())
    is_sequence = task.action.exec.kind == SEQUENCE
    automaton: Automaton = Sequence(task.action.exec.components) if is_sequence else Conductor(task.work.namespace)
    automaton, step = automaton.begin(task.arguments, run.tally)
    while isinstance(step, Call):
        try:
            part = await _part(run, step)
        except CallerError as error:
            automaton, step = automaton.lacking(_why_not(step, error, is_sequence), run.tally)
            continue
        ended = await perform(platform, part)
        _sum_up(run, ended)
        automaton, step = automaton.after(Response(ended.status, ended.result), run.tally)
    return _record(run, step)


def _invoker(task: Task) -> Op:
    """Whoever invokes a composition invokes its parts."""
    return Op(task.transaction or task.work.activation_id, task.invoker("key"))


async def _part(run: _Run, call: Call) -> Task:
    """The next part, ready to be performed: its intent is on disk. Raises CallerError if there is none to be run."""
    task, name = run.task, call.action or run.task.work.action
    if call.action is None:
        aim, before = Target(name.namespace, str(name)), task.intent
        judged = Judged(Decision(allowed=True, rule=before.rule), before.bundle, before.asked)
        found = Runnable(task.action, task.defaults, task.binding)
        run.tally.conductors += 1
    else:
        aim = await target(run.platform, run.op, name)
        judged = await judge(run.platform, run.op, INVOKE, aim)
        found = await reach(run.platform, run.op, INVOKE, name)
        check_kind(await run.platform.keys.namespace(task.work.namespace), found.action.exec.kind)
    work = Work(
        activation_id=run.platform.ids.next(),
        action=name,
        replay="never",
        namespace=task.work.namespace,
        cause=task.work.activation_id,
        kept=task.work.kept,
    )
    intent = intent_of(run.platform, run.op, INVOKE, aim, judged, work=work)
    part = Task.of(intent, found, _given(found, call.payload), run.op.id)
    part = _counted(run, part) if call.action else part.as_conductor()
    await run.platform.ledger.write(*_marks(run), intent)
    return part


def _given(found: Runnable, payload: bytes) -> bytes:
    """The arguments of a part; an array, as a result may be, is handed on as it is."""
    return payload if payload.lstrip().startswith(b"[") else merge(found.defaults, payload)


def _counted(run: _Run, part: Task) -> Task:
    """What lies in a composition of the same kind counts by its parts, a conductor by its runs too, and not itself.
    Anything else counts as one, whatever it is made of."""
    is_sequence = part.action.exec.kind == SEQUENCE
    if not is_composition(part) or is_sequence != (run.task.action.exec.kind == SEQUENCE):
        run.tally.components += 1
        return part
    if is_sequence and run.tally.sequences >= COMPONENTS_MAX:
        raise BadRequest(detail=SEQUENCE_TOO_LONG)
    run.tally.sequences += int(is_sequence)
    return part.within(run.tally)


def _marks(run: _Run) -> list[Record]:
    """Before its first part, that a composition which must not run twice has begun."""
    if run.ids or run.task.work.replay != "unless_started":
        return []
    return [Started(activation_id=run.task.work.activation_id, at_ms=run.start_ms)]


def _why_not(call: Call, error: CallerError, is_sequence: bool) -> str:
    """In OpenWhisk's words."""
    if is_sequence:
        return "Sequence component does not exist." if isinstance(error, NotFound) else str(error)
    failed = "Failed entitlement check for" if isinstance(error, Refused) else "Failed to resolve"
    return f"{failed} action with name '{call.action}' during composition."


def _sum_up(run: _Run, part: Activation) -> None:
    run.ids.append(part.id)
    run.parts_ms += part.duration_ms
    run.memory_mb = max(run.memory_mb, part.annotations.get("limits", {}).get("memory", 0))


def _record(run: _Run, response: Response) -> Activation:
    action, work, intent = run.task.action, run.task.work, run.task.intent
    return Activation(
        id=work.activation_id,
        namespace=work.namespace,
        name=action.name.name,
        package=run.task.binding.name if run.task.binding else action.name.package,
        version=action.version,
        subject=intent.subject,
        start_ms=run.start_ms,
        end_ms=run.platform.clock.now_ms(),
        status=response.status,
        result=response.result,
        raw_logs=tuple(run.ids),
        annotations=_annotations(run, max(0, run.start_ms - intent.at_ms)),
        cause=work.cause,
        parts_ms=run.parts_ms,
        kept=work.kept,
    )


def _annotations(run: _Run, wait_ms: int) -> dict[str, Any]:
    """Those that OpenWhisk gives it; the memory is the most that a part had."""
    action, limits = run.task.action, run.task.action.limits
    annotations: dict[str, Any] = {
        "topmost": run.task.work.cause is None,
        "path": str(action.name),
        "kind": SEQUENCE,
        "waitTime": wait_ms,
        "limits": {
            "concurrency": limits.concurrency,
            "logs": limits.logs_mb,
            "memory": run.memory_mb or limits.memory_mb,
            "timeout": limits.timeout_ms,
        },
    }
    if action.exec.kind != SEQUENCE:
        annotations[CONDUCTOR] = True
    if run.task.work.cause is not None:
        annotations["causedBy"] = SEQUENCE
    if run.task.binding is not None:
        annotations["binding"] = str(run.task.binding)
    return annotations
