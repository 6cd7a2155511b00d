"""How much may an action ask for, and how large may an entity be?

Pure checks with OpenWhisk's texts. The upper bounds come from the platform's settings, the lower ones are OpenWhisk's.
"""

from typing import Any, Protocol

import msgspec

from rambla.domain.entities import ActionLimits, AnyEntity, Package, Parameter, Rule, Trigger
from rambla.domain.errors import BadRequest, TooLarge

TIMEOUT_MS_MIN = 100
MEMORY_MB_MIN = 128
CONCURRENCY_MAX = 1
SEQUENCE_LENGTH_MAX = 50
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


def check_limits(limits: ActionLimits, bounds: Bounds) -> None:
    """Raises BadRequest for the first limit that is out of its range."""
    _check("duration", limits.timeout_ms, TIMEOUT_MS_MIN, bounds.timeout_ms_max, " milliseconds")
    _check("memory size", limits.memory_mb, MEMORY_MB_MIN, bounds.memory_mb_max, " MB")
    _check("log size", limits.logs_mb, 0, bounds.logs_mb_max, " MB")
    _check("concurrency", limits.concurrency, 1, CONCURRENCY_MAX, "")


def check_sizes(entity: AnyEntity, bounds: Bounds) -> None:
    """Raises TooLarge if its code, parameters or annotations are."""
    _check_bytes("annotations", _json_bytes(entity.annotations), ANNOTATIONS_BYTES_MAX)
    if isinstance(entity, Rule):
        return
    _check_bytes("parameters", parameters_bytes(entity.parameters), PARAMETERS_BYTES_MAX)
    if not isinstance(entity, Package | Trigger):
        _check_bytes("exec", len(entity.exec.code.encode()), bounds.code_bytes_max)


def parameters_bytes(parameters: tuple[Parameter, ...]) -> int:
    return _json_bytes(parameters)


def _check(what: str, value: int, least: int, most: int, unit: str) -> None:
    if value > most:
        raise BadRequest(detail=f"{what} {value}{unit} exceeds allowed threshold of {most}{unit}")
    if value < least:
        raise BadRequest(detail=f"{what} {value}{unit} below allowed threshold of {least}{unit}")


def _check_bytes(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(what=what, size=size, limit=limit)


def _json_bytes(value: Any) -> int:
    return len(msgspec.json.encode(value))
