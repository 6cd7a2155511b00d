"""Which container does a trigger listen to?

A trigger's annotation `source` subscribes it to a container of its own namespace's account. The object store is told
before the entity is written and after it was deleted: a crash in between leaves at most a subscription whose events
are refused, never a trigger that believes it listens and does not.
"""

from rambla.domain.entities import Trigger
from rambla.domain.errors import BadRequest
from rambla.domain.events import parse_source
from rambla.flow.platform import Platform
from rambla.objects.ports import Subscription

SOURCE = "source"
KIND = "swift"
CONTAINER_BYTES_MAX = 256  # Swift's own limit
_EVENT_FAMILIES = ("s3:ObjectCreated:", "s3:ObjectRemoved:")


def wanted(trigger: Trigger | None) -> Subscription | None:
    """The subscription that a trigger asks for, if any. Pure. Raises BadRequest with what is wrong about it."""
    if trigger is None or trigger.annotations.get(SOURCE) is None:
        return None
    source = parse_source(trigger.annotations[SOURCE])
    if source.type != KIND:
        raise _malformed(f"its type must be '{KIND}'")
    _check_container("container", source.container)
    if source.target:
        _check_container("target", source.target)
    if source.target == source.container:
        raise _malformed("its target must be another container, or its actions would fire it again")
    if not source.events or not all(event.startswith(_EVENT_FAMILIES) for event in source.events):
        raise _malformed(f"its events must begin with one of {', '.join(_EVENT_FAMILIES)}")
    return Subscription(
        trigger=str(trigger.name),
        container=source.container,
        events=source.events,
        prefix=source.prefix,
        suffix=source.suffix,
        target=source.target,
    )


async def begin(platform: Platform, trigger: Trigger) -> None:
    """Subscribe `trigger` as it asks. Raises BadRequest, or ObjectStoreFailed if the store could not be told."""
    await _subscribe(platform, trigger, wanted(trigger))


async def end(platform: Platform, old: Trigger, new: Trigger | None) -> None:
    """Unsubscribe what `old` had and `new` no longer asks for. Raises ObjectStoreFailed."""
    had, has = _valid(old), _valid(new)
    if had is not None and (has is None or has.container != had.container) and platform.objects is not None:
        await platform.objects.unsubscribe(old.name.namespace, had.container, had.trigger)


async def take_back(platform: Platform, unwritten: Trigger) -> None:
    """`unwritten` was begun but could not be written: listen again as the trigger in force says.

    Looks again afterwards, since whoever was faster may have written only now.
    """
    in_force: Trigger | None = await _in_force(platform, unwritten)
    before: Trigger | None = unwritten
    while in_force != before:
        if in_force is not None:
            await _subscribe(platform, in_force, _valid(in_force))
        await end(platform, unwritten, in_force)
        in_force, before = await _in_force(platform, unwritten), in_force


async def _in_force(platform: Platform, trigger: Trigger) -> Trigger | None:
    current = await platform.entities.get(trigger.name)
    return current if isinstance(current, Trigger) else None


async def _subscribe(platform: Platform, trigger: Trigger, subscription: Subscription | None) -> None:
    if subscription is None:
        return
    if platform.objects is None:
        raise BadRequest(detail="The annotation 'source' needs an object store, and this platform runs without one.")
    await platform.objects.subscribe(trigger.name.namespace, subscription)


def _valid(trigger: Trigger | None) -> Subscription | None:
    """As `wanted`; a source that is not valid, from some older Rambla, never subscribed anything."""
    try:
        return wanted(trigger)
    except BadRequest:
        return None


def _check_container(field: str, name: str) -> None:
    if not name or "/" in name or len(name.encode()) > CONTAINER_BYTES_MAX:
        raise _malformed(f"its {field} must be a name of 1 to {CONTAINER_BYTES_MAX} bytes without '/'")


def _malformed(reason: str) -> BadRequest:
    return BadRequest(detail=f"The trigger's annotation '{SOURCE}' is malformed: {reason}")
