"""Changes at the same time, and triggers that listen to a container."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from rambla.domain.changes import ActionChange, ExecChange, RuleChange, TriggerChange
from rambla.domain.entities import Trigger
from rambla.domain.errors import AlreadyExists, BadRequest, ConcurrentChange, ObjectStoreFailed, Refused
from rambla.domain.names import FullName
from rambla.drivers.memory.objects import MemoryObjects
from rambla.flow import change, read
from rambla.kit.clock import ManualClock
from rambla.objects.ports import Subscription
from rooms import Rooms, op_of, open_rooms

pytestmark = pytest.mark.anyio
ACTION = FullName("guest", "", "a")
TRIGGER = FullName("guest", "", "t")
RULE = FullName("guest", "", "r")
SOURCE = {"type": "swift", "container": "photos", "suffix": ".jpg", "target": "thumbs"}
CODE = ActionChange(exec=ExecChange(kind="python:3", code="echo"))


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects(ManualClock())


@pytest.fixture
async def rooms(tmp_path: Path, store: MemoryObjects, anyio_backend: str) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, objects=store) as rooms:
        yield rooms


def listening(**fields: object) -> TriggerChange:
    return TriggerChange(annotations={"source": SOURCE | fields})


async def put_trigger(rooms: Rooms, wish: TriggerChange) -> None:
    await change.put_trigger(rooms.platform, op_of(rooms.platform), TRIGGER, wish, overwrite=True)


async def test_of_many_who_create_the_same_action_one_wins(rooms: Rooms) -> None:
    ended: list[str] = []

    async def create() -> None:
        try:
            await change.put_action(rooms.platform, op_of(rooms.platform), ACTION, CODE, overwrite=False)
            ended.append("created")
        except AlreadyExists:
            ended.append("refused")

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(create)
    assert sorted(ended) == ["created"] + 19 * ["refused"]


async def test_no_update_is_lost_silently(rooms: Rooms) -> None:
    await change.put_action(rooms.platform, op_of(rooms.platform), ACTION, CODE, overwrite=True)
    kept: list[str] = []

    async def update(key: str) -> None:
        wish = ActionChange(annotations={key: 1})
        try:
            await change.put_action(rooms.platform, op_of(rooms.platform), ACTION, wish, overwrite=True)
            kept.append(key)
        except ConcurrentChange:
            pass

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(update, f"k{number}")
    found = await read.action(rooms.platform, op_of(rooms.platform), ACTION)
    assert kept
    assert set(kept) == {key for key in found.annotations if key.startswith("k")}


async def test_every_change_is_on_record_with_its_permission_and_target(rooms: Rooms) -> None:
    await change.put_action(rooms.platform, op_of(rooms.platform), ACTION, CODE, overwrite=True)
    await put_trigger(rooms, TriggerChange())
    wish = RuleChange(trigger=TRIGGER, action=ACTION)
    await change.put_rule(rooms.platform, op_of(rooms.platform), RULE, wish, overwrite=False)
    await change.delete_rule(rooms.platform, op_of(rooms.platform), RULE)
    assert [(one.permission, one.target) for one in await rooms.intents()] == [
        ("action:write", "guest/a"),
        ("trigger:write", "guest/t"),
        ("rule:write", "guest/r"),
        ("trigger:read", "guest/t"),
        ("action:read", "guest/a"),
        ("rule:delete", "guest/r"),
    ]


async def test_a_trigger_with_a_source_is_subscribed_before_it_is_written(rooms: Rooms, store: MemoryObjects) -> None:
    store.away = True
    with pytest.raises(ObjectStoreFailed):
        await put_trigger(rooms, listening())
    assert await rooms.platform.entities.get(TRIGGER) is None
    store.away = False
    await put_trigger(rooms, listening())
    assert isinstance(await rooms.platform.entities.get(TRIGGER), Trigger)
    (subscription,) = store.subscriptions.values()
    assert subscription == Subscription(trigger="guest/t", container="photos", suffix=".jpg", target="thumbs")


async def test_of_two_who_change_what_a_trigger_listens_to_the_winner_is_subscribed(
    rooms: Rooms, store: MemoryObjects
) -> None:
    await put_trigger(rooms, TriggerChange())
    won: list[str] = []

    async def listen(container: str, suffix: str) -> None:
        try:
            await put_trigger(rooms, listening(container=container, suffix=suffix))
            won.append(suffix)
        except ConcurrentChange:
            pass

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(listen, f"c{number % 2}", f".{number}")
    (subscription,) = store.subscriptions.values()
    trigger = await rooms.platform.entities.get(TRIGGER)
    assert trigger is not None
    assert (subscription.container, subscription.suffix) == (
        trigger.annotations["source"]["container"],
        trigger.annotations["source"]["suffix"],
    )
    assert subscription.suffix in won


async def test_what_is_no_longer_wanted_is_unsubscribed(rooms: Rooms, store: MemoryObjects) -> None:
    await put_trigger(rooms, listening())
    await put_trigger(rooms, listening(container="movies"))
    assert [container for _, container, _ in store.subscriptions] == ["movies"]
    await put_trigger(rooms, TriggerChange(annotations={}))
    assert not store.subscriptions
    await put_trigger(rooms, listening())
    await change.delete_trigger(rooms.platform, op_of(rooms.platform), TRIGGER)
    assert not store.subscriptions


async def test_a_trigger_can_be_mended_whose_source_is_no_longer_valid(rooms: Rooms) -> None:
    broken = Trigger(name=TRIGGER, annotations={"source": {"type": "gone"}})
    await rooms.platform.entities.put(broken, expected_revision=None)
    await put_trigger(rooms, TriggerChange(annotations={}))
    await change.delete_trigger(rooms.platform, op_of(rooms.platform), TRIGGER)


@pytest.mark.parametrize(
    "source",
    [
        "photos",
        {},
        {"type": "swift"},
        SOURCE | {"type": "ceph"},
        SOURCE | {"container": ""},
        SOURCE | {"container": "a/b"},
        SOURCE | {"container": "x" * 257},
        SOURCE | {"target": "a/b"},
        SOURCE | {"target": "photos"},
        SOURCE | {"events": []},
        SOURCE | {"events": ["s3:Everything"]},
        SOURCE | {"sufix": ".jpg"},
    ],
)
async def test_a_wrong_source_is_refused_with_the_reason(rooms: Rooms, store: MemoryObjects, source: object) -> None:
    with pytest.raises(BadRequest, match="The trigger's annotation 'source' is malformed: "):
        await put_trigger(rooms, TriggerChange(annotations={"source": source}))
    assert not store.subscriptions


async def test_a_source_needs_an_object_store(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        with pytest.raises(BadRequest, match="needs an object store"):
            await put_trigger(rooms, listening())


async def test_a_stranger_learns_nothing_and_changes_nothing(rooms: Rooms, store: MemoryObjects) -> None:
    stranger = op_of(rooms.platform, "other")
    with pytest.raises(Refused):
        await change.put_trigger(rooms.platform, stranger, TRIGGER, listening(), overwrite=True)
    with pytest.raises(Refused):
        await change.delete_action(rooms.platform, stranger, ACTION)
    assert not store.subscriptions


async def test_a_trigger_has_a_bounded_number_of_rules(rooms: Rooms) -> None:
    platform, op = rooms.platform, op_of(rooms.platform)
    await change.put_action(platform, op, ACTION, CODE, overwrite=False)
    await change.put_trigger(platform, op, TRIGGER, TriggerChange(), overwrite=False)
    rule = RuleChange(trigger=TRIGGER, action=ACTION)
    for number in range(change.RULES_MAX):
        await change.put_rule(platform, op, FullName("guest", "", f"r{number}"), rule, overwrite=False)
    with pytest.raises(BadRequest, match="no more are allowed"):
        await change.put_rule(platform, op, FullName("guest", "", "one-more"), rule, overwrite=False)
    await change.put_rule(platform, op, FullName("guest", "", "r0"), rule, overwrite=True)
