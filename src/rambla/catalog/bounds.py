"""How much may an action ask for, and how large may an entity be?

Pure checks with OpenWhisk's texts. The upper bounds come from the platform's settings and the action's namespace, the
lower ones are OpenWhisk's.
"""

from typing import Any, NamedTuple, Protocol

import msgspec

from rambla.domain.entities import Action, ActionLimits, AnyEntity, Namespace, Rule
from rambla.domain.errors import BadRequest, TooLarge

TIMEOUT_MS_MIN = 100
MEMORY_MB_MIN = 128
CONCURRENCY_MAX = 1
PARAMETERS_BYTES_MAX = 2**20
ANNOTATIONS_BYTES_MAX = 2**20


class Bounds(Protocol):
    """What of the platform's settings matters here."""

    @property
    def code_bytes_max(self) -> int: ...
    @property
    def timeout_ms_max(self) -> int: ...
    @property
    def memory_mb_max(self) -> int: ...
    @property
    def logs_mb_max(self) -> int: ...


class ActionRanges(NamedTuple):
    """From and to, both inclusive."""

    timeout_ms: tuple[int, int]
    memory_mb: tuple[int, int]
    logs_mb: tuple[int, int]
    concurrency: tuple[int, int]


def ranges(bounds: Bounds) -> ActionRanges:
    """What an action's limits may be."""
    return ActionRanges(
        timeout_ms=(TIMEOUT_MS_MIN, bounds.timeout_ms_max),
        memory_mb=(MEMORY_MB_MIN, bounds.memory_mb_max),
        logs_mb=(0, bounds.logs_mb_max),
        concurrency=(1, CONCURRENCY_MAX),
    )


def ranges_in(namespace: Namespace, bounds: Bounds) -> ActionRanges:
    """What the limits of an action of `namespace` may be."""
    allowed = ranges(bounds)
    return allowed._replace(
        timeout_ms=_narrowed(allowed.timeout_ms, namespace.timeout_ms_max),
        memory_mb=_narrowed(allowed.memory_mb, namespace.memory_mb_max),
        logs_mb=_narrowed(allowed.logs_mb, namespace.logs_mb_max),
    )


def check_limits(limits: ActionLimits, allowed: ActionRanges) -> None:
    """Raises BadRequest for the first limit that is out of its range."""
    _check("duration", limits.timeout_ms, allowed.timeout_ms, " milliseconds")
    _check("memory size", limits.memory_mb, allowed.memory_mb, " MB")
    _check("log size", limits.logs_mb, allowed.logs_mb, " MB")
    _check("concurrency", limits.concurrency, allowed.concurrency, "")


def check_sizes(entity: AnyEntity, bounds: Bounds) -> None:
    """Raises TooLarge if its code, parameters or annotations are."""
    _check_bytes("annotations", _json_bytes(entity.annotations), ANNOTATIONS_BYTES_MAX)
    if not isinstance(entity, Rule):
        _check_bytes("parameters", _json_bytes(entity.parameters), PARAMETERS_BYTES_MAX)
    if isinstance(entity, Action):
        _check_bytes("exec", len(entity.exec.code.encode()), bounds.code_bytes_max)


def _narrowed(allowed: tuple[int, int], most: int | None) -> tuple[int, int]:
    least, usual = allowed
    return (least, usual if most is None else min(most, usual))


def _check(what: str, value: int, allowed: tuple[int, int], unit: str) -> None:
    least, most = allowed
    if value > most:
        raise BadRequest(detail=f"{what} {value}{unit} exceeds allowed threshold of {most}{unit}")
    if value < least:
        raise BadRequest(detail=f"{what} {value}{unit} below allowed threshold of {least}{unit}")


def _check_bytes(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(what=what, size=size, limit=limit)


def _json_bytes(value: Any) -> int:
    return len(msgspec.json.encode(value))
