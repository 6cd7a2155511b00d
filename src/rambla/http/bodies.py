"""What does OpenWhisk's JSON ask for when something is created or changed?

The shapes that clients send, and the changes they mean. Unknown fields are ignored, and a null counts as absent:
clients send both. Pure; `catalog` says whether a change makes sense.
"""

import re
from typing import Annotated, Any

import msgspec

from rambla.domain.changes import (
    ActionChange,
    EntityChange,
    ExecChange,
    LimitsChange,
    NamespaceChange,
    PackageChange,
    RuleChange,
    TriggerChange,
)
from rambla.domain.entities import BLACKBOX, SEQUENCE, Parameter, RuleStatus, is_binary
from rambla.domain.errors import BadRequest, MalformedContent
from rambla.domain.names import DEFAULT_NAMESPACE, NOT_QUALIFIED, FullName, is_name, parse_full_name

_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}")


class KeyValue(msgspec.Struct, frozen=True):
    key: str
    value: Any = None
    init: bool | None = None


class ExecBody(msgspec.Struct, frozen=True):
    """`jar` is another name of `code`; `binary` is worked out from the code and only checked. `components` are names as
    those of a rule."""

    kind: str | None = None
    code: str | None = None
    jar: str | None = None
    main: str | None = None
    binary: bool | None = None
    image: str | None = None
    components: tuple[str, ...] | None = None


class LimitsBody(msgspec.Struct, frozen=True):
    """`timeout` in ms, `memory` and `logs` in MiB."""

    timeout: int | None = None
    memory: int | None = None
    logs: int | None = None
    concurrency: int | None = None


class EntityBody(msgspec.Struct, frozen=True):
    version: str | None = None
    publish: bool | None = None
    annotations: tuple[KeyValue, ...] | None = None


class ActionBody(EntityBody, frozen=True, rename={"annotations_removed": "delAnnotations"}):
    exec: ExecBody | None = None
    parameters: tuple[KeyValue, ...] | None = None
    limits: LimitsBody | None = None
    annotations_removed: tuple[str, ...] | None = None


class PolicyBody(msgspec.Struct, frozen=True, rename="camel"):
    """`files` are texts by name."""

    files: dict[str, str] = {}
    note: str = ""
    force: bool = False
    dry_run: bool = False


class ShadowBody(msgspec.Struct, frozen=True):
    files: dict[str, str] = {}
    name: str = ""


class ReplayBody(msgspec.Struct, frozen=True):
    files: dict[str, str] = {}
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1


class BindingBody(msgspec.Struct, frozen=True):
    namespace: str | None = None
    name: str | None = None


class PackageBody(EntityBody, frozen=True):
    """An empty `binding` is none."""

    parameters: tuple[KeyValue, ...] | None = None
    binding: BindingBody | None = None


class TriggerBody(EntityBody, frozen=True):
    parameters: tuple[KeyValue, ...] | None = None


