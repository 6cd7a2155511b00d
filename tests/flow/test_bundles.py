"""The policy changes by bundles: judged, written down, compiled aside, signed, stored, and then in force at once."""

import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from flowkit import add_action, full_disk, named
from rambla.domain.access import Caller
from rambla.domain.errors import (
    BadPolicy,
    BadRequest,
    BrokenPolicy,
    ConcurrentChange,
    LockedOut,
    NotFound,
    RamblaError,
    Refused,
    StorageFailed,
)
from rambla.drivers.ed25519.signer import PRIVATE, TRUSTED, FileSigner
from rambla.drivers.files.last_bundle import NAME
from rambla.drivers.memory.bundles import MemoryBundleStore
from rambla.flow import bundles, read, tend
from rambla.flow.platform import Op, Platform
from rambla.policy.bundle import Bundle, File, hash_of, payload
from rooms import Rooms, World, op_of, open_rooms

pytestmark = pytest.mark.anyio
NOBODY_READS = {"site.yaml": 'layer: site\nrules:\n  action:read: {mode: extend, deny: caller.source == "key"}\n'}
LOCKS_OUT = {"site.yaml": "layer: site\nrules:\n  policy:publish: nobody\n"}
OPERATOR = Caller("operator", "", "operator")
ADMIN = Caller("ada", "", "key", ("policy-admin",))


def op(platform: Platform, caller: Caller = OPERATOR) -> Op:
    return Op(platform.ids.next(), caller)


async def publish(platform: Platform, files: dict[str, str] = NOBODY_READS, **wish: Any) -> Bundle:
    return await bundles.publish(platform, op(platform), bundles.draft(files, wish.pop("note", ""), **wish))


async def may_read(rooms: Rooms) -> bool:
    try:
        await read.action(rooms.platform, op_of(rooms.platform), named("a"))
        return True
    except Refused:
        return False


@pytest.fixture
async def published(rooms: Rooms) -> Bundle:
    await add_action(rooms)
    assert await may_read(rooms)
    return await publish(rooms.platform, note="nobody reads")


@asynccontextmanager
async def again(rooms: Rooms) -> AsyncIterator[Platform]:
    """Another node on the same store, with the same keys and a journal of its own."""
    folder = rooms.world.folder
    world = World(folder / "node")
    world.folder.mkdir()
    for name in (PRIVATE, TRUSTED):
        shutil.copy(folder / name, world.folder / name)
    world.bundles = rooms.world.bundles
    async with open_rooms(world) as node:
        yield node.platform


async def forge(platform: Platform, signer: FileSigner | None = None, **changes: Any) -> None:
    """A bundle that somebody wrote into the store without asking."""
    number = await platform.bundles.newest() + 1
    files = (File("site.yaml", "layer: site\n"),)
    fields = {"number": number, "at_ms": 1, "author": "eve", "note": "", "hash": hash_of(files), "files": files}
    bundle = Bundle(**{**fields, **changes})
    if signer:
        key, signature = signer.sign(payload(bundle))
        bundle = msgspec.structs.replace(bundle, key=key, signature=signature)
    await platform.bundles.append(bundle)


async def test_what_is_published_decides_from_then_on_and_names_its_bundle_in_the_journal(
    rooms: Rooms, published: Bundle
) -> None:
    assert not await may_read(rooms)
    assert (published.number, published.author, published.note) == (1, "operator", "nobody reads")
    refused = (await rooms.intents())[-1]
    assert (refused.permission, refused.allowed, refused.bundle) == ("action:read", False, 1)


async def test_the_change_is_written_down_with_number_and_hash_before_it_is_stored(
    rooms: Rooms, published: Bundle
) -> None:
    (intent,) = [one for one in await rooms.intents() if one.permission == "policy:publish"]
    assert intent.target == f"policy/1/{published.hash}"
    assert (intent.subject, intent.bundle) == ("operator", 0)
    assert (await rooms.outcomes())[intent.id].status == "ok"
    with full_disk(), pytest.raises(StorageFailed):
        await publish(rooms.platform, {})
    assert await rooms.platform.bundles.newest() == 1
    assert not await may_read(rooms)


