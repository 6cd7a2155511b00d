"""What a rule leaves to somebody outside is asked, and no answer is a no that says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from rambla.domain.access import Caller, Decision, Target
from rambla.domain.errors import BrokenPolicy, Refused
from rambla.drivers.memory.enforcer import MemoryEnforcer
from rambla.enforcers.asking import Asking, Terms
from rambla.enforcers.panel import Panel
from rambla.flow.consult import QUESTIONS_MAX, TOO_MANY
from rambla.flow.decide import decide
from rambla.flow.guard import guarded
from rambla.flow.platform import Op
from rambla.kit.clock import Clock
from rambla.kit.tasks import Tasks
from rambla.policy import defaults
from rambla.policy.language import layers
from rambla.policy.policies import InForce, Policies
from rambla.policy.ports import NOBODY
from rambla.policy.problems import Place, problems_of
from rooms import Rooms, open_rooms

ALICE, BOB = (Caller(name, "", "key") for name in ("alice", "bob"))
TARGET = Target("guest", "guest/a")
URL = "https://pdp.example"
TERMS = Terms(timeout_ms=50, yes_ms=1000, no_ms=1000, pause_ms=1000)
SITE = f"""
layer: site
rules:
  a:both:    ask staff and ask directory:ops
  a:either:  ask staff or ask directory:ops
  a:not:     not ask staff
  a:unless:  {{allow: everybody, deny: ask staff}}
  a:first:   caller.subject == "alice" or ask staff
  a:target:  ask "directory:%(namespace)s"
  a:nobody:  nobody and ask staff
  a:url:     ask "{URL}/%(name)s"
