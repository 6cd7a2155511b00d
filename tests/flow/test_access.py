"""What a run may reach: the objects of its event, nothing without asking, and never another tenant's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flowkit import SOURCE, add_action, add_rule, add_trigger, delivery, ended, event, events_op, full_disk, named
from rambla.domain.activation import Activation
from rambla.domain.entities import Action, Exec
from rambla.domain.errors import ObjectStoreFailed, Refused, StorageFailed
from rambla.domain.records import Intent, ObjectAccess, Outcome, Work
from rambla.drivers.memory.engine import MemoryEngine
from rambla.drivers.memory.objects import MemoryObjects
from rambla.engine.ports import Grant, Run
from rambla.flow.access import open_objects
from rambla.flow.fire import accept_events
from rambla.flow.invoke import invoke
from rambla.flow.task import Task
from rooms import FUNCTIONS, Rooms, op_of, open_rooms

pytestmark = pytest.mark.anyio
SOMETHING = named("a")
ASKING = {"network": "objects"}


class Seen:
    """What the action was given."""

    def __init__(self) -> None:
        self.runs: list[tuple[dict[str, Any], tuple[Grant, ...]]] = []

    async def look(self, arguments: dict[str, Any], run: Run) -> Any:
        self.runs.append((arguments, run.grants))
        return {}


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def rooms(tmp_path: Path, store: MemoryObjects, seen: Seen, anyio_backend: str) -> AsyncIterator[Rooms]:
    engine = MemoryEngine({**FUNCTIONS, "look": seen.look})
    await store.open_account("guest", "uuid", "secret")
    async with open_rooms(tmp_path, objects=store, engine=engine) as rooms:
        yield rooms


async def deliver(rooms: Rooms, *, key: str = "cat.jpg", annotations: dict[str, Any], target: str = "") -> Activation:
    await add_action(rooms, code="look", annotations=annotations)
    await add_trigger(rooms, annotations={"source": SOURCE | {"target": target}})
    await add_rule(rooms)
    await accept_events(rooms.platform, events_op(rooms), [delivery(event(rooms, rooms.platform.ids.next(), key=key))])
    work = [intent.work for intent in await rooms.intents() if intent.work][-1]
    return await ended(rooms, work.activation_id)


def parts(rooms: Rooms, url: str) -> tuple[str, str]:
    path, _, query = url.removeprefix(rooms.engine.objects_address).partition("?")
    return path, query


async def test_the_addresses_it_is_given_open_its_object_and_its_target(
    rooms: Rooms, store: MemoryObjects, seen: Seen
) -> None:
    key = await store.sign("guest", "PUT", "photos", "in/cat.jpg", ttl_ms=60_000)
    store.answer("PUT", key.path, key.query, b"picture")
    await deliver(rooms, key="in/cat.jpg", annotations=ASKING, target="thumbs")
    ((arguments, grants),) = seen.runs
    assert arguments["access"].keys() == {"source", "target"}
    path, query = parts(rooms, arguments["access"]["source"]["url"])
    assert store.answer("GET", path, query) == (200, b"picture")
    assert grants[0] == Grant("GET", path, query)
    target, _ = parts(rooms, arguments["access"]["target"]["url"])
    query = arguments["access"]["target"]["query"]
    assert store.answer("PUT", f"{target}small.jpg", query, b"small") == (201, b"")
    assert store.answer("PUT", f"{path}2", query, b"x")[0] == 401
    assert grants[1:] == (Grant("PUT", target, query, prefix=True),)
    rooms.world.clock.advance(1)
    store._clock.advance(rooms.platform.limits.signed_address_ttl_ms)  # type: ignore[attr-defined]  # by hand
    assert store.answer("PUT", f"{target}late.jpg", query, b"x")[0] == 401


async def test_an_object_named_like_a_folder_opens_nothing_in_it(
    rooms: Rooms, store: MemoryObjects, seen: Seen
) -> None:
    inside = await store.sign("guest", "PUT", "photos", "in/secret", ttl_ms=60_000)
    store.answer("PUT", inside.path, inside.query, b"secret")
    await deliver(rooms, key="in/", annotations=ASKING)
    ((arguments, (grant,)),) = seen.runs
    path, query = parts(rooms, arguments["access"]["source"]["url"])
    assert not grant.prefix
    assert store.answer("GET", f"{path}secret", query)[0] == 401


@pytest.mark.parametrize("annotations", [{}, {"network": "all"}, {"network": True}, {"network": ["objects"]}])
async def test_without_the_annotation_there_is_no_address(
    rooms: Rooms, seen: Seen, annotations: dict[str, Any]
) -> None:
    await deliver(rooms, annotations=annotations, target="thumbs")
    ((arguments, grants),) = seen.runs
    assert "access" not in arguments
    assert grants == ()
    assert not [intent for intent in await rooms.intents() if intent.permission.startswith("object:")]


async def test_without_an_event_there_is_no_address(rooms: Rooms, seen: Seen) -> None:
    name = await add_action(rooms, code="look", annotations=ASKING)
    await invoke(rooms.platform, op_of(rooms.platform), name, b'{"access":"forged"}', blocking=True)
    assert seen.runs == [({"access": "forged"}, ())]


async def test_both_are_on_record_before_the_run_and_end_with_it(rooms: Rooms) -> None:
    await deliver(rooms, annotations=ASKING, target="thumbs")
    records = await rooms.records()
    asked = [record for record in records if isinstance(record, Intent) and record.permission.startswith("object:")]
    assert [(one.permission, one.target, one.subject, one.source, one.namespace) for one in asked] == [
        ("object:read", "guest/photos/cat.jpg", "guest", "platform", "guest"),
        ("object:write", "guest/thumbs/", "guest", "platform", "guest"),
    ]
    (end,) = [record for record in records if isinstance(record, Outcome) and record.status == "success"]
    assert max(records.index(one) for one in asked) < records.index(end)
    outcomes = await rooms.outcomes()
    assert [outcomes[one.id].status for one in asked] == ["ok", "ok"]


def task(access: ObjectAccess, namespace: str = "guest") -> Task:
    """Work of `namespace` that an event promised `access`."""
    work = Work(activation_id="a", action=SOMETHING, replay="always", namespace=namespace, access=access)
    intent = Intent(
        id="i",
        at_ms=0,
        subject=namespace,
        source="event-source",
        permission="action:invoke",
        namespace=namespace,
        target="x",
        allowed=True,
        rule="r",
        work=work,
    )
    action = Action(name=SOMETHING, exec=Exec(kind="python:3"))
    return Task(intent=intent, action=action, defaults=(), arguments=b"{}")


async def test_the_event_of_another_namespace_opens_nothing(rooms: Rooms) -> None:
    access = ObjectAccess("guest", "photos", "cat.jpg", "thumbs")
    with pytest.raises(Refused, match="guest/photos/cat"):
        await open_objects(rooms.platform, task(access, "other"), b"{}")
    (refused,) = await rooms.intents()
    assert (refused.allowed, refused.permission, refused.subject) == (False, "object:read", "other")


async def test_addresses_that_cannot_be_written_down_are_not_given(rooms: Rooms) -> None:
    access = ObjectAccess("guest", "photos", "cat.jpg", "")
    with full_disk(), pytest.raises(StorageFailed):
        await open_objects(rooms.platform, task(access), b"{}")


async def test_what_cannot_be_signed_is_the_runs_failure_and_the_intents_outcome(rooms: Rooms, seen: Seen) -> None:
    record = await deliver(rooms, key="x" * 1025, annotations=ASKING)
    assert (record.status, record.billed_mb_ms) == ("whisk internal error", 0)
    assert "object" in msgspec.json.decode(record.result)["error"]
    assert seen.runs == []
    asked = [intent for intent in await rooms.intents() if intent.permission == "object:read"]
    outcomes = await rooms.outcomes()
    assert [outcomes[one.id].status for one in asked] == ["bad_request"]


async def test_without_a_store_nothing_is_opened(tmp_path: Path) -> None:
    async with open_rooms(tmp_path / "none") as rooms:
        with pytest.raises(ObjectStoreFailed, match="without an object store"):
            await open_objects(rooms.platform, task(ObjectAccess("guest", "c", "o", "")), b"{}")
        assert not [record for record in await rooms.records() if isinstance(record, Intent | Outcome)]


async def test_an_events_work_runs_again_when_a_part_of_the_platform_fails_under_it(rooms: Rooms, seen: Seen) -> None:
    rooms.engine.fail_starts = 2
    record = await deliver(rooms, annotations={})
    assert record.status == "success"
    assert len(seen.runs) == 1
