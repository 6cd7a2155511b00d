"""Namespaces come, go and come again; the operator tends them and sees nothing inside."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from flowkit import add_action, add_rule, add_trigger, ended, named
from rambla.domain.access import Caller
from rambla.domain.entities import Namespace
from rambla.domain.errors import (
    AlreadyExists,
    BadCredentials,
    BadRequest,
    NamespaceDeleted,
    NotFound,
    ObjectStoreFailed,
    Refused,
)
from rambla.drivers.memory.catalog import MemoryNamespaceStore
from rambla.drivers.memory.objects import MemoryObjects
from rambla.flow import change, read, tend
from rambla.flow.fire import fire
from rambla.flow.invoke import invoke
from rambla.flow.platform import Op, Platform
from rooms import Rooms, World, op_of, open_rooms, who

pytestmark = pytest.mark.anyio
OPERATOR = Caller(subject="operator", namespace="", source="operator")
PAGE = read.Page(0, 100)


def operator(platform: Platform) -> Op:
    return Op(platform.ids.next(), OPERATOR)


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


async def create(platform: Platform, name: str = "third") -> str:
    created, _ = await tend.create_namespace(platform, operator(platform), name)
    return created.key


async def test_a_new_namespace_has_a_key_of_its_own_an_account_and_the_usual_limits(
    platform: Platform, store: MemoryObjects
) -> None:
    first, second = await create(platform), await create(platform, "fourth")
    assert first != second
    assert len(first) == 36 + 1 + 64
    assert (await who(platform, basic(first))).namespace == "third"
    assert store.keys == {"third": first.partition(":")[2], "fourth": second.partition(":")[2]}
    made = await platform.namespaces.get("third")
    assert made is not None
    assert made.invocations_per_minute == platform.limits.invocations_per_minute


@pytest.mark.parametrize("name", ["", "a/b", "x" * 257, ".", "é", "AUTH_guest"])
async def test_a_name_that_cannot_be_makes_nothing(platform: Platform, store: MemoryObjects, name: str) -> None:
    with pytest.raises(BadRequest):
        await create(platform, name)
    assert [one.name for one in await tend.namespaces(platform, operator(platform))] == ["guest", "other"]
    assert store.keys == {}


async def test_a_namespace_without_its_account_is_not_made(platform: Platform, store: MemoryObjects) -> None:
    store.away = True
    with pytest.raises(ObjectStoreFailed):
        await create(platform)
    assert await platform.namespaces.get("third") is None


class Database(MemoryNamespaceStore):
    """One that takes its time, so that others get their turn in between."""

    async def get(self, name: str) -> Namespace | None:
        found = await super().get(name)
        await anyio.lowlevel.checkpoint()
        return found

    async def put(self, namespace: Namespace) -> None:
        await anyio.lowlevel.checkpoint()
        await super().put(namespace)


@pytest.fixture
async def slow(tmp_path: Path, store: MemoryObjects, anyio_backend: str) -> AsyncIterator[Platform]:
    world = World(tmp_path / "slow")
    world.namespaces = Database(world.entities)
    async with open_rooms(world, objects=store) as rooms:
        yield rooms.platform


async def test_of_many_who_make_the_same_namespace_one_wins_and_its_key_is_the_one(
    slow: Platform, store: MemoryObjects
) -> None:
    platform = slow
    keys: list[str] = []
    refused: list[AlreadyExists] = []

    async def attempt() -> None:
        try:
            keys.append(await create(platform))
        except AlreadyExists as error:
            refused.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(attempt)
    assert (len(keys), len(refused)) == (1, 9)
    assert await tend.namespace_key(platform, operator(platform), "third") == keys[0]
    assert store.keys["third"] == keys[0].partition(":")[2]


async def test_a_namespace_that_is_deleted_while_its_key_is_rotated_stays_deleted(slow: Platform) -> None:
    platform = slow
    await create(platform)

    async def rotate() -> None:
        with suppress(NotFound):
            await tend.namespace_key(platform, operator(platform), "third", rotate=True)

    async with anyio.create_task_group() as group:
        group.start_soon(rotate)
        group.start_soon(tend.delete_namespace, platform, operator(platform), "third")
        group.start_soon(rotate)
    assert await platform.namespaces.get("third") is None


async def test_a_rotated_key_opens_nothing_at_once_and_the_account_follows(
    platform: Platform, store: MemoryObjects
) -> None:
    old = await create(platform)
    await who(platform, basic(old))
    new = await tend.namespace_key(platform, operator(platform), "third", rotate=True)
    with pytest.raises(BadCredentials):
        await who(platform, basic(old))
    assert (await who(platform, basic(new))).namespace == "third"
    assert store.keys["third"] == new.partition(":")[2]
    assert await tend.namespace_key(platform, operator(platform), "third") == new


async def test_a_deleted_namespace_is_gone_at_once_with_its_key_and_all_in_it(
    rooms: Rooms, store: MemoryObjects
) -> None:
    platform = rooms.platform
    key = await create(platform)
    name = await add_action(rooms, namespace="third")
    op = op_of(platform, "third")
    await who(platform, basic(key))
    await invoke(platform, op, name, b"{}", blocking=True)
    await read.action(platform, op, name)
    await tend.delete_namespace(platform, operator(platform), "third")
    await anyio.wait_all_tasks_blocked()
    assert rooms.engine.live == set()
    assert "third" not in store.keys
    with pytest.raises(BadCredentials):
        await who(platform, basic(key))
    for attempt in (
        read.action(platform, op, name),
        invoke(platform, op, name, b"{}", blocking=False),
        tend.delete_namespace(platform, operator(platform), "third"),
        tend.namespace_key(platform, operator(platform), "third"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_nobody_comes_under_the_name_of_who_was_there(rooms: Rooms) -> None:
    platform = rooms.platform
    await create(platform)
    await tend.delete_namespace(platform, operator(platform), "third")
    with pytest.raises(NamespaceDeleted):
        await create(platform)
    assert "third" not in [one.name for one in await tend.namespaces(platform, operator(platform))]


Attempt = Callable[[Platform, Op, str], Awaitable[object]]
INSIDE: dict[str, Attempt] = {
    "list": lambda platform, op, _: read.entities(platform, op, "actions", "guest", PAGE),
    "action": lambda platform, op, _: read.action(platform, op, named("a")),
    "activation": lambda platform, op, record: read.activation(platform, op, "guest", record),
    "activations": lambda platform, op, _: read.activations(platform, op, "guest", read.Span(), PAGE),
    "invoke": lambda platform, op, _: invoke(platform, op, named("a"), b"{}", blocking=True),
    "fire": lambda platform, op, _: fire(platform, op, named("t"), b"{}"),
    "delete": lambda platform, op, _: change.delete_action(platform, op, named("a")),
    "audit": lambda platform, op, _: tend.audits(platform, op, "guest", since_ms=0, limit=9),
    "usage": lambda platform, op, _: tend.usage(platform, op, "guest", since_ms=0),
}


@pytest.mark.parametrize("what", INSIDE)
@pytest.mark.parametrize("who", [OPERATOR, Caller("other", "other", "key"), Caller("events", "", "event-source")])
async def test_nobody_else_sees_or_does_anything_inside(rooms: Rooms, what: str, who: Caller) -> None:
    await add_action(rooms)
    await add_trigger(rooms)
    await add_rule(rooms)
    record = await invoke(rooms.platform, op_of(rooms.platform), named("a"), b"{}", blocking=True)
    assert not isinstance(record, str)
    started = rooms.engine.started
    with pytest.raises(Refused):
        await INSIDE[what](rooms.platform, Op(rooms.platform.ids.next(), who), record.id)
    assert rooms.engine.started == started
    assert (await ended(rooms, record.id)) == record
    assert (await rooms.intents())[-1].allowed is False


@pytest.mark.parametrize("who", [Caller("guest", "guest", "key"), Caller("events", "", "event-source")])
async def test_only_the_operator_tends(platform: Platform, who: Caller) -> None:
    op = Op(platform.ids.next(), who)
    for attempt in (
        tend.create_namespace(platform, op, "third"),
        tend.delete_namespace(platform, op, "guest"),
        tend.namespace_key(platform, op, "guest"),
        tend.namespace_key(platform, op, "guest", rotate=True),
        tend.namespaces(platform, op),
        tend.status(platform, op),
    ):
        with pytest.raises(Refused):
            await attempt
    assert [one.name for one in await platform.namespaces.all()] == ["guest", "other"]


async def test_the_status_counts_what_is_open(rooms: Rooms) -> None:
    await add_action(rooms, code="sleep")
    await invoke(rooms.platform, op_of(rooms.platform), named("a"), b"{}", blocking=False)
    await anyio.wait_all_tasks_blocked()
    status = await tend.status(rooms.platform, operator(rooms.platform))
    assert (status["dispatch"]["running"], status["dispatch"]["memory_mb"], status["open_intents"]) == (1, 256, 2)


async def _applied(rooms: Rooms) -> None:
    with anyio.fail_after(30):
        while await rooms.platform.index.cursor() < rooms.journal.durable_seq:
            await anyio.sleep(0.002)
