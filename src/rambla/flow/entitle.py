"""What of what it invokes may a namespace run, and is it kept what came of it?

The namespace's own limits, which the operator sets. Called after the guard has let somebody in; throttling is
`dispatch`'s.
"""

from msgspec.structs import replace

from rambla.domain.entities import Namespace
from rambla.domain.errors import KindRefused
from rambla.flow.task import Task

_RULE = "allowed-kinds"


def check_kind(namespace: Namespace, kind: str) -> None:
    """Raises KindRefused."""
    if not namespace.may_run(kind):
        raise KindRefused(kind=kind, rule=_RULE)


def entitled(namespace: Namespace, task: Task) -> Task:
    """The task as its namespace may have it. Raises KindRefused."""
    check_kind(namespace, task.action.exec.kind)
    if namespace.keeps_activations:
        return task
    return replace(task, intent=replace(task.intent, work=replace(task.work, kept=False)))