class NamespaceLimitsBody(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be different; named and measured as in the answer."""

    invocations_per_minute: int | None = None
    concurrent_invocations: int | None = None
    fires_per_minute: int | None = None
    allowed_kinds: tuple[str, ...] | None = None
    store_activations: bool | None = None
    max_action_timeout: int | None = None
    max_action_memory: int | None = None
    max_action_logs: int | None = None


class PathName(msgspec.Struct, frozen=True):
    path: str
    name: str

    def __str__(self) -> str:
        return f"/{self.path}/{self.name}"


class RuleBody(EntityBody, frozen=True):
    """Names are `[/]namespace/[package/]name`, or the object that a GET shows. A status is ignored here."""

    trigger: str | PathName | None = None
    action: str | PathName | None = None


class StatusBody(msgspec.Struct, frozen=True):
    status: str | None = None


def action_change(body: ActionBody, namespace: str) -> ActionChange:
    """`namespace` is the caller's own, which `_` means. Raises BadRequest."""
    limits = body.limits or LimitsBody()
    return ActionChange(
        version=_version(body),
        publish=body.publish,
        annotations=_annotations(body),
        exec=None if body.exec is None else _exec_change(body.exec, namespace),
        parameters=_parameters(body.parameters),
        limits=LimitsChange(
            timeout_ms=limits.timeout,
            memory_mb=limits.memory,
            logs_mb=limits.logs,
            concurrency=limits.concurrency,
        ),
        annotations_removed=body.annotations_removed or (),
    )


def package_change(body: PackageBody, namespace: str) -> PackageChange:
    """`namespace` is the caller's own, which `_` means. Raises BadRequest."""
    binding = None if body.binding is None else _binding(body.binding, namespace)
    return PackageChange(parameters=_parameters(body.parameters), binding=binding, **_common(body))


def trigger_change(body: TriggerBody) -> TriggerChange:
    feed = (_annotations(body) or {}).get("feed")
    if feed is not None:
        check_feed(feed)
    return TriggerChange(parameters=_parameters(body.parameters), **_common(body))


def rule_change(body: RuleBody, namespace: str) -> RuleChange:
    """`namespace` is the caller's own, which `_` means."""
    return RuleChange(trigger=_full(body.trigger, namespace), action=_full(body.action, namespace), **_common(body))


def rule_status(body: StatusBody) -> RuleStatus:
    if body.status == "active":
        return "active"
    if body.status == "inactive":
        return "inactive"
    raise MalformedContent(detail="'status' must be one of 'active', 'inactive'")


def namespace_change(body: NamespaceLimitsBody) -> NamespaceChange:
    return NamespaceChange(
        invocations_per_minute=body.invocations_per_minute,
        concurrent_invocations=body.concurrent_invocations,
        fires_per_minute=body.fires_per_minute,
        allowed_kinds=body.allowed_kinds,
        keeps_activations=body.store_activations,
        timeout_ms_max=body.max_action_timeout,
        memory_mb_max=body.max_action_memory,
        logs_mb_max=body.max_action_logs,
    )


def check_feed(feed: Any) -> None:
    """A feed is an action's name, full or not; making and ending it is the client's work, as in OpenWhisk."""
    parts = [part for part in feed.split("/") if part] if isinstance(feed, str) else []
    if not parts or not all(map(is_name, parts)):
        raise BadRequest(detail="Feed name is not valid")


def _binding(body: BindingBody, namespace: str) -> FullName | None:
    if body.namespace is None and body.name is None:
        return None
    return parse_full_name(f"/{body.namespace or DEFAULT_NAMESPACE}/{body.name or ''}", namespace)


def _exec_change(body: ExecBody, namespace: str) -> ExecChange:
    if body.kind is None:
        raise MalformedContent(detail="'kind' must be a string defined in 'exec'")
    if body.kind == SEQUENCE:
        if body.components is None:
            raise MalformedContent(detail="'components' must be defined for sequence kind")
        return ExecChange(kind=SEQUENCE, components=tuple(_qualified(one, namespace) for one in body.components))
    if body.kind == BLACKBOX and not body.image:
        raise MalformedContent(detail="'image' must be a string defined in 'exec' for 'blackbox' actions")
    code = body.jar if body.code is None else body.code
    if code is None and body.kind == BLACKBOX:
        code = ""
    if code is None:
        detail = f"'code' must be a string or attachment object defined in 'exec' for '{body.kind[:64]}' actions"
        raise MalformedContent(detail=detail)
    if body.binary and code.strip() and not is_binary(code):
        raise MalformedContent(detail="'code' is not base64 although 'binary' says so")
    return ExecChange(kind=body.kind, code=code, main=body.main, image=body.image or "")


def _common(body: EntityBody) -> dict[str, Any]:
    fields = EntityChange(version=_version(body), publish=body.publish, annotations=_annotations(body))
    return msgspec.structs.asdict(fields)


def _version(body: EntityBody) -> str | None:
    if body.version is not None and not _VERSION.fullmatch(body.version):
        raise MalformedContent(detail="'version' must be three numbers with dots between them")
    return body.version


def _annotations(body: EntityBody) -> dict[str, Any] | None:
    return None if body.annotations is None else {pair.key: pair.value for pair in body.annotations}


def _parameters(pairs: tuple[KeyValue, ...] | None) -> tuple[Parameter, ...] | None:
    """Of several with one key the last counts."""
    if pairs is None:
        return None
    return tuple({pair.key: Parameter(pair.key, pair.value, bool(pair.init)) for pair in pairs}.values())


def _full(name: str | PathName | None, namespace: str) -> FullName | None:
    return _qualified(str(name), namespace) if name else None


def _qualified(text: str, namespace: str) -> FullName:
    """What names another entity says in which namespace that is; a leading slash means nothing here."""
    if "/" not in text.removeprefix("/"):
        raise MalformedContent(detail=f"requirement failed: {NOT_QUALIFIED}")
    return parse_full_name(f"/{text.removeprefix('/')}", namespace)
