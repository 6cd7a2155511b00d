"""What do the endpoints of packages, actions, triggers and rules do?

Each parses, makes one call into `flow`, and renders.
"""

from starlette.responses import Response

from rambla.flow import change, read
from rambla.flow.fire import fire
from rambla.flow.invoke import invoke
from rambla.http import bodies, query, wire
from rambla.http.call import Call, answer, empty
from rambla.http.endpoint import Handler
from rambla.http.invocation import outcome
from rambla.http.web_request import headers_of

# --- every collection ---


def listing(collection: read.Collection) -> Handler:
    """The handler that lists `collection`, or counts it on `count=true`."""

    async def entities(call: Call[None]) -> Response:
        page, where = query.page(call.query, collection), (call.platform, call.op, collection, call.namespace)
        if query.flag(call.query, "count"):
            return answer({collection: await read.count_entities(*where, page, package=call.package)})
        found = await read.entities(*where, page, package=call.package)
        return answer([wire.summary(entity) for entity in found])

    return entities


# --- actions ---


async def get_action(call: Call[None]) -> Response:
    action = await read.action(call.platform, call.op, call.name)
    return answer(wire.action(action, code=query.flag(call.query, "code", default=True)))


async def put_action(call: Call[bodies.ActionBody]) -> Response:
    overwrite = query.flag(call.query, "overwrite")
    wish = bodies.action_change(call.body, call.op.caller.namespace)
    return answer(wire.action(await change.put_action(call.platform, call.op, call.name, wish, overwrite=overwrite)))


async def delete_action(call: Call[None]) -> Response:
    return answer(wire.action(await change.delete_action(call.platform, call.op, call.name)))


async def invoke_action(call: Call[bytes]) -> Response:
    blocking, result_only = query.flag(call.query, "blocking"), query.flag(call.query, "result")
    wait_ms = query.wait_ms(call.query)
    ended = await invoke(call.platform, call.op, call.name, call.body, blocking=blocking, wait_ms=wait_ms)
    return outcome(ended, result_only=result_only)


# --- packages ---


async def get_package(call: Call[None]) -> Response:
    return answer(wire.package_view(await read.package(call.platform, call.op, call.name)))


async def put_package(call: Call[bodies.PackageBody]) -> Response:
    overwrite = query.flag(call.query, "overwrite")
    wish = bodies.package_change(call.body, call.op.caller.namespace)
    return answer(wire.package(await change.put_package(call.platform, call.op, call.name, wish, overwrite=overwrite)))


async def delete_package(call: Call[None]) -> Response:
    force = query.flag(call.query, "force")
    return answer(wire.package(await change.delete_package(call.platform, call.op, call.name, force=force)))


# --- triggers ---


async def get_trigger(call: Call[None]) -> Response:
    return answer(wire.trigger(await read.trigger(call.platform, call.op, call.name)))


async def put_trigger(call: Call[bodies.TriggerBody]) -> Response:
    overwrite = query.flag(call.query, "overwrite")
    wish = bodies.trigger_change(call.body)
    return answer(wire.trigger(await change.put_trigger(call.platform, call.op, call.name, wish, overwrite=overwrite)))


async def delete_trigger(call: Call[None]) -> Response:
    return answer(wire.trigger(await change.delete_trigger(call.platform, call.op, call.name)))


async def fire_trigger(call: Call[bytes]) -> Response:
    headers = headers_of(call.request.headers.raw, call.op.caller)
    activation_id = await fire(call.platform, call.op, call.name, call.body, headers)
    if activation_id is None:
        return empty(204)
    return answer({"activationId": activation_id}, 202, activation_id=activation_id)


# --- rules ---


async def get_rule(call: Call[None]) -> Response:
    return answer(wire.rule(await read.rule(call.platform, call.op, call.name)))


async def put_rule(call: Call[bodies.RuleBody]) -> Response:
    overwrite = query.flag(call.query, "overwrite")
    wish = bodies.rule_change(call.body, call.op.caller.namespace)
    return answer(wire.rule(await change.put_rule(call.platform, call.op, call.name, wish, overwrite=overwrite)))


async def set_rule_status(call: Call[bodies.StatusBody]) -> Response:
    await change.set_rule_status(call.platform, call.op, call.name, bodies.rule_status(call.body))
    return empty(200)


async def delete_rule(call: Call[None]) -> Response:
    return answer(wire.rule(await change.delete_rule(call.platform, call.op, call.name)))
