"""How do our entities look as OpenWhisk's JSON?

Fills the types of `shapes.py`: annotations and parameters are lists of `{"key", "value"}`, a summary leaves out what is
large. Pure; `bodies.py` is the other direction.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from rambla.domain import entities
from rambla.domain.activation import STATUS_CODES, LogLine
from rambla.domain.activation import Activation as Record
from rambla.domain.entities import BLACKBOX, SEQUENCE, AnyEntity, Namespace, Parameter
from rambla.domain.names import FullName
from rambla.flow.platform import Limits
from rambla.flow.read import ActionRanges, PackageView, TriggerView
from rambla.http import shapes
from rambla.kit.clock import rfc3339

MB = 2**20
_TIME_CHARS = 30  # to which OpenWhisk pads the time of a log line


def action(entity: entities.Action, *, code: bool = True) -> shapes.Action:
    return shapes.Action(
        **_entity(entity),
        exec=_exec(entity.exec, code=code),
        parameters=_parameters(entity.parameters),
        limits=_limits(entity.limits),
    )


def package(entity: entities.Package) -> shapes.Package:
    return shapes.Package(**_package(entity))


def package_view(view: PackageView) -> shapes.PackageWithContents:
    contents: dict[bool, list[shapes.Content]] = {False: [], True: []}
    for entity in view.actions:
        contents["feed" in entity.annotations].append(
            shapes.Content(name=entity.name.name, version=entity.version, annotations=_annotations(entity.annotations))
        )
    return shapes.PackageWithContents(**_package(view.package), actions=contents[False], feeds=contents[True])


def trigger(view: TriggerView) -> shapes.Trigger:
    rules = {str(one.name): shapes.RuleOfTrigger(action=_name(one.action), status=one.status) for one in view.rules}
    return shapes.Trigger(
        **_entity(view.trigger), parameters=_parameters(view.trigger.parameters), rules=rules or UNSET
    )


def rule(entity: entities.Rule) -> shapes.Rule:
    return shapes.Rule(**_rule(entity), status=entity.status)


def summary(entity: AnyEntity) -> shapes.Entity:
    """An entity as lists show it. Rules are whole but for their status."""
    if isinstance(entity, entities.Action):
        binary = shapes.ExecSummary(binary=entity.exec.binary)
        return shapes.ActionSummary(**_entity(entity), exec=binary, limits=_limits(entity.limits))
    if isinstance(entity, entities.Package):
        return shapes.PackageSummary(**_named(entity), binding=bool(entity.binding) and _binding(entity.binding))
    if isinstance(entity, entities.Rule):
        return shapes.RuleSummary(**_rule(entity))
    return shapes.TriggerSummary(**_entity(entity))


def activation(record: Record) -> shapes.ActivationRecord:
    return shapes.ActivationRecord(
        **_activation(record), subject=record.subject, response=activation_response(record), logs=logs(record)
    )


def activation_summary(record: Record) -> shapes.ActivationSummary:
    return shapes.ActivationSummary(**_activation(record), status_code=STATUS_CODES[record.status])


def activation_response(record: Record) -> shapes.Response:
    return shapes.Response(
        status=record.status,
        success=record.status == "success",
        result=msgspec.Raw(record.result),
        size=len(record.result),
    )


def logs(record: Record) -> list[str]:
    return [*record.raw_logs, *map(_log_line, record.logs)]


def namespace_limits(namespace: Namespace, limits: Limits, ranges: ActionRanges) -> shapes.NamespaceLimits:
    """What a namespace may use, and what one action of it may."""
    return shapes.NamespaceLimits(
        invocations_per_minute=namespace.invocations_per_minute,
        concurrent_invocations=namespace.concurrent_invocations,
        fires_per_minute=namespace.fires_per_minute,
        allowed_kinds=list(namespace.allowed_kinds) or UNSET,
        store_activations=UNSET if namespace.keeps_activations else False,
        max_parameter_size=f"{limits.payload_bytes_max // MB} MB",
        min_action_timeout=ranges.timeout_ms[0],
        max_action_timeout=ranges.timeout_ms[1],
        min_action_memory=ranges.memory_mb[0],
        max_action_memory=ranges.memory_mb[1],
        min_action_logs=ranges.logs_mb[0],
        max_action_logs=ranges.logs_mb[1],
        min_action_concurrency=ranges.concurrency[0],
        max_action_concurrency=ranges.concurrency[1],
    )


def _entity(entity: AnyEntity) -> dict[str, Any]:
    return {
        "namespace": entity.name.path,
        "name": entity.name.name,
        "version": entity.version,
        "publish": entity.publish,
        "updated": entity.updated_ms,
        "annotations": _annotations(entity.annotations),
    }


def _named(entity: entities.Package) -> dict[str, Any]:
    """The annotation `binding` is the platform's: clients tell bindings in a list by it."""
    told = {key: value for key, value in entity.annotations.items() if key != "binding"}
    if entity.binding:
        told["binding"] = {"namespace": entity.binding.namespace, "name": entity.binding.name}
    return {**_entity(entity), "annotations": _annotations(told)}


def _package(entity: entities.Package) -> dict[str, Any]:
    return {
        **_named(entity),
        "parameters": _parameters(entity.parameters),
        "binding": _binding(entity.binding),
    }


def _rule(entity: entities.Rule) -> dict[str, Any]:
    return {**_entity(entity), "trigger": _name(entity.trigger), "action": _name(entity.action)}


def _exec(program: entities.Exec, *, code: bool) -> shapes.Exec:
    if program.kind == SEQUENCE:
        return shapes.Exec(kind=SEQUENCE, components=[f"/{component}" for component in program.components])
    shown = code and (program.code or program.kind != BLACKBOX)
    return shapes.Exec(
        kind=program.kind,
        binary=program.binary,
        code=program.code if shown else UNSET,
        main=UNSET if program.main is None else program.main,
        image=program.image or UNSET,
    )


def _limits(limits: entities.ActionLimits) -> shapes.Limits:
    return shapes.Limits(
        timeout=limits.timeout_ms, memory=limits.memory_mb, logs=limits.logs_mb, concurrency=limits.concurrency
    )


def _activation(record: Record) -> dict[str, Any]:
    return {
        "namespace": record.namespace,
        "name": record.name,
        "version": record.version,
        "activation_id": record.id,
        "start": record.start_ms,
        "annotations": _annotations(record.annotations),
        "end": UNSET if record.is_trigger else record.end_ms,
        "duration": UNSET if record.is_trigger else record.duration_ms,
        "cause": UNSET if record.cause is None else record.cause,
    }


def _log_line(line: LogLine) -> str:
    return f"{rfc3339(line.at_ms):{_TIME_CHARS}} {line.stream}: {line.text}"


def _name(name: FullName) -> shapes.Name:
    return shapes.Name(path=name.path, name=name.name)


def _binding(package: FullName | None) -> shapes.Binding:
    return shapes.Binding(namespace=package.namespace, name=package.name) if package else shapes.Binding()


def _annotations(annotations: dict[str, Any]) -> list[shapes.KeyValue]:
    return [shapes.KeyValue(key=key, value=value) for key, value in annotations.items()]


def _parameters(parameters: Iterable[Parameter]) -> list[shapes.KeyValue]:
    return [shapes.KeyValue(key=one.key, value=one.value, init=one.init or UNSET) for one in parameters]
