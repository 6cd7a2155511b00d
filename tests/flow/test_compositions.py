"""Sequences and conductors: parts that are judged, written and run one after another, and the record of the whole."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from flowkit import add_action, add_rule, add_trigger, named
from rambla.domain.access import Decision
from rambla.domain.activation import Activation
from rambla.domain.changes import ActionChange, ExecChange, LimitsChange, PackageChange
from rambla.domain.entities import SEQUENCE, Parameter
from rambla.domain.errors import BadRequest, Refused
from rambla.domain.names import FullName
from rambla.domain.records import Outcome, Started
from rambla.engine.ports import Run
from rambla.flow import change
from rambla.flow.decide import Judged
from rambla.flow.fire import fire
from rambla.flow.invoke import invoke, work_intent
from rambla.flow.recover import settle
from rooms import FUNCTIONS, OTHER, Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio


async def inc(arguments: dict[str, Any], run: Run) -> Any:
    return {**arguments, "n": arguments.get("n", 0) + arguments.get("by", 1)}


async def count_down(arguments: dict[str, Any], run: Run) -> Any:
    """A conductor: runs `inc` until `left` is used up, then tells `n`."""
    left = arguments.get("left", 0)
    if not left or "error" in arguments:
        return {"params": {key: value for key, value in arguments.items() if key != "left"}}
    return {"action": arguments.get("next", "inc"), "params": {"n": arguments.get("n", 0)}, "state": {"left": left - 1}}


async def delegate(arguments: dict[str, Any], run: Run) -> Any:
    """A conductor: has `c` do it all."""
    return {"action": "c", "params": arguments} if "left" in arguments else {"params": arguments}


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as rooms:
        rooms.engine.functions = {**FUNCTIONS, "inc": inc, "count_down": count_down, "delegate": delegate}
        await add_action(rooms, "inc", "inc")
        await add_action(rooms, "fail", "fail")
        await add_action(rooms, "listed", "listed")
        yield rooms


async def add_sequence(rooms: Rooms, name: str, *components: str | FullName) -> FullName:
    names = tuple(named(each) if isinstance(each, str) else each for each in components)
    wish = ActionChange(exec=ExecChange(kind=SEQUENCE, components=names))
    await change.put_action(rooms.platform, op_of(rooms.platform), named(name), wish, overwrite=True)
    return named(name)


async def run(rooms: Rooms, name: str, namespace: str = "guest", **payload: Any) -> Activation:
    ended = await invoke(
        rooms.platform, op_of(rooms.platform, namespace), named(name), msgspec.json.encode(payload), blocking=True
    )
    assert isinstance(ended, Activation)
    return ended


def result(record: Activation) -> Any:
    return msgspec.json.decode(record.result)


async def part(rooms: Rooms, activation_id: str) -> Activation:
    found = await rooms.platform.activations.get("guest", activation_id)
    assert found is not None
    return found


async def test_each_result_is_the_next_ones_argument_and_the_record_tells_of_all(rooms: Rooms) -> None:
    await add_action(rooms, "big", "inc", limits=LimitsChange(memory_mb=512), parameters=(Parameter("by", 10),))
    await add_sequence(rooms, "s", "inc", "big", "inc")
    record = await run(rooms, "s", n=1)
    assert (record.status, result(record)) == ("success", {"n": 22, "by": 10})
    parts = [await part(rooms, each) for each in record.raw_logs]
    assert [each.name for each in parts] == ["inc", "big", "inc"]
    assert {each.cause for each in parts} == {record.id}
    assert {each.annotations["causedBy"] for each in parts} == {"sequence"}
    assert record.cause is None
    assert record.annotations["topmost"] is True
    assert record.annotations["kind"] == "sequence"
    assert record.annotations["limits"]["memory"] == 512
    assert (record.duration_ms, record.billed_mb_ms) == (sum(each.duration_ms for each in parts), 0)


async def test_every_part_has_an_intent_before_it_and_an_outcome_after_it(rooms: Rooms) -> None:
    await add_sequence(rooms, "s", "inc", "inc")
    record = await run(rooms, "s")
    intents = [each for each in await rooms.intents() if each.permission == "action:invoke"]
    assert [each.target for each in intents] == ["guest/s", "guest/inc", "guest/inc"]
    outcomes = await rooms.outcomes()
    assert all(each.id in outcomes for each in intents)
    ended = [each.activation.id for each in await rooms.records() if isinstance(each, Outcome) and each.activation]
    assert ended[-3:] == [*record.raw_logs, record.id]


async def test_an_error_ends_a_sequence_with_what_it_was(rooms: Rooms) -> None:
    await add_sequence(rooms, "s", "inc", "fail", "inc")
    record = await run(rooms, "s")
    assert (record.status, result(record), len(record.raw_logs)) == ("application error", {"error": "no luck"}, 2)


async def test_a_sequence_of_arrays(rooms: Rooms) -> None:
    await add_action(rooms, "answer", "answer", parameters=(Parameter("answer", [3, 1]),))
    await add_sequence(rooms, "s", "inc", "listed")
    assert result(await run(rooms, "s", n=1, a=2)) == ["a", "n"]


async def test_sequences_within_sequences(rooms: Rooms) -> None:
    await add_sequence(rooms, "inner", "inc", "inc")
    await add_sequence(rooms, "outer", "inner", "inc", "inner")
    record = await run(rooms, "outer")
    assert result(record) == {"n": 5}
    inner = await part(rooms, record.raw_logs[0])
    assert (inner.cause, inner.annotations["topmost"], inner.annotations["causedBy"]) == (record.id, False, "sequence")
    assert {(await part(rooms, each)).cause for each in inner.raw_logs} == {inner.id}


async def test_a_component_that_is_gone_is_told_when_its_turn_comes(rooms: Rooms) -> None:
    await add_action(rooms, "gone", "inc")
    await add_sequence(rooms, "s", "inc", "gone")
    await change.delete_action(rooms.platform, op_of(rooms.platform), named("gone"))
    record = await run(rooms, "s")
    assert result(record) == {"error": "Sequence component does not exist."}
    assert (record.status, len(record.raw_logs)) == ("application error", 1)


@pytest.mark.parametrize(
    ("components", "text"),
    [
        ((), "No component specified for the sequence."),
        (("inc",) * 51, "Too many actions in the sequence."),
        (("s",), "Sequence may not refer to itself."),
        (("absent",), "Sequence component does not exist."),
        (("forty", "forty"), "Too many actions in the sequence."),
    ],
)
async def test_a_sequence_that_cannot_be_is_refused(rooms: Rooms, components: tuple[str, ...], text: str) -> None:
    await add_action(rooms, "s", "inc")
    await add_sequence(rooms, "forty", *("inc",) * 40)
    with pytest.raises(BadRequest, match=text):
        await add_sequence(rooms, "s", *components)


async def test_a_circle_is_refused_however_wide(rooms: Rooms) -> None:
    await add_action(rooms, "a", "inc")
    await add_sequence(rooms, "b", "a")
    await add_sequence(rooms, "c", "b", "inc")
    with pytest.raises(BadRequest, match="Sequence may not refer to itself"):
        await add_sequence(rooms, "a", "c")


async def test_what_others_have_is_run_only_if_it_is_shared(rooms: Rooms) -> None:
    op = op_of(rooms.platform, OTHER)
    package = FullName(OTHER, "", "p")
    await change.put_package(rooms.platform, op, package, PackageChange(publish=True), overwrite=True)
    theirs = FullName(OTHER, "p", "inc")
    wish = ActionChange(exec=ExecChange(kind="python:3", code="inc"))
    await change.put_action(rooms.platform, op, theirs, wish, overwrite=True)
    await add_sequence(rooms, "s", "inc", theirs)
    assert result(await run(rooms, "s")) == {"n": 2}
    await change.put_package(rooms.platform, op, package, PackageChange(publish=False), overwrite=True)
    with pytest.raises(Refused):
        await run(rooms, "s")
    with pytest.raises(Refused):
        await add_sequence(rooms, "s2", theirs)


async def test_the_parameters_of_a_sequence_tell_what_it_is_made_of(rooms: Rooms) -> None:
    await add_sequence(rooms, "s", "inc", "fail")
    stored = await rooms.platform.entities.get(named("s"))
    assert getattr(stored, "parameters", None) == (Parameter("_actions", ["/guest/inc", "/guest/fail"]),)
    await add_action(rooms, "s", "inc")
    stored = await rooms.platform.entities.get(named("s"))
    assert getattr(stored, "parameters", None) == ()


async def test_a_rule_runs_a_sequence(rooms: Rooms) -> None:
    await add_sequence(rooms, "s", "inc", "inc")
    await add_trigger(rooms, "t")
    await add_rule(rooms, "r", "t", "s")
    assert await fire(rooms.platform, op_of(rooms.platform), named("t"), b'{"n":5}')
    (work,) = [each.work for each in await rooms.intents() if each.target == "guest/s" and each.work]
    while not (record := await rooms.platform.activations.get("guest", work.activation_id)):
        await anyio.sleep(0.001)
    assert result(record) == {"n": 7}


# --- conductors ---


async def add_conductor(rooms: Rooms, name: str = "c") -> FullName:
    return await add_action(rooms, name, "count_down", annotations={"conductor": True})


async def test_a_conductor_says_what_comes_next(rooms: Rooms) -> None:
    await add_conductor(rooms)
    record = await run(rooms, "c", left=2, n=1)
    assert (record.status, result(record)) == ("success", {"n": 3})
    parts = [await part(rooms, each) for each in record.raw_logs]
    assert [each.name for each in parts] == ["c", "inc", "c", "inc", "c"]
    assert {each.cause for each in parts} == {record.id}
    assert record.annotations["conductor"] is True
    assert (record.annotations["kind"], record.annotations["topmost"]) == ("sequence", True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("absent", "Failed to resolve action with name 'guest/absent' during composition."),
        ("/other/a", "Failed entitlement check for action with name 'other/a' during composition."),
    ],
)
async def test_a_conductor_hears_why_an_action_cannot_be_run(rooms: Rooms, name: str, text: str) -> None:
    await add_conductor(rooms)
    assert result(await run(rooms, "c", left=1, next=name))["error"] == text


async def test_conductors_and_sequences_within_each_other(rooms: Rooms) -> None:
    await add_conductor(rooms)
    await add_sequence(rooms, "twice", "inc", "inc")
    assert result(await run(rooms, "c", left=1, next="twice")) == {"n": 2}
    await add_sequence(rooms, "s", "inc", "c", "inc")
    assert result(await run(rooms, "s")) == {"n": 2}


async def test_a_conductor_within_another_counts_by_its_runs_and_not_itself(rooms: Rooms) -> None:
    await add_conductor(rooms)
    await add_action(rooms, "outer", "delegate", annotations={"conductor": True})
    assert result(await run(rooms, "outer", left=50)) == {"n": 50}
    assert result(await run(rooms, "outer", left=51)) == {"error": "Too many actions in the composition."}


async def test_a_conductor_that_never_ends_is_ended(rooms: Rooms) -> None:
    await add_action(
        rooms, "c", "answer", annotations={"conductor": True}, parameters=(Parameter("answer", {"action": "inc"}),)
    )
    record = await run(rooms, "c")
    assert result(record) == {"error": "Too many actions in the composition."}
    assert len(record.raw_logs) == 50 + 101


# --- crashes ---


async def test_a_composition_that_had_begun_is_recorded_as_broken_off_and_nothing_is_left_open(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await add_action(rooms, "echo", "echo")
        await add_action(rooms, "sleep", "sleep")
        await add_sequence(rooms, "s", "echo", "sleep")
        activation_id = await invoke(rooms.platform, op_of(rooms.platform), named("s"), b"{}", blocking=False)
        while "guest/sleep" not in [each.target for each in await rooms.intents() if each.work]:
            await anyio.sleep(0.001)
        assert any(isinstance(each, Started) for each in await rooms.records())
    async with open_rooms(world) as rooms:
        assert await settle(rooms.platform) == (0, 2)
        record = await part(rooms, str(activation_id))
        assert "not run again" in result(record)["error"]
        assert len(rooms.platform.ledger.pending) == 0


async def test_a_composition_that_had_not_begun_runs_after_a_crash(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with open_rooms(world) as rooms:
        await add_action(rooms, "echo", "echo")
        await add_sequence(rooms, "s", "echo", "echo")
        op = op_of(rooms.platform)
        intent = work_intent(
            rooms.platform, op, Judged(Decision(True, "test"), 0, None), named("s"), payload=b'{"x":1}'
        )
        await rooms.platform.ledger.write(intent)
    async with open_rooms(world) as rooms:
        assert await settle(rooms.platform) == (1, 0)
        assert intent.activation_id is not None
        while not (record := await rooms.platform.activations.get("guest", intent.activation_id)):
            await anyio.sleep(0.001)
        assert result(record) == {"x": 1}
