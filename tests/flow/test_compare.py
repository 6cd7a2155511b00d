"""Another policy decides in the shadow, or over what the journal tells, and changes nothing."""

import pytest

from flowkit import add_action, named
from rambla.domain.access import Caller, Decision, Target
from rambla.domain.errors import BadPolicy, BadRequest, NotFound, Refused
from rambla.flow import bundles, compare, read
from rambla.flow.platform import Op, Platform
from rambla.policy import accept, comparison
from rambla.policy.ports import NOBODY
from rooms import Rooms, op_of

pytestmark = pytest.mark.anyio
STRICTER = {"site.yaml": 'layer: site\nrules:\n  action:read: {mode: extend, deny: caller.source == "key"}\n'}
OPERATOR = Caller("operator", "", "operator")


def op(platform: Platform) -> Op:
    return Op(platform.ids.next(), OPERATOR)


async def look(rooms: Rooms, times: int = 1, namespace: str = "guest") -> None:
    for _ in range(times):
        await read.action(rooms.platform, op_of(rooms.platform, namespace), named("a", namespace))


async def test_in_the_shadow_a_policy_changes_nothing_and_its_differences_are_counted(rooms: Rooms) -> None:
    platform = rooms.platform
    await add_action(rooms)
    await look(rooms)
    await compare.start_shadow(platform, op(platform), STRICTER, "stricter")
    await look(rooms, 3)
    found = await compare.stop_shadow(platform, op(platform))
    ((one, times),) = found.times.items()
    assert (times, found.differing, found.name) == (3, 3, "stricter")
    assert (one.subject, one.permission, one.namespace, one.allowed) == ("guest", "action:read", "guest", False)
    assert (one.was, one.now) == ("defaults/owner", "site/action:read")
    assert found.asked > found.differing
    assert len(found.recent) == 3
    await look(rooms)
    assert found.differing == 3, "stopped is stopped"
    with pytest.raises(NotFound):
        await compare.shadow(platform, op(platform))


async def test_what_would_be_allowed_is_a_difference_too(rooms: Rooms) -> None:
    platform = rooms.platform
    await add_action(rooms)
    await bundles.publish(platform, op(platform), bundles.draft(STRICTER, ""))
    await compare.start_shadow(platform, op(platform), {}, "defaults")
    with pytest.raises(Refused):
        await look(rooms)
    (one,) = (await compare.shadow(platform, op(platform))).times
    assert one.allowed


async def test_the_journal_tells_which_calls_would_be_decided_otherwise(rooms: Rooms) -> None:
    platform = rooms.platform
    await add_action(rooms)
    await look(rooms, 5)
    rooms.world.clock.advance(3 * compare.DAY_MS)
    await look(rooms, 2)
    await rooms.journal.sync()
    lately = await compare.replay(platform, op(platform), STRICTER, 1)
    assert lately.differing == 2
    all_of_them = await compare.replay(platform, op(platform), STRICTER, 4)
    assert list(all_of_them.times.values()) == [7]
    assert (await compare.replay(platform, op(platform), {}, 4)).differing == 0
    assert platform.policy.number == 0


async def test_the_journal_is_searched_by_time_however_long_it_is(rooms: Rooms) -> None:
    platform = rooms.platform
    for _ in range(40):
        with pytest.raises(NotFound):
            await read.action(platform, op_of(platform), named("absent"))
        rooms.world.clock.advance(compare.DAY_MS // 10)
    await rooms.journal.sync()
    assert (await compare.replay(platform, op(platform), STRICTER, 1)).differing == 10
    assert (await compare.replay(platform, op(platform), STRICTER, 366)).differing == 40


async def test_only_who_may_compares(rooms: Rooms) -> None:
    platform = rooms.platform
    for asks in (
        compare.start_shadow(platform, op_of(platform), {}, ""),
        compare.shadow(platform, op_of(platform)),
        compare.stop_shadow(platform, op_of(platform)),
        compare.replay(platform, op_of(platform), {}, 1),
    ):
        with pytest.raises(Refused):
            await asks


async def test_what_is_broken_does_not_decide_in_the_shadow_either(rooms: Rooms) -> None:
    platform = rooms.platform
    with pytest.raises(BadPolicy):
        await compare.start_shadow(platform, op(platform), {"x.yaml": "["}, "")
    with pytest.raises(BadRequest):
        await compare.start_shadow(platform, op(platform), {"../x": ""}, "")
    assert platform.policy.shadow is None


def test_what_is_kept_is_bounded_and_what_is_beyond_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "GROUPS_MAX", 3)
    found = comparison.Comparison(accept.compiled([], NOBODY).own, "x", 0)
    for number in range(2 * comparison.RECENT_MAX):
        caller = Caller(f"guest{number % 5}", "guest", "key")
        found.see(number, caller, "action:read", Target("guest", "guest/a"), Decision(False, "x"))
    assert (found.asked, found.differing) == (2 * comparison.RECENT_MAX, 2 * comparison.RECENT_MAX)
    assert len(found.times) == 3
    assert sum(found.times.values()) + found.uncounted == found.differing
    assert [at_ms for at_ms, _ in found.recent] == [*range(comparison.RECENT_MAX, 2 * comparison.RECENT_MAX)]
