"""Which objects may this run reach, and by which addresses?

An event's activation reads the object that the event is about and, if its trigger names a target, writes into that
container: by addresses signed as the run starts, which last about as long as it does. The action holds no password,
and the sandbox has no other network. Both reach into the object store, so both are judged, and written down before an
address is handed out.
"""

import msgspec

from rambla.catalog.arguments import parse_object
from rambla.domain.access import Target
from rambla.domain.errors import ObjectStoreFailed, RamblaError
from rambla.domain.records import Intent, ObjectAccess, Outcome
from rambla.engine.ports import Grant
from rambla.flow.guard import OK, intent_of, judge
from rambla.flow.platform import Op, Platform
from rambla.flow.task import Task
from rambla.objects.ports import ObjectStore, SignedAddress

NETWORK = "network"  # the annotation by which an action asks for network
OBJECTS = "objects"  # its value: the objects of the event, and nothing else


async def open_objects(platform: Platform, task: Task, arguments: bytes) -> tuple[bytes, tuple[Grant, ...]]:
    """The arguments with `access` added, and the grants that make its addresses work in the sandbox.

    Raises Refused, StorageFailed or ObjectStoreFailed.
    """
    access = task.work.access
    if platform.objects is None or access is None:
        raise ObjectStoreFailed(detail="this platform runs without an object store")
    wanted = [("object:read", f"{access.container}/{access.name}")]
    if access.target:
        wanted.append(("object:write", f"{access.target}/"))
    intents = [await _judged(platform, task, permission, access.namespace, path) for permission, path in wanted]
    try:
        ttl_ms = max(platform.limits.signed_address_ttl_ms, task.action.limits.timeout_ms)
        signed = await _sign(platform.objects, access, ttl_ms)
    except RamblaError as error:
        await _write(platform, intents, error.code)
        raise
    await _write(platform, intents, OK)
    described = _describe(platform.engine.objects_address, signed)
    merged = {**parse_object(arguments), "access": described}
    return msgspec.json.encode(merged), tuple(_grant(address) for address in signed)


async def _judged(platform: Platform, task: Task, permission: str, namespace: str, path: str) -> Intent:
    """The intent of whoever invokes, who need not be who owns the objects. Raises Refused."""
    op = Op(task.intent.id, task.invoker("platform"))
    target = Target(namespace, f"{namespace}/{path}")
    return intent_of(platform, op, permission, target, await judge(platform, op, permission, target))


async def _sign(objects: ObjectStore, access: ObjectAccess, ttl_ms: int) -> list[SignedAddress]:
    signed = [await objects.sign(access.namespace, "GET", access.container, access.name, ttl_ms=ttl_ms)]
    if access.target:
        signed.append(await objects.sign_below(access.namespace, "PUT", access.target, "", ttl_ms=ttl_ms))
    return signed


async def _write(platform: Platform, intents: list[Intent], status: str) -> None:
    """An address opens nothing until somebody has it, so what came of the intents is known as they are written."""
    outcomes = [Outcome(intent_id=intent.id, at_ms=intent.at_ms, status=status) for intent in intents]
    await platform.ledger.write(*intents, *outcomes)


def _describe(base: str, signed: list[SignedAddress]) -> dict[str, dict[str, str]]:
    described = {"source": {"url": f"{base}{signed[0].path}?{signed[0].query}"}}
    if len(signed) > 1:
        described["target"] = {"url": f"{base}{signed[1].path}", "query": signed[1].query}
    return described


def _grant(address: SignedAddress) -> Grant:
    return Grant(
        method="PUT" if address.method == "PUT" else "GET",
        path=address.path,
        query=address.query,
        prefix=address.prefix,
    )
