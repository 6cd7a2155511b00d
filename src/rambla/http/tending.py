"""What do the platform's own endpoints do, those that OpenWhisk has no word for?

The operator tends namespaces, and each owner reads what was done in theirs and what it costs.
"""

from starlette.responses import Response

from rambla.flow import tend
from rambla.http import query, wire
from rambla.http.bodies import NamespaceLimitsBody, namespace_change
from rambla.http.call import Call, answer, empty
from rambla.http.metrics import CONTENT_TYPE, exposition


async def status(call: Call[None]) -> Response:
    return answer(await tend.status(call.platform, call.op))


async def metrics(call: Call[None]) -> Response:
    text = exposition(await tend.status(call.platform, call.op))
    return Response(text, media_type=CONTENT_TYPE)


async def list_namespaces(call: Call[None]) -> Response:
    found = await tend.namespaces(call.platform, call.op)
    return answer([{"name": one.name, "created": one.created_ms} for one in found])


async def create_namespace(call: Call[None]) -> Response:
    created, key_told = await tend.create_namespace(call.platform, call.op, call.namespace)
    told = {"name": created.name, "created": created.created_ms}
    return answer({**told, "key": created.key} if key_told else told)


async def delete_namespace(call: Call[None]) -> Response:
    await tend.delete_namespace(call.platform, call.op, call.namespace)
    return empty(204)


async def namespace_key(call: Call[None]) -> Response:
    return answer({"key": await tend.namespace_key(call.platform, call.op, call.namespace)})


async def rotate_key(call: Call[None]) -> Response:
    return answer({"key": await tend.namespace_key(call.platform, call.op, call.namespace, rotate=True)})


async def get_limits(call: Call[None]) -> Response:
    namespace, ranges = await tend.limits(call.platform, call.op, call.namespace)
    return answer(wire.namespace_limits(namespace, call.platform.limits, ranges))


async def set_limits(call: Call[NamespaceLimitsBody]) -> Response:
    change = namespace_change(call.body)
    namespace, ranges = await tend.limits(call.platform, call.op, call.namespace, change)
    return answer(wire.namespace_limits(namespace, call.platform.limits, ranges))


async def reset_limits(call: Call[None]) -> Response:
    await tend.reset_limits(call.platform, call.op, call.namespace)
    return empty(204)


async def audit(call: Call[None]) -> Response:
    since_ms, limit = query.epoch_ms(call.query, "since") or 0, query.page(call.query, "audit").limit
    return answer(await tend.audits(call.platform, call.op, call.namespace, since_ms=since_ms, limit=limit))


async def usage(call: Call[None]) -> Response:
    since_ms = query.epoch_ms(call.query, "since") or 0
    return answer(await tend.usage(call.platform, call.op, call.namespace, since_ms=since_ms))