async def test_who_may_not_publish_is_refused_by_a_rule_with_a_name(rooms: Rooms, published: Bundle) -> None:
    platform = rooms.platform
    draft = bundles.draft({}, "")
    for asks in (
        bundles.publish(platform, op_of(platform), draft),
        bundles.rollback(platform, op_of(platform), 0),
        bundles.rollback(platform, op_of(platform), 99),
        bundles.history(platform, op_of(platform), skip=0, limit=1),
        bundles.show(platform, op_of(platform), 1),
        bundles.keys(platform, op_of(platform)),
        bundles.rotate_key(platform, op_of(platform)),
        bundles.trust_key(platform, op_of(platform), "0" * 64),
    ):
        with pytest.raises(Refused) as caught:
            await asks
        assert caught.value.facts["rule"]
    assert platform.policy.number == 1


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_is_broken_is_refused_with_place_and_fix_and_changes_nothing(
    rooms: Rooms, published: Bundle, dry_run: bool
) -> None:
    with pytest.raises(BadPolicy, match=r"a\.yaml:3:17: .*Fix: ") as caught:
        await publish(rooms.platform, {"a.yaml": "layer: site\nrules:\n  x:y: admin and\n"}, dry_run=dry_run)
    assert caught.value.fault == "caller"
    assert rooms.platform.policy.number == await rooms.platform.bundles.newest() == 1
    outcomes = await rooms.outcomes()
    assert outcomes[(await rooms.intents())[-1].id].status == "bad_policy"


async def test_a_dry_run_changes_nothing(rooms: Rooms, published: Bundle) -> None:
    tried = await publish(rooms.platform, {}, dry_run=True)
    assert tried.number == 2
    assert rooms.platform.policy.number == await rooms.platform.bundles.newest() == 1


async def test_nobody_locks_themselves_out_by_accident(rooms: Rooms) -> None:
    with pytest.raises(LockedOut, match="--force") as caught:
        await publish(rooms.platform, {"site.yaml": LOCKS_OUT["site.yaml"]})
    assert "deny" in str(caught.value)
    await bundles.publish(rooms.platform, op(rooms.platform, ADMIN), bundles.draft(LOCKS_OUT, ""))
    with pytest.raises(Refused):
        await publish(rooms.platform, {})
    assert await rooms.platform.bundles.newest() == 1


async def test_with_force_they_may(rooms: Rooms) -> None:
    await publish(rooms.platform, LOCKS_OUT, force=True)
    with pytest.raises(Refused):
        await publish(rooms.platform, {})


async def test_a_rollback_is_a_new_bundle_with_the_old_files(rooms: Rooms, published: Bundle) -> None:
    platform = rooms.platform
    assert (await bundles.rollback(platform, op(platform), 0)).number == 2
    assert await may_read(rooms)
    again = await bundles.rollback(platform, op(platform), 1)
    assert (again.number, again.hash, again.note) == (3, published.hash, "rollback to 1")
    assert not await may_read(rooms)
    told = await bundles.history(platform, op(platform), skip=1, limit=9)
    assert [(one.number, one.files) for one in told] == [(2, ()), (1, ())]
    assert (await bundles.show(platform, op(platform), 3)).files == (
        await bundles.show(platform, op(platform), 1)
    ).files
    for number in (4, 10**18):
        with pytest.raises(NotFound):
            await bundles.rollback(platform, op(platform), number)


async def test_nothing_forged_is_signed_by_rolling_back_to_it(rooms: Rooms, published: Bundle) -> None:
    await forge(rooms.platform)
    with pytest.raises(BadPolicy, match="not signed"):
        await bundles.rollback(rooms.platform, op(rooms.platform), 2)


async def test_of_several_who_publish_at_once_one_gets_the_number_and_the_others_hear_of_a_conflict(
    rooms: Rooms,
) -> None:
    outcomes: list[object] = []

    async def attempt(number: int) -> None:
        try:
            outcomes.append(await publish(rooms.platform, note=str(number)))
        except ConcurrentChange as error:
            outcomes.append(error)

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(attempt, number)
    winners = [one for one in outcomes if isinstance(one, Bundle)]
    assert [one.number for one in winners] == [*range(1, len(winners) + 1)]
    assert len(winners) < len(outcomes) == 5
    assert rooms.platform.policy.number == len(winners)


async def test_after_a_restart_the_newest_bundle_decides(rooms: Rooms, published: Bundle) -> None:
    async with again(rooms) as platform:
        assert platform.policy.number == 0
        await bundles.reload(platform)
        assert platform.policy.number == 1
        assert not platform.policy.problems


