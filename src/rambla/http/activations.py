"""What do the endpoints of activations do?"""

import re

from starlette.responses import Response

from rambla.domain.activation import Activation
from rambla.domain.errors import BadRequest
from rambla.flow import read
from rambla.http import query, wire
from rambla.http.call import Call, answer

_ID_CHARS = 32
_ID = re.compile(r"[0-9a-fA-F]{32}")


async def list_activations(call: Call[None]) -> Response:
    """Summaries, or whole records on `docs=true`; or only how many, on `count=true`."""
    page, span = query.page(call.query, "activations"), query.span(call.query)
    docs = query.flag(call.query, "docs")
    if query.flag(call.query, "count"):
        if docs:
            raise BadRequest(detail="The parameter 'docs' is not permitted with 'count'.")
        return answer({"activations": await read.count_activations(call.platform, call.op, call.namespace, span, page)})
    found = await read.activations(call.platform, call.op, call.namespace, span, page, whole=docs)
    return answer([wire.activation(one) if docs else wire.activation_summary(one) for one in found])


async def get_activation(call: Call[None]) -> Response:
    return answer(wire.activation(await _record(call)))


async def get_logs(call: Call[None]) -> Response:
    return answer({"logs": wire.logs(await _record(call))})


async def get_result(call: Call[None]) -> Response:
    return answer(wire.activation_response(await _record(call)))


async def _record(call: Call[None]) -> Activation:
    return await read.activation(call.platform, call.op, call.namespace, _check_id(call.activation_id))


def _check_id(text: str) -> str:
    if len(text) != _ID_CHARS:
        raise BadRequest(detail=f"Activation id length is {len(text)} but must be {_ID_CHARS}.")
    if not _ID.fullmatch(text):
        raise BadRequest(detail="The activation id is not valid.")
    return text.lower()
