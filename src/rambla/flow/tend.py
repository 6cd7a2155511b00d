"""How is the platform itself tended?

Namespaces, their keys and limits, its status, and for each namespace's owner the audit entries and the usage. The
operator tends namespaces and sees nothing inside them.
"""

import secrets
import uuid
from typing import Any

import msgspec

from rambla.activations.ports import AuditEntry as AuditEntry  # what `audits` gives
from rambla.activations.ports import UsageRow as UsageRow  # what `usage` gives
from rambla.catalog import tenancy
from rambla.catalog.bounds import ActionRanges as ActionRanges  # what `limits` gives
from rambla.catalog.bounds import ranges, ranges_in
from rambla.domain.access import Target
from rambla.domain.changes import NamespaceChange
from rambla.domain.entities import Namespace
from rambla.domain.errors import AlreadyExists, NamespaceDeleted, NotFound, Refused, StorageFailed
from rambla.domain.names import SYSTEM_NAMESPACE, check_new_namespace
from rambla.flow.accounts import end_all
from rambla.flow.decide import decide
from rambla.flow.fleet import daemons_by_state
from rambla.flow.guard import guarded
from rambla.flow.platform import Limits, Op, Platform
from rambla.policy.holder import Holder

SECRET_CHARS = 64  # as OpenWhisk's keys have
_PLATFORM = Target("", "platform")


async def status(platform: Platform, op: Op) -> dict[str, Any]:
    """Health of every part, the isolation level in force, queue depths."""
    async with guarded(platform, op, "platform:status", _PLATFORM):
        engine = platform.engine.health()
        used_mb, capacity_mb = platform.dispatcher.memory_mb()
        return {
            "isolation": engine.level,
            "engine": {"parts": engine.parts, "runtimes": engine.runtimes, "sandboxes": engine.sandboxes},
            "dispatch": {
                "queued": platform.dispatcher.queued,
                "running": platform.dispatcher.running,
                "memory_mb": used_mb,
                "memory_mb_max": capacity_mb,
            },
            "open_intents": len(platform.ledger.pending),
            "policy": {**_policy(platform.policy), "checks": platform.tally.sums()},
            "fleet": await _fleet(platform),
            **await platform.health(),
        }


def _policy(holder: Holder) -> dict[str, Any]:
    """`newest` is another than `bundle` as long as the newest is not accepted."""
    problems = [*map(str, holder.problems)] or "none"
    services = sorted(holder.in_force.policies.services)
    return {"bundle": holder.number, "newest": holder.seen, "problems": problems, "services": services}


async def _fleet(platform: Platform) -> dict[str, object]:
    try:
        return {"daemons": await daemons_by_state(platform)}
    except StorageFailed as error:
        return {"error": str(error)}


async def namespaces(platform: Platform, op: Op) -> list[Namespace]:
    async with guarded(platform, op, "namespace:list", _PLATFORM):
        return await platform.namespaces.all()


async def create_namespace(platform: Platform, op: Op, name: str) -> tuple[Namespace, bool]:
    """A new namespace with a random key, and whether its creator may know that: it opens all that will be in there.

    Raises AlreadyExists, NamespaceDeleted or BadRequest.
    """
    check_new_namespace(name)
    async with guarded(platform, op, "namespace:create", Target(name, name)), platform.tending:
        if await platform.namespaces.get(name):
            raise AlreadyExists()
        if await platform.namespaces.was_deleted(name):  # before an account is opened, which has its objects still
            raise NamespaceDeleted()
        namespace = new_namespace(name, platform.clock.now_ms(), platform.limits)
        if platform.objects:
            await platform.objects.open_account(name, namespace.uuid, namespace.secret)
        await platform.namespaces.put(namespace)
        return namespace, (await decide(platform, op.caller, "namespace:key", Target(name, name))).decision.allowed


async def delete_namespace(platform: Platform, op: Op, name: str) -> None:
    """The namespace, its key, its APIs, every entity in it and their alarms are gone; objects and records of what was
    done stay, so nobody gets the name again. Raises NotFound, or Refused for the platform's own."""
    async with guarded(platform, op, "namespace:delete", Target(name, name)), platform.tending:
        await _tenant(platform, name)
        if platform.objects:
            await platform.objects.close_account(name)
        await platform.alarms.delete_all(name)
        await platform.apis.delete_all(name)
        await platform.namespaces.delete(name)
        platform.entities.clear()
        await end_all(platform, f"key/{name}")
        platform.dispatcher.retire(name, "")


async def namespace_key(platform: Platform, op: Op, name: str, *, rotate: bool = False) -> str:
    """`uuid:secret`; with `rotate` a new secret: the old one, and tokens made with it, open nothing any more. Raises
    NotFound, or Refused for the platform's own."""
    async with guarded(platform, op, "namespace:key", Target(name, name)), platform.tending:
        namespace = await _tenant(platform, name)
        if rotate:
            namespace = msgspec.structs.replace(namespace, secret=_secret())
            if platform.objects:
                await platform.objects.open_account(name, namespace.uuid, namespace.secret)
            await platform.namespaces.put(namespace)
            await end_all(platform, f"key/{name}")  # tokens that were made with it
        return namespace.key


async def limits(
    platform: Platform, op: Op, name: str, change: NamespaceChange | None = None
) -> tuple[Namespace, ActionRanges]:
    """What the namespace and an action of it may use, after `change`. Raises NotFound, BadRequest, or Refused for the
    platform's own."""
    async with guarded(platform, op, "namespace:limits", Target(name, name)), platform.tending:
        namespace = await _tenant(platform, name)
        if change is not None:
            namespace = await _limited(platform, tenancy.changed(namespace, change, ranges(platform.limits)))
        return namespace, ranges_in(namespace, platform.limits)


async def reset_limits(platform: Platform, op: Op, name: str) -> None:
    """The namespace may use what a new one may. Raises NotFound, or Refused for the platform's own."""
    async with guarded(platform, op, "namespace:limits", Target(name, name)), platform.tending:
        old = await _tenant(platform, name)
        fresh = new_namespace(name, old.created_ms, platform.limits)
        await _limited(platform, msgspec.structs.replace(fresh, uuid=old.uuid, secret=old.secret))


async def _limited(platform: Platform, namespace: Namespace) -> Namespace:
    await platform.namespaces.put(namespace)
    platform.keys.forget()
    return namespace


async def audits(platform: Platform, op: Op, namespace: str, *, since_ms: int, limit: int) -> list[AuditEntry]:
    async with guarded(platform, op, "audit:read", Target(namespace, namespace)):
        return await platform.index.audits(namespace, since_ms=since_ms, limit=limit)


async def usage(platform: Platform, op: Op, namespace: str, *, since_ms: int) -> list[UsageRow]:
    async with guarded(platform, op, "usage:read", Target(namespace, namespace)):
        return await platform.index.usage(namespace, since_ms=since_ms)


def new_namespace(name: str, now_ms: int, usual: Limits) -> Namespace:
    return Namespace(
        name=name,
        uuid=str(uuid.uuid4()),
        secret=_secret(),
        created_ms=now_ms,
        invocations_per_minute=usual.invocations_per_minute,
        concurrent_invocations=usual.concurrent_invocations,
        fires_per_minute=usual.fires_per_minute,
    )


def _secret() -> str:
    return secrets.token_hex(SECRET_CHARS // 2)


async def _tenant(platform: Platform, name: str) -> Namespace:
    if name == SYSTEM_NAMESPACE:
        raise Refused(target=name, rule="system-namespace")
    namespace = await platform.namespaces.get(name)
    if namespace is None:
        raise NotFound()
    return namespace
