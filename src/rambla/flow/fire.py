"""What happens when a trigger fires?

By hand or by an event: judge, find the trigger and its rules, write the fire and one intent for each action in one
durable batch, acknowledge, then perform. An event is accepted once however often it is delivered, and its work runs
until it has ended, across crashes: acknowledged means on disk. The trigger must itself name the container that an
event comes from, so nobody can fire another's trigger by subscribing a container of their own to it.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from rambla.catalog.arguments import merge
from rambla.domain.access import Caller, Target
from rambla.domain.activation import Activation
from rambla.domain.entities import Namespace, Parameter, Rule, Trigger
from rambla.domain.errors import NotFound, RamblaError
from rambla.domain.events import CloudEvent, Delivery, id_of, parse_event, parse_source
from rambla.domain.names import FullName, parse_full_name
from rambla.domain.records import Intent, ObjectAccess, Outcome, Record, Replay, Work
from rambla.flow.decide import Judged
from rambla.flow.entitle import check_kind
from rambla.flow.guard import INVOKE, OK, intent_of, judge
from rambla.flow.invoke import start
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import reach, target
from rambla.flow.task import Task

log = logging.getLogger(__name__)
FIRE = "trigger:fire"
DELIVER = "trigger:deliver"
TAKEN_BYTES_MAX = 32 * 2**20
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Fire(NamedTuple):
    """A fire that is ready to be written: `records` in order, and the tasks that begin once they are on disk."""

    activation: Activation
    records: list[Record]
    tasks: list[Task]

    @property
    def size(self) -> int:
        """About how many bytes its records have."""
        return len(self.activation.result) + sum(len(task.work.payload) for task in self.tasks)


class Cause(NamedTuple):
    """Why a trigger fires. `event_id` is there if an event is the reason, and `access` if it is an object store's;
    `annotations` are for the trigger's record, `headers`, by lower-case name, for the actions."""

    op: Op
    judged: Judged
    permission: str
    replay: Replay
    event_id: str | None = None
    access: ObjectAccess | None = None
    annotations: Mapping[str, Any] = NOTHING
    headers: Mapping[str, str] = NOTHING


async def fire(
    platform: Platform, op: Op, name: FullName, payload: bytes, headers: Mapping[str, str] = NOTHING
) -> str | None:
    """The trigger's activation id, or None if no rule is active. On return all of it is on disk.

    The actions are given `headers` too, as `__ow_headers`: no secret may be among them. Raises Refused, NotFound,
    Throttled, MalformedContent, Unavailable or StorageFailed; then nothing runs.
    """
    judged = await judge(platform, op, FIRE, Target(name.namespace, str(name)))
    trigger = await trigger_of(platform, name)
    platform.dispatcher.check_room(len(payload))
    limits = await platform.keys.namespace(op.caller.namespace)
    platform.dispatcher.throttle.admit(op.caller.namespace, FIRE, per_minute=limits.fires_per_minute)
    cause = Cause(op, judged, FIRE, "unless_started", headers=headers)
    prepared = await prepare(platform, cause, trigger, payload)
    if prepared is None:
        return None
    await platform.ledger.write(*prepared.records)
    begin(platform, prepared)
    return prepared.activation.id


async def accept_events(platform: Platform, op: Op, deliveries: list[Delivery]) -> dict[str, list[Any]]:
    """`{"accepted": [id, …], "rejected": [{"id", "reason"}, …]}`; on return the accepted ones are on disk.

    Rejected ones will never be taken: do not send them again. Those not named were too much at once: do. Raises
    Refused, Unavailable or StorageFailed, and then nothing was accepted: send all again later.
    """
    await judge(platform, op, DELIVER, Target("", "events"))
    platform.dispatcher.check_room(sum(len(delivery.event) for delivery in deliveries))
    async with platform.ledger.intake:
        return await _accept(platform, op, deliveries)


async def _accept(platform: Platform, op: Op, deliveries: list[Delivery]) -> dict[str, list[Any]]:
    accepted: list[str] = []
    rejected: list[dict[str, str]] = []
    fires: list[Fire] = []
    fresh: list[str] = []
    size = 0
    try:
        for delivery in deliveries:
            try:
                event = parse_event(delivery.event)
                prepared = await _event_fire(platform, op, delivery, event, fresh)
            except RamblaError as error:
                if error.fault != "caller":
                    raise
                rejected.append({"id": id_of(delivery.event), "reason": str(error)})
                continue
            accepted.append(event.id)
            if prepared is not None:
                fires.append(prepared)
                size += prepared.size
            if size > TAKEN_BYTES_MAX:
                break
        if fires:
            await platform.ledger.write(*[record for one in fires for record in one.records])
    except BaseException:
        for event_key in fresh:
            platform.ledger.pending.forget_event(event_key)
        raise
    for one in fires:
        begin(platform, one)
    return {"accepted": accepted, "rejected": rejected}


