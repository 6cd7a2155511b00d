"""Nothing happens that leaves no trace."""

import inspect
from contextlib import ExitStack
from string import Formatter

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowkit import full_disk
from rambla.domain import errors
from rambla.domain.access import Caller, Target
from rambla.domain.errors import NotFound, RamblaError, Refused, StorageFailed
from rambla.flow.guard import guarded
from rambla.policy import defaults
from rooms import Rooms, op_of

pytestmark = pytest.mark.anyio
MINE = Target("guest", "guest/a")


async def test_the_intent_is_on_disk_before_the_effect_and_the_outcome_before_the_answer(rooms: Rooms) -> None:
    async with guarded(rooms.platform, op_of(rooms.platform), "action:read", MINE) as intent:
        assert rooms.journal.durable_seq == rooms.journal.next_seq
        assert await rooms.intents() == [intent]
        assert not await rooms.outcomes()
    assert rooms.journal.durable_seq == rooms.journal.next_seq
    assert (await rooms.outcomes())[intent.id].status == "ok"
    assert len(rooms.platform.ledger.pending) == 0


async def test_what_cannot_be_written_down_does_not_happen(rooms: Rooms) -> None:
    happened = False
    with full_disk(), pytest.raises(StorageFailed, match="disk is full"):
        async with guarded(rooms.platform, op_of(rooms.platform), "action:delete", MINE):
            happened = True
    assert not happened
    assert await rooms.intents() == []
    assert len(rooms.platform.ledger.pending) == 0
    async with guarded(rooms.platform, op_of(rooms.platform), "action:delete", MINE):
        happened = True
    assert happened


async def test_an_outcome_that_cannot_be_written_is_told_and_settled_later(rooms: Rooms) -> None:
    with ExitStack() as disk, pytest.raises(StorageFailed):
        async with guarded(rooms.platform, op_of(rooms.platform), "action:delete", MINE) as intent:
            disk.enter_context(full_disk())
    assert [left for left, _ in rooms.platform.ledger.pending.left_open()] == [intent]


async def test_a_refusal_is_on_record_with_its_rule_and_nothing_happens(rooms: Rooms) -> None:
    stranger = op_of(rooms.platform, "other")
    with pytest.raises(Refused, match="'guest/a'"):
        async with guarded(rooms.platform, stranger, "action:read", MINE):
            raise AssertionError
    (intent,) = await rooms.intents()
    assert (intent.allowed, intent.rule, intent.subject, intent.namespace, intent.target) == (
        False,
        "defaults/deny",
        "other",
        "guest",
        "guest/a",
    )
    assert len(rooms.platform.ledger.pending) == 0


KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RamblaError)),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_error_is_the_outcome_by_its_code(rooms: Rooms, kind: type[RamblaError]) -> None:
    facts = dict.fromkeys(field for _, field, _, _ in Formatter().parse(inspect.cleandoc(kind.__doc__ or "")) if field)
    with pytest.raises(kind):
        async with guarded(rooms.platform, op_of(rooms.platform), "action:read", MINE) as intent:
            raise kind(**facts)
    assert (await rooms.outcomes())[intent.id].status == kind.code


async def test_a_fault_of_ours_and_a_cancelled_caller_leave_an_outcome_too(rooms: Rooms) -> None:
    with pytest.raises(ZeroDivisionError):
        async with guarded(rooms.platform, op_of(rooms.platform), "action:read", MINE) as broken:
            raise ZeroDivisionError
    with anyio.move_on_after(0):
        async with guarded(rooms.platform, op_of(rooms.platform), "action:read", MINE) as early:
            await anyio.sleep(1)
    with anyio.CancelScope() as scope:
        async with guarded(rooms.platform, op_of(rooms.platform), "action:read", MINE) as late:
            scope.cancel()
            await anyio.sleep(1)
    outcomes = await rooms.outcomes()
    assert {outcomes[intent.id].status for intent in (broken, early, late)} == {"interrupted"}
    assert len(await rooms.intents()) == 3


async def test_guards_inside_guards_each_leave_their_own_record(rooms: Rooms) -> None:
    platform = rooms.platform

    async def write_a_rule() -> None:
        async with guarded(platform, op_of(platform), "rule:write", MINE):
            async with guarded(platform, op_of(platform), "action:read", MINE):
                pass
            raise NotFound

    with pytest.raises(NotFound):
        await write_a_rule()
    outcomes = await rooms.outcomes()
    written = [(intent.permission, outcomes[intent.id].status) for intent in await rooms.intents()]
    assert written == [("rule:write", "not_found"), ("action:read", "ok")]


POLICY = defaults.policy()
NAMES = st.sampled_from(["guest", "other", ""])
PERMISSIONS = st.sampled_from(["action:read", "namespace:create", "trigger:deliver", "package:list", "object:write"])
SOURCES = st.sampled_from(["key", "event-source", "operator", "platform"])


@given(subject=NAMES, own=NAMES, asked=NAMES, permission=PERMISSIONS, source=SOURCES)
def test_nobody_but_its_owner_gets_into_a_namespace(
    subject: str, own: str, asked: str, permission: str, source: str
) -> None:
    caller = Caller(subject=subject, namespace=own, source=source)  # type: ignore[arg-type]  # sampled
    target = defaults.attributes(Target(asked, f"{asked}/x"))
    decision = POLICY.decide(defaults.credentials(caller), permission, target)
    if decision.allowed and permission in ("action:read", "object:write"):
        assert own == asked != ""
        assert source in ("key", "platform")
