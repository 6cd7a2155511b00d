"""Actions that the platform does itself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from flowkit import named
from rambla.domain.activation import Activation
from rambla.domain.entities import BUILTIN, Action, ActionLimits, Exec
from rambla.domain.errors import BadRequest, StorageFailed
from rambla.flow.invoke import invoke
from rambla.flow.platform import Builtin, Op, Platform
from rooms import op_of, open_rooms

pytestmark = pytest.mark.anyio


async def tell(platform: Platform, op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"by": op.caller.namespace, "source": op.caller.source, "given": arguments}


async def refuse(platform: Platform, op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    raise BadRequest(detail="no such minute")


async def break_down(platform: Platform, op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    raise StorageFailed(detail="secret path")


async def hang(platform: Platform, op: Op, arguments: dict[str, Any]) -> dict[str, Any]:
    await anyio.sleep(3600)
    return {}


BUILTINS: Mapping[str, Builtin] = {"tell": tell, "refuse": refuse, "break": break_down, "hang": hang}


async def run(folder: Path, code: str) -> Activation:
    async with open_rooms(folder) as rooms:
        platform = replace(rooms.platform, builtins=BUILTINS)
        limits = ActionLimits(timeout_ms=100)
        action = Action(name=named("a"), exec=Exec(kind=BUILTIN, code=code), limits=limits)
        await platform.entities.put(action, expected_revision=None)
        record = await invoke(platform, op_of(platform), named("a"), '{"x":[1,"ü"]}'.encode(), blocking=True)
        assert isinstance(record, Activation)
        (intent,) = [one for one in await rooms.intents() if one.permission == "action:invoke"]
        assert intent.activation_id == record.id
        assert (await rooms.outcomes())[intent.id].activation == record
        return record


async def test_it_is_done_as_whoever_invokes_and_costs_nothing(tmp_path: Path) -> None:
    record = await run(tmp_path, "tell")
    result = {"by": "guest", "source": "key", "given": {"x": [1, "ü"]}}
    assert (record.status, msgspec.json.decode(record.result)) == ("success", result)
    assert (record.billed_mb_ms, record.annotations["kind"]) == (0, "builtin")


async def test_what_the_caller_did_wrong_is_the_actions_error(tmp_path: Path) -> None:
    record = await run(tmp_path, "refuse")
    assert (record.status, record.result) == ("application error", b'{"error":"no such minute"}')


@pytest.mark.parametrize("code", ["break", "absent"])
async def test_what_we_did_wrong_is_told_without_its_details(tmp_path: Path, code: str) -> None:
    record = await run(tmp_path, code)
    assert record.status == ("whisk internal error" if code == "break" else "application error")
    assert b"secret" not in record.result


async def test_it_has_the_time_that_its_limits_say(tmp_path: Path) -> None:
    record = await run(tmp_path, "hang")
    assert record.result == b'{"error":"The action exceeded its time limits of 100 milliseconds."}'
    assert record.annotations["timeout"] is True