async def _event_fire(
    platform: Platform, op: Op, delivery: Delivery, event: CloudEvent, fresh: list[str]
) -> Fire | None:
    """The fire for one delivery; None if it was accepted before or no rule is active."""
    name = parse_full_name(f"/{delivery.trigger.removeprefix('/')}", "")
    trigger = await trigger_of(platform, name)
    source = parse_source(trigger.annotations.get("source"))
    container = event.record.s3.bucket.name
    if platform.objects is None or source.container != container:
        raise NotFound()
    if event.source != platform.objects.source_of(name.namespace, container):
        raise NotFound()  # a container of that name, but in somebody else's account
    event_key = f"{name} {event.id}"
    if not platform.ledger.pending.saw_event(event_key):
        return None
    fresh.append(event_key)
    owner = Op(id=op.id, caller=Caller(subject=name.namespace, namespace=name.namespace, source="event-source"))
    cause = Cause(
        op=owner,
        judged=await judge(platform, op, DELIVER, Target(name.namespace, str(name))),
        permission=DELIVER,
        replay="always",
        event_id=event_key,
        access=ObjectAccess(name.namespace, container, event.record.s3.object.name, source.target),
    )
    return await prepare(platform, cause, trigger, bytes(delivery.event))


async def trigger_of(platform: Platform, name: FullName) -> Trigger:
    trigger = await platform.entities.get(name)
    if not isinstance(trigger, Trigger):
        raise NotFound()
    return trigger


async def prepare(platform: Platform, cause: Cause, trigger: Trigger, payload: bytes) -> Fire | None:
    """Everything a fire will write. None if no rule is active, as OpenWhisk records no such fire."""
    rules = [rule for rule in await platform.entities.rules_of(trigger.name) if isinstance(rule, Rule)]
    if not any(rule.status == "active" for rule in rules):
        return None
    arguments = merge((*trigger.parameters, *_told(cause.headers)), payload)
    namespace = await platform.keys.namespace(cause.op.caller.namespace)
    tasks: list[Task] = []
    logs: list[str] = []
    for rule in rules:
        logs.append(await _apply(platform, cause, namespace, rule, arguments, tasks))
    intent, activation = _trigger_record(platform, cause, trigger, payload or b"{}", tuple(logs))
    activation = msgspec.structs.replace(activation, kept=namespace.keeps_activations)
    outcome = Outcome(intent_id=intent.id, at_ms=intent.at_ms, status=OK, activation=activation.written())
    # The event's id comes last: should a crash tear the batch, the event is delivered again and nothing is missed.
    return Fire(activation, [*[task.intent for task in tasks], intent, outcome], tasks)


async def _apply(
    platform: Platform, cause: Cause, namespace: Namespace, rule: Rule, arguments: bytes, tasks: list[Task]
) -> str:
    """Add the task that an active rule means, and give the line that the trigger's record has for the rule."""
    line = {"rule": str(rule.name), "action": str(rule.action)}
    if rule.status != "active":
        text = f"Rule '{rule.name}' is inactive, action '{rule.action}' was not activated."
        return _line(line, error=text)
    # Whoever owns the trigger invokes; an event source may only deliver, and a token be good for firing alone.
    invoker = Op(cause.op.id, msgspec.structs.replace(cause.op.caller, source="key", only=(), namespaces=()))
    try:
        aim = await target(platform, invoker, rule.action)
        judged = await judge(platform, invoker, INVOKE, aim)
        found = await reach(platform, invoker, INVOKE, rule.action)
        check_kind(namespace, found.action.exec.kind)
        merged = merge(found.defaults, arguments, final=bool(found.action.annotations.get("final")))
    except RamblaError as error:
        if error.fault != "caller":
            raise
        return _line(line, error=str(error))
    work = Work(
        activation_id=platform.ids.next(),
        action=rule.action,
        replay=cause.replay,
        namespace=invoker.caller.namespace,
        payload=arguments,
        access=cause.access,
        kept=namespace.keeps_activations,
    )
    intent = intent_of(platform, cause.op, INVOKE, aim, judged, work=work)
    tasks.append(Task.of(intent, found, merged, cause.op.id))
    return _line(line, activation_id=work.activation_id)


def _told(headers: Mapping[str, str]) -> list[Parameter]:
    return [Parameter("__ow_headers", dict(headers))] if headers else []


def _line(line: dict[str, str], *, error: str = "", activation_id: str = "") -> str:
    result: dict[str, object] = {"statusCode": 1 if error else 0, "success": not error, **line}
    if error:
        result["error"] = error
    else:
        result["activationId"] = activation_id
    return msgspec.json.encode(result).decode()


def _trigger_record(
    platform: Platform, cause: Cause, trigger: Trigger, payload: bytes, logs: tuple[str, ...]
) -> tuple[Intent, Activation]:
    """Of what it was fired with; what the trigger adds to that is told by the records of the actions."""
    target = Target(trigger.name.namespace, str(trigger.name))
    now_ms = platform.clock.now_ms()
    activation = Activation(
        id=platform.ids.next(),
        namespace=cause.op.caller.namespace,
        name=trigger.name.name,
        version=trigger.version,
        subject=cause.op.caller.subject,
        start_ms=now_ms,
        end_ms=now_ms,
        status="success",
        result=payload,
        raw_logs=logs,
        annotations=dict(cause.annotations),
        is_trigger=True,
    )
    intent = intent_of(platform, cause.op, cause.permission, target, cause.judged)
    return msgspec.structs.replace(intent, activation_id=activation.id, event_id=cause.event_id), activation


def begin(platform: Platform, prepared: Fire) -> None:
    platform.activations.remember(prepared.activation)
    for task in prepared.tasks:
        start(platform, task, counted=False)
