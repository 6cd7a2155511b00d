"""Who changes the policy, and when does a change take effect?

A change is judged by the policy in force, written down with number and hash, compiled aside, signed and stored; only
then does it decide anything, in one step. Every node looks for what others published. What is broken or is not signed
by a trusted key leaves the last good policy in force, and `status` and the log say so.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import anyio
import msgspec

from rambla.domain.access import Caller, Target
from rambla.domain.errors import BadPolicy, BrokenPolicy, LockedOut, NotFound, StorageFailed
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Op, Platform
from rambla.policy import accept
from rambla.policy.bundle import FILES_BYTES_MAX as FILES_BYTES_MAX  # how much of a body `publish` takes
from rambla.policy.bundle import Bundle as Bundle  # what most of this gives
from rambla.policy.bundle import File, check_note, files_of, hash_of, payload
from rambla.policy.defaults import attributes, credentials
from rambla.policy.policies import InForce, Policies
from rambla.policy.policy import Policy
from rambla.policy.problems import Place, Problem, broken, problems_of

log = logging.getLogger(__name__)
PUBLISH = "policy:publish"
ROLLBACK = "policy:rollback"
READ = "policy:read"
POLICY = Target("", "policy")
TRIED_MAX = 100
FIX_LOST = "restore the database; or, to begin anew, delete policy.last in the data folder and start again"


class Draft(msgspec.Struct, frozen=True):
    """What somebody wants to put in force. With `force` even if they could not undo it; `dry_run` only tries."""

    files: tuple[File, ...]
    note: str = ""
    force: bool = False
    dry_run: bool = False


def draft(texts: Mapping[str, str], note: str, *, force: bool = False, dry_run: bool = False) -> Draft:
    """Raises BadRequest for what is beyond the bounds of a bundle."""
    return Draft(files_of(texts), check_note(note), force, dry_run)


async def publish(platform: Platform, op: Op, wanted: Draft) -> Bundle:
    """The new bundle, in force; or, in a dry run, what it would be.

    Raises BadPolicy with all that is wrong, LockedOut, or ConcurrentChange if somebody else was quicker.
    """
    return await _put_in_force(platform, op, PUBLISH, wanted)


async def rollback(platform: Platform, op: Op, number: int, *, force: bool = False) -> Bundle:
    """A new bundle with the files of that one, in force; 0 means the platform's own rules alone.

    Raises NotFound, and what `publish` does.
    """
    await judge(platform, op, ROLLBACK, POLICY)
    files: tuple[File, ...] = ()
    if number:
        found = await _existing(platform, number)
        if problem := accept.distrust(number, found, platform.signer):  # or it would be signed anew
            raise BadPolicy(problems=str(problem))
        files = found.files
    return await _put_in_force(platform, op, ROLLBACK, Draft(files, f"rollback to {number}", force))


async def history(platform: Platform, op: Op, *, skip: int, limit: int) -> list[Bundle]:
    """Bundles without their files, the newest first."""
    async with guarded(platform, op, READ, POLICY):
        newest = await platform.bundles.newest()
        return await platform.bundles.history(before=newest + 1 - skip, limit=limit)


async def show(platform: Platform, op: Op, number: int) -> Bundle:
    """Raises NotFound."""
    async with guarded(platform, op, READ, POLICY):
        return await _existing(platform, number)


async def keys(platform: Platform, op: Op) -> dict[str, int | None]:
    """As `Signer.keys` says."""
    async with guarded(platform, op, READ, POLICY):
        return platform.signer.keys()


async def rotate_key(platform: Platform, op: Op) -> dict[str, int | None]:
    """A new key signs from now on; what was signed before stays good."""
    async with guarded(platform, op, "policy:key", POLICY):
        newest = await platform.bundles.newest()
        await anyio.to_thread.run_sync(platform.signer.rotate, newest)
        return platform.signer.keys()


async def trust_key(platform: Platform, op: Op, key: str) -> dict[str, int | None]:
    """What another node signs is good here from now on. Raises BadRequest."""
    async with guarded(platform, op, "policy:key", Target("", f"policy/{key[:64]}")):
        await anyio.to_thread.run_sync(platform.signer.trust, key)
        platform.policy.seen = platform.policy.number  # what was not trusted may be so now
        await reload(platform)
        return platform.signer.keys()


async def follow_bundles(platform: Platform, every_ms: int) -> None:
    while True:
        await anyio.sleep(every_ms / 1000)
        await reload(platform)


async def take_last(platform: Platform) -> None:
    """At start: what was in force before, whatever became of the store since; then what the store has. Raises
    StorageFailed."""
    try:
        bundle = await anyio.to_thread.run_sync(platform.last_bundle.load)
        if bundle is not None:
            policies = await _accepted(platform, bundle.number, bundle)
            _put(platform, bundle, policies)
    except BrokenPolicy as error:
        _refuse(platform, 0, problems_of(error))
    await reload(platform)


def refuse_none_good(platform: Platform) -> None:
    """Where something was published and none of it is good, what it forbids must not happen. Raises BrokenPolicy."""
    holder = platform.policy
    if holder.problems and not holder.number:
        raise broken(holder.problems)


async def reload(platform: Platform) -> None:
    """See that the newest good bundle is in force. Raises StorageFailed."""
    holder, now_ms = platform.policy, platform.clock.now_ms()
    newest = await platform.bundles.newest()
    holder.looked_ms = now_ms
    if newest == holder.seen:
        return
    if newest < holder.number:
        detail = f"the store ends at bundle {newest}, and bundle {holder.number} is in force"
        _refuse(platform, newest, [Problem(Place("bundles"), detail, FIX_LOST)])
        return
    refused: list[Problem] = []
    for number in range(newest, max(holder.number, newest - TRIED_MAX), -1):
        problems = await _offer(platform, number)
        if not problems:
            break
        refused += problems
    if refused:
        _refuse(platform, newest, refused)
    else:
        holder.take(holder.in_force)


async def _put_in_force(platform: Platform, op: Op, permission: str, wanted: Draft) -> Bundle:
    newest = await platform.bundles.newest()
    if newest < platform.policy.number:
        raise StorageFailed(detail=f"bundles are lost: {newest} in the store, {platform.policy.number} in force")
    bundle = Bundle(
        number=newest + 1,
        at_ms=platform.clock.now_ms(),
        author=op.caller.subject,
        note=wanted.note,
        hash=hash_of(wanted.files),
        files=wanted.files,
    )
    target = Target("", f"policy/{'dry-run' if wanted.dry_run else bundle.number}/{bundle.hash}")
    async with guarded(platform, op, permission, target):
        policies = await compiled(platform, wanted.files)
        if not wanted.force:
            _refuse_lockout(policies.own, op.caller)
        if wanted.dry_run:
            return bundle
        bundle = _signed(platform, bundle)
        await platform.bundles.append(bundle)
        platform.policy.looked_ms = bundle.at_ms
        # A stop from here on is repaired by the next start, which takes the newest bundle in the store.
        await _take(platform, bundle, policies)
    return bundle


async def compiled(platform: Platform, files: Iterable[File]) -> Policies:
    """The policies that these files would be, made aside. Raises BadPolicy."""
    make = partial(accept.compiled, files, platform.enforcers)
    try:
        return await anyio.to_thread.run_sync(make)
    except BrokenPolicy as error:
        raise BadPolicy(**error.facts) from error


def _refuse_lockout(policy: Policy, caller: Caller) -> None:
    decision = policy.decide(credentials(caller), PUBLISH, attributes(POLICY))
    if not decision.allowed:
        raise LockedOut(rule=decision.name)


def _signed(platform: Platform, bundle: Bundle) -> Bundle:
    key, signature = platform.signer.sign(payload(bundle))
    return msgspec.structs.replace(bundle, key=key, signature=signature)


async def _existing(platform: Platform, number: int) -> Bundle:
    bundle = await platform.bundles.get(number)
    if bundle is None:
        raise NotFound()
    return bundle


async def _offer(platform: Platform, number: int) -> tuple[Problem, ...]:
    """Why the bundle is not in force; nothing if it now is."""
    try:
        bundle = await platform.bundles.get(number)
        if bundle is None:
            return (Problem(Place(f"bundle {number}"), "it is gone from the store", "publish its files again"),)
        policies = await _accepted(platform, number, bundle)
    except BrokenPolicy as error:
        return problems_of(error)
    await _take(platform, bundle, policies)
    return ()


async def _accepted(platform: Platform, number: int, bundle: Bundle) -> Policies:
    make = partial(accept.accepted, number, bundle, platform.signer, platform.enforcers)
    return await anyio.to_thread.run_sync(make)


async def _take(platform: Platform, bundle: Bundle, policies: Policies) -> None:
    try:
        await anyio.to_thread.run_sync(platform.last_bundle.save, bundle)
    except StorageFailed as error:  # the store has it, and the next start may do without the copy
        log.warning("the policy in force could not be kept: %s", error)
    _put(platform, bundle, policies)
    log.info("policy %d of %s is in force: %s", bundle.number, bundle.author, bundle.note or "no note")


def _put(platform: Platform, bundle: Bundle, policies: Policies) -> None:
    """All of it decides from now on, and whoever waits for it hears so."""
    platform.policy.take(InForce(policies, bundle.number, bundle.hash))
    platform.news.ring()


def _refuse(platform: Platform, newest: int, problems: Sequence[Problem]) -> None:
    platform.policy.refuse(newest, problems)
    told = "\n".join(map(str, problems))
    log.error("policy %d stays in force, as a newer one is not accepted:\n%s", platform.policy.number, told)
