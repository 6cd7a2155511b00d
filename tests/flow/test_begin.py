"""Before a direct invoke begins it is on disk that it does: without room for that it waits, and never runs twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from flowkit import ended, full_disk, named, quiet
from rambla.domain.entities import BUILTIN, Action, Exec
from rambla.domain.records import Started
from rambla.engine.ports import Run
from rambla.flow.invoke import invoke
from rambla.flow.platform import Op, Platform
from rooms import FUNCTIONS, Rooms, op_of, open_rooms

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as rooms:
        yield rooms


@pytest.mark.parametrize("kind", ["python:3", BUILTIN])
async def test_what_was_acknowledged_waits_for_room_to_begin_and_then_runs_once(rooms: Rooms, kind: str) -> None:
    ran: list[dict[str, Any]] = []

    async def sandboxed(arguments: dict[str, Any], run: Run) -> Any:
        ran.append(arguments)
        return arguments

    async def within(platform: Platform, op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
        ran.append(arguments)
        return arguments

    rooms.engine.functions = {**FUNCTIONS, "once": sandboxed}
    platform = replace(rooms.platform, builtins={"once": within})
    action = Action(name=named("a"), exec=Exec(kind=kind, code="once"))
    await platform.entities.put(action, expected_revision=None)
    activation_id = await invoke(platform, op_of(platform), named("a"), b'{"n":1}', blocking=False)
    with full_disk():  # before its code could begin
        await anyio.sleep(0.3)
        assert ran == []
        assert await platform.activations.get("guest", str(activation_id)) is None
    record = await ended(rooms, str(activation_id))
    assert (record.status, ran) == ("success", [{"n": 1}])
    assert [one.activation_id for one in await rooms.records() if isinstance(one, Started)] == [activation_id]
    await quiet(rooms)