"""


class Outside:
    """Enforcers by name and by URL, and the platform that asks them."""

    def __init__(self) -> None:
        self.staff, self.directory, self.url = (MemoryEnforcer(name) for name in ("staff", "directory", URL))
        self.rooms: Rooms

    def panel(self, clock: Clock, tasks: Tasks) -> Panel:
        def asking(enforcer: MemoryEnforcer) -> Asking:
            return Asking(enforcer.name, enforcer, TERMS, clock, tasks)

        def open_origin(origin: str) -> Asking:
            assert origin == URL
            return asking(self.url)

        return Panel({each.name: asking(each) for each in (self.staff, self.directory)}, open_origin)

    def use(self, text: str) -> None:
        platform, read = self.rooms.platform, [layers.read(text, "site.yaml")]
        platform.policy.take(InForce(Policies(defaults.policy(read, platform.enforcers)), 1))

    async def decide(self, permission: str, caller: Caller = ALICE) -> Decision:
        return (await decide(self.rooms.platform, caller, permission, TARGET)).decision

    @property
    def asked(self) -> list[object]:
        return [*self.staff.asked, *self.directory.asked, *self.url.asked]


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    found = Outside()
    async with open_rooms(tmp_path, enforcers=found.panel) as found.rooms:
        found.use(SITE)
        yield found


@pytest.mark.parametrize(
    ("permission", "staff", "directory", "allowed", "asked"),
    [
        ("a:both", ["alice"], ["alice ops"], True, ["alice", "alice ops"]),
        ("a:both", ["alice"], [], False, ["alice", "alice ops"]),
        ("a:both", [], ["alice ops"], False, ["alice"]),
        ("a:either", ["alice"], [], True, ["alice"]),
        ("a:either", [], ["alice ops"], True, ["alice", "alice ops"]),
        ("a:either", [], [], False, ["alice", "alice ops"]),
        ("a:not", [], [], True, ["alice"]),
        ("a:not", ["alice"], [], False, ["alice"]),
        ("a:unless", [], [], True, ["alice"]),
        ("a:unless", ["alice"], [], False, ["alice"]),
        ("a:first", [], [], True, []),
        ("a:target", [], ["alice guest"], True, ["alice guest"]),
        ("a:nobody", ["alice"], [], False, []),
    ],
)
async def test_those_are_asked_whose_answer_is_needed_in_the_order_of_the_rule(
    outside: Outside, permission: str, staff: list[str], directory: list[str], allowed: bool, asked: list[str]
) -> None:
    outside.staff.yes, outside.directory.yes = set(staff), set(directory)
    decision = await outside.decide(permission)
    assert decision.allowed is allowed
    assert decision.reason == ""
    assert outside.asked == asked
    assert await outside.decide(permission) == decision
    assert outside.asked == asked, "the second time all is remembered"


async def test_a_url_is_asked_with_what_is_filled_in(outside: Outside) -> None:
    outside.url.yes = {f"alice {URL}/guest/a"}
    assert (await outside.decide("a:url")).allowed
    assert not (await outside.decide("a:url", BOB)).allowed


@pytest.mark.parametrize("permission", ["a:both", "a:either", "a:not", "a:unless", "a:first"])
@pytest.mark.parametrize("how", ["stopped", "away"])
async def test_no_answer_denies_and_says_who_gave_none(outside: Outside, permission: str, how: str) -> None:
    outside.staff.yes, outside.directory.yes = {"bob"}, {"bob ops"}
    outside.staff.stop() if how == "stopped" else setattr(outside.staff, "away", True)
    decision = await outside.decide(permission, BOB)
    reason = "it did not answer within 50 ms" if how == "stopped" else "it is not there"
    assert decision == Decision(False, "enforcer/staff", reason=reason)
    for number in range(50):
        again = await outside.decide(permission, Caller(f"nobody{number}", "", "key"))
        assert (again.allowed, again.rule) == (False, "enforcer/staff")
        assert again.reason == f"{reason}; it is asked again after 1000 ms"
    assert outside.asked == ["bob"], "one question finds out for all"


async def test_it_decides_again_as_soon_as_it_answers_again(outside: Outside) -> None:
    outside.staff.yes = {"alice"}
    outside.staff.away = True
    assert not (await outside.decide("a:not")).allowed
    outside.staff.away = False
    assert not (await outside.decide("a:either")).allowed, "the pause is not over"
    outside.rooms.world.clock.advance(1000)
    assert (await outside.decide("a:either")).allowed


async def test_an_answer_that_holds_for_no_time_counts_for_the_decision_it_was_asked_for(outside: Outside) -> None:
    outside.staff.yes, outside.directory.yes = {"alice"}, {"alice ops"}

    async def as_time_passes(wording: object) -> bool:
        outside.rooms.world.clock.advance(5000)
        return True

    outside.directory.says_yes = as_time_passes  # type: ignore[method-assign]
    assert (await outside.decide("a:both")).allowed
    assert outside.staff.asked == ["alice"]


async def test_a_decision_asks_a_bounded_number_of_questions(outside: Outside) -> None:
    asks = " or ".join(f"ask staff:{number}" for number in range(QUESTIONS_MAX + 1))
    outside.use(f"layer: site\nrules: {{a:many: '{asks}'}}")
    assert await outside.decide("a:many") == TOO_MANY
    assert len(outside.asked) == QUESTIONS_MAX


async def test_a_policy_that_takes_over_while_somebody_is_asked_decides_the_next_request(outside: Outside) -> None:
    outside.staff.yes = {"alice"}
    decisions: list[Decision] = []

    async def ask() -> None:
        decisions.append(await outside.decide("a:either"))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        while not outside.staff.asked:
            await anyio.lowlevel.checkpoint()
            outside.use("layer: site\nrules: {a:either: nobody}")
    assert decisions[0].allowed
    assert not (await outside.decide("a:either")).allowed


async def test_a_refusal_is_written_down_and_told_with_its_reason(outside: Outside) -> None:
    outside.staff.away = True
    op = Op("1", ALICE)
    with pytest.raises(Refused) as refused:
        async with guarded(outside.rooms.platform, op, "a:both", TARGET):
            raise AssertionError("it must not happen")
    assert refused.value.facts["rule"] == "enforcer/staff"
    assert refused.value.facts["reason"] == "it is not there"
    (intent,) = await outside.rooms.intents()
    assert (intent.allowed, intent.rule, intent.subject) == (False, "enforcer/staff", "alice")


@pytest.mark.parametrize(
    ("condition", "column", "fix"),
    [
        ("ask staf", 12, "perhaps 'staff' is meant"),
        ("member and ask other:group", 23, "add [enforcers.other] to the settings"),
        ("ask '%(name)s:group'", 13, "add [enforcers.%(name)s] to the settings"),
        ("ask 'https://%(name)s/x'", 13, "write the host itself, and what is filled in behind it"),
        ("ask 'https://user:word@pdp.example/x'", 13, "write the host itself, and what is filled in behind it"),
        ("ask 'https://'", 13, "write the host itself, and what is filled in behind it"),
    ],
)
async def test_who_cannot_be_asked_is_a_problem_when_the_policy_is_read(
    outside: Outside, condition: str, column: int, fix: str
) -> None:
    read = [layers.read(f"layer: site\nrules:\n  a:x: {condition}", "site.yaml")]
    with pytest.raises(BrokenPolicy) as caught:
        defaults.policy(read, outside.rooms.platform.enforcers)
    (problem,) = problems_of(caught.value)
    assert (problem.place, problem.fix) == (Place("site.yaml", 3, column), fix)


def test_where_nobody_may_be_asked_no_rule_asks() -> None:
    with pytest.raises(BrokenPolicy):
        defaults.policy([layers.read("layer: site\nrules: {a:x: ask staff}", "site.yaml")], NOBODY)
