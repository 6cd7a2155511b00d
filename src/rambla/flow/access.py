"""Which objects may this run reach, and by which addresses?

An event's activation reads the object that the event is about and, if its trigger names a target, writes into that
container: by addresses signed as the run starts, which last about as long as it does. The action holds no password,
and the sandbox has no other network. Both reach into the object store, so both are judged and written down first.
"""

import msgspec

from rambla.catalog.arguments import parse_object
from rambla.domain.access import Caller, Target
from rambla.domain.errors import ObjectStoreFailed
from rambla.domain.records import Intent, ObjectAccess, Outcome
from rambla.engine.ports import Grant
from rambla.flow.guard import OK, intent_of, judge
from rambla.flow.platform import Op, Platform
from rambla.objects.ports import SignedAddress

NETWORK = "network"  # the annotation by which an action asks for network
OBJECTS = "objects"  # its value: the objects of the event, and nothing else


async def open_objects(
    platform: Platform, cause: Intent, access: ObjectAccess, arguments: bytes
) -> tuple[bytes, tuple[Grant, ...]]:
    """The arguments with `access` added, and the grants that make its addresses work in the sandbox.

    Raises Refused, StorageFailed or ObjectStoreFailed.
    """
    if platform.objects is None:
        raise ObjectStoreFailed(detail="this platform runs without an object store")
    op = Op(id=cause.id, caller=Caller(subject=cause.subject, namespace=access.namespace, source="platform"))
    wanted = [("object:read", "GET", access.container, access.name)]
    if access.target:
        wanted.append(("object:write", "PUT", access.target, ""))
    intents = []
    for permission, _, container, name in wanted:
        target = Target(access.namespace, f"{access.namespace}/{container}/{name}")
        intents.append(intent_of(platform, op, permission, target, judge(platform, op, permission, target)))
    outcomes = [Outcome(intent_id=intent.id, at_ms=intent.at_ms, status=OK) for intent in intents]
    await platform.ledger.write(*intents, *outcomes)
    ttl_ms = platform.limits.signed_address_ttl_ms
    signed = [
        await platform.objects.sign(access.namespace, method, container, name, ttl_ms=ttl_ms)
        for _, method, container, name in wanted
    ]
    described = _describe(platform.engine.objects_address, signed)
    merged = {**parse_object(arguments), "access": described}
    return msgspec.json.encode(merged), tuple(_grant(address) for address in signed)


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
