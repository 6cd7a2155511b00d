"""What is asked of the dispatcher, and what does it answer?"""

from collections.abc import Awaitable, Callable

import msgspec

from rambla.domain.activation import RunResult
from rambla.engine.ports import Program, Run


class PoolKey(msgspec.Struct, frozen=True):
    """Which runs may share sandboxes: those of one tenant, one action, one revision of it, one way of network, and the
    same variables, which may come from a package or a binding of it."""

    namespace: str
    action: str
    revision: int
    kind: str
    memory_mb: int
    grants: bool
    environment: tuple[tuple[str, str], ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`prepare` is called once a sandbox is at hand, with the time, and gives the run: deadlines and signed addresses
    begin then and not when the job was queued. `payload_bytes` counts against the queue's bound.
    """

    key: PoolKey
    program: Program
    prepare: Callable[[int], Awaitable[Run]]
    payload_bytes: int = 0


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """`start_ms` is when a sandbox was at hand and the code began to be loaded or run."""

    result: RunResult
    wait_ms: int
    start_ms: int
    end_ms: int
