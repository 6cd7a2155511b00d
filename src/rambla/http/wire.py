"""How do our entities look as OpenWhisk's JSON?

Shapes are those of core/entity/Whisk*.scala: annotations and parameters are lists of `{"key", "value"}`, a summary
leaves out what is large. Pure; `bodies.py` is the other direction.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from rambla.domain.activation import STATUS_CODES, Activation, LogLine
from rambla.domain.entities import (
    BLACKBOX,
    SEQUENCE,
    Action,
    ActionLimits,
    AnyEntity,
    Namespace,
    Package,
    Parameter,
    Rule,
)
from rambla.domain.names import FullName
from rambla.flow.platform import Limits
from rambla.flow.read import ActionRanges, PackageView, TriggerView
from rambla.kit.clock import rfc3339

Json = dict[str, Any]
MB = 2**20
_TIME_CHARS = 30  # to which OpenWhisk pads the time of a log line


def action(entity: Action, *, code: bool = True) -> Json:
    return {
        **_entity(entity),
        "exec": _exec(entity, code=code),
        "parameters": _parameters(entity.parameters),
        "limits": _limits(entity.limits),
    }


def package(entity: Package) -> Json:
    binding = _binding(entity.binding) if entity.binding else {}
    return {**_entity(entity), "parameters": _parameters(entity.parameters), "binding": binding}


def package_view(view: PackageView) -> Json:
    """With its contents: an action that has the annotation `feed` is a feed."""
    contents: dict[bool, list[Json]] = {False: [], True: []}
    for entity in view.actions:
        contents["feed" in entity.annotations].append(
            {
                "name": entity.name.name,
                "version": entity.version,
                "annotations": _annotations(entity.annotations),
            }
        )
    return {**package(view.package), "actions": contents[False], "feeds": contents[True]}


def trigger(view: TriggerView) -> Json:
    rules = {str(one.name): {"action": _name(one.action), "status": one.status} for one in view.rules}
    shown = {**_entity(view.trigger), "parameters": _parameters(view.trigger.parameters), "limits": {}}
    return {**shown, "rules": rules} if rules else shown


def rule(entity: Rule) -> Json:
    return {**_rule(entity), "status": entity.status}


def summary(entity: AnyEntity) -> Json:
    """An entity as lists show it. Rules are whole but for their status."""
    if isinstance(entity, Action):
        return {**_entity(entity), "limits": _limits(entity.limits), "exec": {"binary": entity.exec.binary}}
    if isinstance(entity, Package):
        return {**_entity(entity), "binding": _binding(entity.binding) if entity.binding else False}
    if isinstance(entity, Rule):
        return _rule(entity)
    return _entity(entity)


def activation(record: Activation) -> Json:
    return {
        **_activation(record),
        "subject": record.subject,
        "response": activation_response(record),
        "logs": logs(record),
    }


def activation_summary(record: Activation) -> Json:
    return {**_activation(record), "statusCode": STATUS_CODES[record.status]}


def activation_response(record: Activation) -> Json:
    return {
        "status": record.status,
        "success": record.status == "success",
        "result": msgspec.Raw(record.result),
        "size": len(record.result),
    }


def logs(record: Activation) -> list[str]:
    return [*record.raw_logs, *map(_log_line, record.logs)]


def namespace_limits(namespace: Namespace, limits: Limits, ranges: ActionRanges) -> Json:
    """What a namespace may use, and what one action of it may."""
    shown: Json = {
        "invocationsPerMinute": namespace.invocations_per_minute,
        "concurrentInvocations": namespace.concurrent_invocations,
        "firesPerMinute": namespace.fires_per_minute,
        "maxParameterSize": f"{limits.payload_bytes_max // MB} MB",
    }
    bounds = {
        "ActionTimeout": ranges.timeout_ms,
        "ActionMemory": ranges.memory_mb,
        "ActionLogs": ranges.logs_mb,
        "ActionConcurrency": ranges.concurrency,
    }
    for name, (least, most) in bounds.items():
        shown |= {f"min{name}": least, f"max{name}": most}
    return shown


def _entity(entity: AnyEntity) -> Json:
    return {
        "namespace": entity.name.path,
        "name": entity.name.name,
        "version": entity.version,
        "publish": entity.publish,
        "updated": entity.updated_ms,
        "annotations": _annotations(entity.annotations),
    }


def _rule(entity: Rule) -> Json:
    return {**_entity(entity), "trigger": _name(entity.trigger), "action": _name(entity.action)}


def _exec(entity: Action, *, code: bool) -> Json:
    if entity.exec.kind == SEQUENCE:
        return {"kind": SEQUENCE, "components": [f"/{component}" for component in entity.exec.components]}
    shown: Json = {"kind": entity.exec.kind, "binary": entity.exec.binary}
    if entity.exec.kind == BLACKBOX:
        shown["image"] = entity.exec.image
    if code and (entity.exec.code or entity.exec.kind != BLACKBOX):
        shown["code"] = entity.exec.code
    if entity.exec.main is not None:
        shown["main"] = entity.exec.main
    return shown


def _limits(limits: ActionLimits) -> Json:
    return {
        "timeout": limits.timeout_ms,
        "memory": limits.memory_mb,
        "logs": limits.logs_mb,
        "concurrency": limits.concurrency,
    }


def _activation(record: Activation) -> Json:
    shown: Json = {
        "namespace": record.namespace,
        "name": record.name,
        "version": record.version,
        "activationId": record.id,
        "start": record.start_ms,
        "annotations": _annotations(record.annotations),
        "publish": False,
    }
    if not record.is_trigger:
        shown |= {"end": record.end_ms, "duration": record.duration_ms}
    return shown if record.cause is None else {**shown, "cause": record.cause}


def _log_line(line: LogLine) -> str:
    return f"{rfc3339(line.at_ms):{_TIME_CHARS}} {line.stream}: {line.text}"


def _binding(package: FullName) -> Json:
    return {"namespace": package.namespace, "name": package.name}


def _name(name: FullName) -> Json:
    return {"path": name.path, "name": name.name}


def _annotations(annotations: dict[str, Any]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in annotations.items()]


def _parameters(parameters: Iterable[Parameter]) -> list[Json]:
    return [{"key": one.key, "value": one.value, **({"init": True} if one.init else {})} for one in parameters]
