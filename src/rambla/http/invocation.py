"""How is the end of an invocation told over HTTP?

OpenWhisk's rule: 202 with the id while it is not known, then a status by whose fault it was. Pure; used by every door
that invokes.
"""

import msgspec
from starlette.responses import Response

from rambla.domain.activation import Activation, Status
from rambla.http import wire
from rambla.http.call import answer

_STATUSES: dict[Status, int] = {
    "success": 200,
    "application error": 502,
    "action developer error": 502,
    "whisk internal error": 500,
}


def outcome(ended: Activation | str, *, result_only: bool) -> Response:
    """The record, or its result alone; a result that is an array is always given alone. A `str` is the id of an
    activation that has not ended."""
    if isinstance(ended, str):
        return answer({"activationId": ended}, 202, activation_id=ended)
    result = msgspec.Raw(ended.result)
    alone = result_only or ended.result.lstrip().startswith(b"[")
    shown = result if alone else wire.activation(ended)
    return answer(shown, _STATUSES[ended.status], activation_id=ended.id)
