"""What is one row of the table of endpoints?"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.responses import Response

from rambla.flow.platform import Op, Platform
from rambla.http.body import Body
from rambla.http.call import Call, answer

Handler = Callable[[Call[Any]], Awaitable[Response]]
PUBLIC = ""


class Gives(NamedTuple):
    """What is answered when all went well: `text` tells a person, `type` a machine (None: no JSON; a tuple: one of
    these), with `status`.

    `query` names the parameters after the question mark, which `query.PARAMETERS` describes. `also` are other statuses
    that are no failure of ours, and the types of their answers.
    """

    text: str
    type: Any = None
    query: tuple[str, ...] = ()
    status: int = 200
    also: Mapping[int, Any] = {}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`permission` is what the guard is asked for, PUBLIC if nobody need say who they are. A path that ends with a
    slash means something else than the same without; `{rest}` may hold slashes. `anonymous` lets in whoever cannot
    prove who they are, as nobody."""

    method: str
    path: str
    permission: str
    handler: Handler
    gives: Gives
    body: Body | None = None
    anonymous: bool = False


def handing_to(function: Callable[[Platform, Op, Any], Awaitable[object]]) -> Handler:
    """The handler that gives the decoded body to `function` and answers with what it returns, as JSON."""

    async def handle(call: Call[Any]) -> Response:
        return answer(await function(call.platform, call.op, call.body))

    return handle
