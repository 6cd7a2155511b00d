"""What is one row of the table of endpoints?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from rambla.flow.platform import Op, Platform
from rambla.http.body import Body
from rambla.http.call import Call, answer

Handler = Callable[[Call[Any]], Awaitable[Response]]
PUBLIC = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`permission` is what the guard is asked for, PUBLIC if nobody need say who they are. `gives` describes the answer
    to a person. A path that ends with a slash means something else than the same without."""

    method: str
    path: str
    permission: str
    handler: Handler
    gives: str
    body: Body | None = None


def handing_to(function: Callable[[Platform, Op, Any], Awaitable[object]]) -> Handler:
    """The handler that gives the decoded body to `function` and answers with what it returns, as JSON."""

    async def handle(call: Call[Any]) -> Response:
        return answer(await function(call.platform, call.op, call.body))

    return handle
