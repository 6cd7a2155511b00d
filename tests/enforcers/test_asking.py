"""One enforcer is asked once for the same, remembered for a stated time, and left alone while it is away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import msgspec
import pytest

from rambla.domain.access import Question
from rambla.domain.errors import EnforcerAway, NoAnswer
from rambla.drivers.memory.enforcer import MemoryEnforcer
from rambla.enforcers.asking import Asking, Terms
from rambla.kit.clock import ManualClock
from rambla.kit.tasks import Tasks
from rambla.testing.enforcer import question

TERMS = Terms(timeout_ms=50, yes_ms=1000, no_ms=100, pause_ms=500, questions_max=3, answers_max=4)


PATIENT = msgspec.structs.replace(TERMS, timeout_ms=30_000)


class Fixture:
    def __init__(self, tasks: Tasks, terms: Terms = TERMS) -> None:
        self.clock = ManualClock()
        self.enforcer = MemoryEnforcer("staff", ["alice"])
        self.asking = Asking("staff", self.enforcer, terms, self.clock, tasks)

    def answers_by(self, says_yes: Callable[[Any], Awaitable[Any]]) -> None:
        """From now on the driver is one that breaks its contract, which no real one may."""
        self.enforcer.says_yes = says_yes  # type: ignore[method-assign]  # that is the fault

    async def ask(self, subject: str = "alice") -> bool:
        return await self.asking.ask(question(subject), "")

    async def reason(self, subject: str = "alice") -> str:
        with pytest.raises(NoAnswer) as raised:
            await self.ask(subject)
        return str(raised.value.facts["detail"])


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as tasks:
        yield tasks
        tasks.stop()


@pytest.fixture
def staff(tasks: Tasks) -> Fixture:
    return Fixture(tasks)


async def test_yes_and_no_are_remembered_each_for_its_own_time(staff: Fixture) -> None:
    assert await staff.ask("alice")
    assert not await staff.ask("bob")
    staff.clock.advance(99)
    assert await staff.ask("alice")
    assert not await staff.ask("bob")
    assert staff.enforcer.asked == ["alice", "bob"]
    staff.enforcer.yes = {"bob"}
    staff.clock.advance(1)
    assert await staff.ask("bob"), "its no was good for 100 ms"
    staff.clock.advance(899)
    assert await staff.ask("alice"), "its yes is good for 1000 ms"
    staff.clock.advance(1)
    assert not await staff.ask("alice")
    assert staff.asking.health() == {"state": "answers", "asked": 4, "remembered": 3, "failed": 0}


async def test_an_answer_holds_from_when_the_question_was_put(tasks: Tasks) -> None:
    staff = Fixture(tasks, PATIENT)
    staff.enforcer.stop()
    async with anyio.create_task_group() as group:
        group.start_soon(staff.ask)
        await anyio.wait_all_tasks_blocked()
        staff.clock.advance(999)
        staff.enforcer.go_on()
    assert staff.asking.recall(question("alice"), "") is True
    staff.clock.advance(1)
    assert staff.asking.recall(question("alice"), "") is None


async def test_answers_that_are_remembered_have_a_bound(staff: Fixture) -> None:
    for name in "abcde":
        await staff.ask(name)
    assert [staff.asking.recall(question(name), "") for name in "abcde"] == [None, False, False, False, False]


async def test_with_no_time_to_hold_every_question_is_put(tasks: Tasks) -> None:
    staff = Fixture(tasks, Terms(yes_ms=0, no_ms=0))
    assert [await staff.ask(), await staff.ask()] == [True, True]
    assert len(staff.enforcer.asked) == 2


async def test_the_same_question_by_many_is_put_once(staff: Fixture) -> None:
    answers: list[bool] = []

    async def ask() -> None:
        answers.append(await staff.ask())

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(ask)
    assert answers == [True] * 100
    assert staff.enforcer.asked == ["alice"]


async def test_a_question_goes_on_when_the_first_who_asked_has_gone(tasks: Tasks) -> None:
    staff = Fixture(tasks, PATIENT)
    staff.enforcer.stop()
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as first:
            group.start_soon(staff.ask)
            await anyio.wait_all_tasks_blocked()
            first.cancel()
        staff.enforcer.go_on()
    assert await staff.ask()
    assert staff.enforcer.asked == ["alice"]


async def test_who_does_not_answer_costs_one_time_out_per_pause(staff: Fixture) -> None:
    staff.enforcer.stop()
    assert await staff.reason() == "it did not answer within 50 ms"
    for number in range(100):
        assert "asked again after 500 ms" in await staff.reason(f"nobody{number}")
    assert staff.enforcer.asked == ["alice"]
    staff.clock.advance(500)
    assert await staff.reason() == "it did not answer within 50 ms"
    assert "asked again after 500 ms" in await staff.reason("bob")
    assert len(staff.enforcer.asked) == 2
    assert staff.asking.health() == {
        "state": "away",
        "reason": "it did not answer within 50 ms",
        "asked": 2,
        "remembered": 0,
        "failed": 2,
    }
    staff.enforcer.go_on()
    staff.clock.advance(500)
    assert await staff.ask()
    assert not await staff.ask("bob")
    assert staff.asking.health()["state"] == "answers"


async def test_while_one_finds_out_whether_it_is_back_the_others_do_not_wait(tasks: Tasks) -> None:
    staff = Fixture(tasks, PATIENT)
    staff.enforcer.away = True
    assert await staff.reason() == "it is not there"
    staff.clock.advance(500)
    staff.enforcer.stop()
    async with anyio.create_task_group() as group:
        group.start_soon(staff.reason)
        await anyio.wait_all_tasks_blocked()
        assert "asked again" in await staff.reason("bob")
        assert staff.enforcer.asked == ["alice", "alice"]
        staff.enforcer.go_on()


async def test_answers_hold_their_time_while_the_enforcer_is_away(staff: Fixture) -> None:
    assert await staff.ask("alice")
    staff.enforcer.away = True
    await staff.reason("bob")
    assert await staff.ask("alice")
    staff.clock.advance(1000)
    assert await staff.reason("alice") == "it is not there"


async def test_what_is_no_answer_is_not_remembered_and_keeps_nobody_else_from_asking(tasks: Tasks) -> None:
    staff = Fixture(tasks)

    async def malformed(wording: Any) -> bool:
        if wording == "bob":
            raise NoAnswer(enforcer="staff", detail="its answer is malformed")
        return True

    staff.answers_by(malformed)
    assert await staff.reason("bob") == "its answer is malformed"
    assert staff.asking.health()["state"] == "answers wrongly"
    assert await staff.ask("alice")
    assert await staff.reason("bob") == "its answer is malformed"


@pytest.mark.parametrize("answer", [None, 1, "True", {"result": True}, [True]])
async def test_nothing_but_true_is_a_yes(tasks: Tasks, answer: object) -> None:
    staff = Fixture(tasks)

    async def answering(wording: Any) -> Any:
        return answer

    staff.answers_by(answering)
    assert not await staff.ask()


async def test_a_drivers_mistake_is_no_answer_and_its_text_is_told_to_nobody(
    staff: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    async def mistaken(wording: Any) -> bool:
        raise ValueError("password=geheim")

    staff.answers_by(mistaken)
    assert await staff.reason() == "its driver failed"
    assert "geheim" not in caplog.text


async def test_no_more_questions_are_put_at_once_than_is_said(tasks: Tasks) -> None:
    staff = Fixture(tasks, PATIENT)
    staff.enforcer.stop()
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(staff.ask, f"nobody{number}")
        await anyio.wait_all_tasks_blocked()
        assert await staff.reason() == "3 questions wait for it already"
        staff.enforcer.go_on()


async def test_nobody_waits_for_a_driver_that_cannot_be_cancelled(staff: Fixture) -> None:
    released = anyio.Event()

    async def deaf(wording: Any) -> bool:
        with anyio.CancelScope(shield=True):
            await released.wait()
        return True

    staff.answers_by(deaf)
    assert await staff.reason() == "it did not answer within 50 ms"
    assert "asked again" in await staff.reason()
    released.set()
    await anyio.wait_all_tasks_blocked()
    assert "asked again" in await staff.reason(), "what comes too late is none"
    staff.clock.advance(500)
    assert await staff.ask()


async def test_one_who_is_away_is_told_of_once(staff: Fixture, caplog: pytest.LogCaptureFixture) -> None:
    staff.enforcer.away = True
    for _ in range(3):
        with pytest.raises(EnforcerAway):
            await staff.ask()
        staff.clock.advance(500)
    assert [record.message for record in caplog.records] == ["The enforcer 'staff' gave no answer: it is not there"]


async def test_what_cannot_be_asked_is_refused_before_anybody_waits(staff: Fixture) -> None:
    for name in ("", "a\0b", "x" * 1001):
        assert await staff.reason(name) == "it cannot be asked about this 'subject'"
    with pytest.raises(NoAnswer):
        await staff.asking.ask(Question("staff", "x", {"subject": ["alice"]}, {}), "")
    assert staff.enforcer.asked == []
