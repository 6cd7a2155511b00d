"""What do tests of the sentences say again and again? Entities, events, and a disk that is full."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import msgspec
import pytest

from rambla.domain.access import Caller
from rambla.domain.activation import Activation
from rambla.domain.changes import ActionChange, ExecChange, RuleChange, TriggerChange
from rambla.domain.events import Delivery
from rambla.domain.names import FullName
from rambla.flow import change
from rambla.flow.platform import Op
from rooms import Rooms, op_of

SOURCE = {"type": "swift", "container": "photos", "target": "thumbs"}
EVENTS = Caller(subject="events", namespace="", source="event-source")


def named(name: str, namespace: str = "guest") -> FullName:
    package, _, last = name.rpartition("/")
    return FullName(namespace, package, last)


async def add_action(rooms: Rooms, name: str = "a", code: str = "echo", **wish: Any) -> FullName:
    full = named(name, wish.pop("namespace", "guest"))
    body = ActionChange(exec=ExecChange(kind="python:3", code=code), **wish)
    await change.put_action(rooms.platform, op_of(rooms.platform, full.namespace), full, body, overwrite=True)
    return full


async def add_trigger(rooms: Rooms, name: str = "t", namespace: str = "guest", **wish: Any) -> FullName:
    full = named(name, namespace)
    op = op_of(rooms.platform, namespace)
    await change.put_trigger(rooms.platform, op, full, TriggerChange(**wish), overwrite=True)
    return full


async def add_rule(rooms: Rooms, name: str = "r", trigger: str = "t", action: str = "a") -> FullName:
    full = named(name)
    wish = RuleChange(trigger=named(trigger), action=named(action))
    await change.put_rule(rooms.platform, op_of(rooms.platform), full, wish, overwrite=True)
    return full


def events_op(rooms: Rooms) -> Op:
    return Op(rooms.platform.ids.next(), EVENTS)


def event(rooms: Rooms, identifier: str, *, container: str = "photos", key: str = "cat.jpg") -> dict[str, Any]:
    assert rooms.platform.objects is not None
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": container}, "object": {"key": key}}}
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": rooms.platform.objects.source_of("guest", container),
        "type": "com.amazonaws.s3.ObjectCreated.Put",
        "data": {"Records": [record]},
    }


def delivery(body: object, trigger: str = "guest/t") -> Delivery:
    return Delivery(trigger, msgspec.Raw(body if isinstance(body, bytes) else msgspec.json.encode(body)))


async def ended(rooms: Rooms, activation_id: str) -> Activation:
    """The record of that activation, once it is there."""
    with anyio.fail_after(30):
        while True:
            found = await rooms.platform.activations.get("guest", activation_id)
            if found is not None:
                return found
            await anyio.sleep(0.002)


async def quiet(rooms: Rooms) -> None:
    """Everything promised has ended."""
    with anyio.fail_after(30):
        while len(rooms.platform.ledger.pending):
            await anyio.sleep(0.002)


@contextmanager
def full_disk() -> Iterator[None]:
    """The journal cannot write, until the block ends."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        yield
