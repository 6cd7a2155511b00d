"""What happens when somebody invokes an action?

Judge, find the action, admit, write the intent with the work it promises, then perform it: dispatch, sign what the
action may reach, record. `perform` is shared with fires and with what is run again after a crash. A blocking caller
waits for the record; the work itself never depends on the caller's patience.
"""

import asyncio
import logging

from rambla.catalog.arguments import merge
from rambla.domain.access import Target
from rambla.domain.activation import Activation
from rambla.domain.entities import Namespace
from rambla.domain.errors import Unavailable
from rambla.domain.names import FullName
from rambla.domain.records import Intent, Work
from rambla.flow.decide import Judged
from rambla.flow.entitle import entitled
from rambla.flow.guard import INVOKE, intent_of, judge
from rambla.flow.perform import conclude, never_ran, perform
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import judge_components, reach, target
from rambla.flow.task import Task

log = logging.getLogger(__name__)
INVOCATIONS = "invocations"


async def invoke(
    platform: Platform, op: Op, name: FullName, payload: bytes, *, blocking: bool, wait_ms: int = 60_000
) -> Activation | str:
    """The finished record; or, if not blocking or not finished within `wait_ms`, the activation's id.

    The activation goes on in any case, and what is returned is on disk. Raises Refused, NotFound, Throttled,
    TooManyConcurrent, BadRequest, Unavailable or StorageFailed; then nothing was run.
    """
    judged = await judge(platform, op, INVOKE, await target(platform, op, name))
    found = await reach(platform, op, INVOKE, name)
    await judge_components(platform, op, INVOKE, found.action.exec.components)
    arguments = merge(found.defaults, payload, final=bool(found.action.annotations.get("final")))
    intent = work_intent(platform, op, judged, name, payload=b"" if blocking else payload or b"{}")
    finished = await begin(platform, Task.of(intent, found, arguments, op.id))
    return await ended(finished, intent, wait_ms) if blocking else str(intent.activation_id)


async def begin(platform: Platform, task: Task) -> "Finished":
    """Admit the task, write its intent, and only then let it run. Raises as `invoke` does; then nothing was run."""
    platform.dispatcher.check_room(len(task.arguments))
    namespace = await admit(platform, task.work.namespace)
    try:
        task = entitled(namespace, task)
        await platform.ledger.write(task.intent)
    except BaseException:
        leave(platform, task.work.namespace)
        raise
    return start(platform, task)


async def ended(finished: "Finished", intent: Intent, wait_ms: int) -> Activation | str:
    """The record; or the activation's id if it does not come within `wait_ms`. Raises Unavailable."""
    try:
        async with asyncio.timeout(wait_ms / 1000):
            activation = await finished.wait()
    except TimeoutError:
        return str(intent.activation_id)
    if activation is None:
        raise Unavailable()
    return activation


class Finished:
    """Whoever waits for an activation waits here. The record is None if the platform stopped first."""

    __slots__ = ("_activation", "_event")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._activation: Activation | None = None

    def set(self, activation: Activation | None) -> None:
        self._activation = activation
        self._event.set()

    async def wait(self) -> Activation | None:
        await self._event.wait()
        return self._activation


def start(platform: Platform, task: Task, *, counted: bool = True) -> Finished:
    """Perform the task in the background. `counted` if it was admitted and must leave."""
    finished = Finished()
    platform.tasks.start(f"perform {task.work.action}", _perform, platform, task, finished, counted)
    return finished


async def _perform(platform: Platform, task: Task, finished: Finished, counted: bool) -> None:
    activation: Activation | None = None
    try:
        activation = await perform(platform, task)
    except Exception:  # a fault of ours must cost this activation only, and be seen
        log.exception("activation %s could not be performed", task.work.activation_id)
        record = never_ran(platform, task.intent, task.work, "There was an internal error.")
        activation = await conclude(platform, task.intent, record)
    finally:
        if counted:
            leave(platform, task.work.namespace)
        finished.set(activation)


def work_intent(
    platform: Platform, op: Op, judged: Judged, name: FullName, *, payload: bytes, permission: str = INVOKE
) -> Intent:
    """The intent to invoke; without a payload its work is not run again after a crash."""
    work = Work(
        activation_id=platform.ids.next(),
        action=name,
        replay="unless_started" if payload else "never",
        namespace=op.caller.namespace,
        payload=payload,
    )
    return intent_of(platform, op, permission, Target(name.namespace, str(name)), judged, work=work)


async def admit(platform: Platform, namespace: str) -> Namespace:
    """Count one more invocation of the namespace. Raises Throttled or TooManyConcurrent."""
    limits = await platform.keys.namespace(namespace)
    platform.dispatcher.throttle.admit(
        namespace,
        INVOCATIONS,
        per_minute=limits.invocations_per_minute,
        concurrent=limits.concurrent_invocations,
    )
    return limits


def leave(platform: Platform, namespace: str) -> None:
    platform.dispatcher.throttle.leave(namespace, INVOCATIONS)