@pytest.mark.parametrize(
    "forgery",
    [
        {},
        {"key": "0" * 64, "signature": b"\0" * 64},
        {"hash": "0" * 64},
        {"files": (File("x.yaml", "["),)},
    ],
    ids=["unsigned", "signed-by-nobody", "other-hash", "broken"],
)
async def test_what_is_not_good_leaves_the_last_good_one_in_force_and_is_told_loudly(
    rooms: Rooms, published: Bundle, forgery: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await forge(rooms.platform, **forgery)
    with caplog.at_level(logging.ERROR):
        await bundles.reload(rooms.platform)
        await bundles.reload(rooms.platform)
    assert len([one for one in caplog.records if "policy 1 stays in force" in one.getMessage()]) == 1
    assert not await may_read(rooms)
    told = (await tend.status(rooms.platform, op(rooms.platform)))["policy"]
    assert told["bundle"] == 1
    assert "bundle 2" in told["problems"][0]
    async with again(rooms) as platform:
        await bundles.reload(platform)
        assert platform.policy.number == 1, "also for a node that starts now"
        assert platform.policy.problems
    await publish(rooms.platform, {})
    told = (await tend.status(rooms.platform, op(rooms.platform)))["policy"]
    assert (told["bundle"], told["newest"], told["problems"]) == (3, 3, "none")


async def test_what_another_node_signs_is_good_once_its_key_is_trusted(
    rooms: Rooms, published: Bundle, tmp_path: Path
) -> None:
    platform, other = rooms.platform, tmp_path / "other"
    other.mkdir()
    await forge(platform, FileSigner(other))
    await bundles.reload(platform)
    assert platform.policy.number == 1
    (key,) = FileSigner(other).keys()
    assert f"rambla policy key trust {key}" in str(platform.policy.problems[0])
    assert key in await bundles.trust_key(platform, op(platform), key)
    assert platform.policy.number == 2
    assert await may_read(rooms)
    with pytest.raises(BadRequest):
        await bundles.trust_key(platform, op(platform), "no key")


async def test_after_a_rotation_old_bundles_are_good_and_new_ones_have_the_new_key(
    rooms: Rooms, published: Bundle
) -> None:
    platform = rooms.platform
    trusted = await bundles.rotate_key(platform, op(platform))
    assert list(trusted.values()) == [1, None]
    assert (await bundles.rollback(platform, op(platform), 1)).key == list(trusted)[-1] != published.key


async def test_a_store_that_lost_bundles_loosens_nothing(rooms: Rooms, published: Bundle) -> None:
    object.__setattr__(rooms.platform, "bundles", MemoryBundleStore())
    await bundles.reload(rooms.platform)
    assert "the store ends at bundle 0" in str(rooms.platform.policy.problems[0])
    assert not await may_read(rooms)
    with pytest.raises(RamblaError):
        await publish(rooms.platform, {})


async def test_a_start_takes_what_was_in_force_before_whatever_became_of_the_store(
    rooms: Rooms, published: Bundle
) -> None:
    world = World(rooms.world.folder / "node")
    world.folder.mkdir()
    for name in (PRIVATE, TRUSTED, NAME):
        shutil.copy(rooms.world.folder / name, world.folder / name)
    async with open_rooms(world) as node:
        await bundles.take_last(node.platform)
        assert node.platform.policy.number == 1
        assert "delete policy.last" in str(node.platform.policy.problems[0])
    (world.folder / NAME).write_bytes((world.folder / NAME).read_bytes().replace(b"deny: caller", b"deny: target"))
    async with open_rooms(world) as node:
        await bundles.take_last(node.platform)
        assert node.platform.policy.number == 0, "what was changed is not taken from there either"
        with pytest.raises(BrokenPolicy, match="bundle 1"):
            bundles.refuse_none_good(node.platform)
        await publish(node.platform, {})
        bundles.refuse_none_good(node.platform)


async def test_where_nothing_was_published_the_platforms_own_rules_are_good(rooms: Rooms) -> None:
    await bundles.take_last(rooms.platform)
    bundles.refuse_none_good(rooms.platform)


async def test_nodes_look_for_what_others_published_again_and_again(rooms: Rooms, published: Bundle) -> None:
    async with again(rooms) as platform:
        platform.tasks.start("policy", bundles.follow_bundles, platform, 1)
        with anyio.fail_after(30):
            while platform.policy.number < 1:
                await anyio.sleep(0.001)
            await publish(rooms.platform, {})
            while platform.policy.number < 2:
                await anyio.sleep(0.001)
