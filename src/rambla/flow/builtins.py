"""What happens when an action is one that the platform does itself?

Such an action is an entity like any other, of kind `builtin`, whose code is a key of `Platform.builtins`: so feeds and
the management of APIs are found, judged, recorded and throttled as everything else that is invoked. It runs in no
sandbox, costs nothing, and prints nothing.
"""

import logging

import anyio
import msgspec

from rambla.catalog.arguments import parse_object
from rambla.dispatch.jobs import Done
from rambla.domain.activation import RunResult, Status, error_result
from rambla.domain.errors import NotFound, RamblaError
from rambla.domain.records import Started
from rambla.flow.platform import Op, Platform
from rambla.flow.task import Task

log = logging.getLogger(__name__)
_INTERNAL = "There was an internal error."


async def run_builtin(platform: Platform, task: Task) -> Done:
    """Do what the action stands for, as whoever invokes it, within the action's time. Never raises for what it did.

    Raises StorageFailed if it could not be written that a direct invoke begins; then nothing was done.
    """
    start_ms = platform.clock.now_ms()
    if task.work.replay == "unless_started":
        await platform.ledger.write(Started(activation_id=task.work.activation_id, at_ms=start_ms))
    status, result, timed_out = await _result(platform, task)
    return Done(
        result=RunResult(status=status, result=result, timed_out=timed_out),
        wait_ms=max(0, start_ms - task.intent.at_ms),
        start_ms=start_ms,
        end_ms=platform.clock.now_ms(),
    )


async def _result(platform: Platform, task: Task) -> tuple[Status, bytes, bool]:
    caller = task.invoker("web" if task.intent.source == "web" else "key")
    op = Op(id=task.transaction or task.work.activation_id, caller=caller)
    timeout_ms = task.action.limits.timeout_ms
    try:
        function = platform.builtins.get(task.action.exec.code)
        if function is None:
            raise NotFound()
        arguments = {key: msgspec.json.decode(raw) for key, raw in parse_object(task.arguments).items()}
        with anyio.fail_after(timeout_ms / 1000):
            result = await function(platform, op, arguments)
    except TimeoutError:
        text = f"The action exceeded its time limits of {timeout_ms} milliseconds."
        return "action developer error", error_result(text), True
    except RamblaError as error:
        if error.fault == "caller":
            return "application error", error_result(str(error)), False
        log.error("builtin %s: %s", task.action.name, error)
        return "whisk internal error", error_result(_INTERNAL), False
    failed = "error" in result
    return ("application error" if failed else "success"), msgspec.json.encode(result), False
