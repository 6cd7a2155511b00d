"""How is the policy published, read and taken back over HTTP?"""

from typing import Any

from starlette.responses import Response

from rambla.flow import bundles
from rambla.http import query, shapes
from rambla.http.bodies import PolicyBody
from rambla.http.body import MB
from rambla.http.call import Call, answer

BODY_BYTES_MAX = 2 * bundles.FILES_BYTES_MAX + MB  # JSON escapes every line's end


async def publish(call: Call[PolicyBody]) -> Response:
    body = call.body
    wanted = bundles.draft(body.files, body.note, force=body.force, dry_run=body.dry_run)
    return answer(_summary(await bundles.publish(call.platform, call.op, wanted)))


async def rollback(call: Call[None]) -> Response:
    force = query.flag(call.query, "force")
    return answer(_summary(await bundles.rollback(call.platform, call.op, call.number, force=force)))


async def history(call: Call[None]) -> Response:
    page = query.page(call.query, "bundles")
    found = await bundles.history(call.platform, call.op, skip=page.skip, limit=page.limit)
    return answer([_summary(one) for one in found])


async def show(call: Call[None]) -> Response:
    found = await bundles.show(call.platform, call.op, call.number)
    files = {file.name: file.text for file in found.files}
    return answer(shapes.Bundle(**_fields(found), files=files))


async def keys(call: Call[None]) -> Response:
    return _keys(await bundles.keys(call.platform, call.op))


async def rotate_key(call: Call[None]) -> Response:
    return _keys(await bundles.rotate_key(call.platform, call.op))


async def trust_key(call: Call[None]) -> Response:
    return _keys(await bundles.trust_key(call.platform, call.op, call.key))


def _summary(bundle: bundles.Bundle) -> shapes.BundleSummary:
    return shapes.BundleSummary(**_fields(bundle))


def _fields(bundle: bundles.Bundle) -> dict[str, Any]:
    names = ("number", "author", "note", "hash", "key")
    return {"at": bundle.at_ms, **{name: getattr(bundle, name) for name in names}}


def _keys(trusted: dict[str, int | None]) -> Response:
    signs = list(trusted)[-1]
    return answer([shapes.PolicyKey(key=key, signs=key == signs, upto=upto) for key, upto in trusted.items()])
