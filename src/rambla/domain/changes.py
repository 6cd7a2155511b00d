"""What does somebody want to be different about an entity?

A change names only what it changes: None means "leave it as it is", or, for a new entity, "the usual". Edges make
changes, `catalog/merge.py` applies them, and neither knows how the other does it.
"""

from typing import Any

import msgspec

from rambla.domain.entities import Parameter
from rambla.domain.names import FullName

Annotations = dict[str, Any]


class ExecChange(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces the whole program. `kind` may be an alias such as `python:default`; the rest is as in `Exec`."""

    kind: str
    code: str = ""
    main: str | None = None
    image: str = ""
    components: tuple[FullName, ...] = ()


class LimitsChange(msgspec.Struct, frozen=True, kw_only=True):
    timeout_ms: int | None = None
    memory_mb: int | None = None
    logs_mb: int | None = None
    concurrency: int | None = None


class NamespaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Of a namespace's limits, as in `Namespace`."""

    invocations_per_minute: int | None = None
    concurrent_invocations: int | None = None
    fires_per_minute: int | None = None
    allowed_kinds: tuple[str, ...] | None = None
    keeps_activations: bool | None = None
    timeout_ms_max: int | None = None
    memory_mb_max: int | None = None
    logs_mb_max: int | None = None


class EntityChange(msgspec.Struct, frozen=True, kw_only=True):
    """A given `version` is taken as it is; otherwise the patch number goes up."""

    version: str | None = None
    publish: bool | None = None
    annotations: Annotations | None = None


class ActionChange(EntityChange, frozen=True, kw_only=True):
    """`annotations` are merged into the old ones, after `annotations_removed` were taken out."""

    exec: ExecChange | None = None
    parameters: tuple[Parameter, ...] | None = None
    limits: LimitsChange = LimitsChange()
    annotations_removed: tuple[str, ...] = ()


class PackageChange(EntityChange, frozen=True, kw_only=True):
    parameters: tuple[Parameter, ...] | None = None
    binding: FullName | None = None


class TriggerChange(EntityChange, frozen=True, kw_only=True):
    parameters: tuple[Parameter, ...] | None = None


class RuleChange(EntityChange, frozen=True, kw_only=True):
    trigger: FullName | None = None
    action: FullName | None = None
