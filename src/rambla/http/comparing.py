"""How is another policy compared with the one in force over HTTP?"""

from typing import Any

from starlette.responses import Response

from rambla.flow import compare
from rambla.http import shapes
from rambla.http.bodies import ReplayBody, ShadowBody
from rambla.http.call import Call, answer


async def start(call: Call[ShadowBody]) -> Response:
    return _told(await compare.start_shadow(call.platform, call.op, call.body.files, call.body.name))


async def status(call: Call[None]) -> Response:
    return _told(await compare.shadow(call.platform, call.op))


async def stop(call: Call[None]) -> Response:
    return _told(await compare.stop_shadow(call.platform, call.op))


async def replay(call: Call[ReplayBody]) -> Response:
    return _told(await compare.replay(call.platform, call.op, call.body.files, call.body.days))


def _told(found: compare.Comparison) -> Response:
    shape = shapes.Comparison(
        name=found.name,
        since=found.since_ms,
        asked=found.asked,
        differing=found.differing,
        uncounted=found.uncounted,
        differences=[_difference(one, times=times) for one, times in found.times.items()],
        recent=[_difference(one, at=at_ms) for at_ms, one in found.recent],
    )
    return answer(shape)


def _difference(one: compare.Otherwise, **count: Any) -> shapes.Difference:
    names = ("permission", "subject", "source", "namespace", "was", "now", "allowed")
    return shapes.Difference(roles=list(one.roles), **{name: getattr(one, name) for name in names}, **count)
