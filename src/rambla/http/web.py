"""How are web actions visited over HTTP?

Parse, one call into `flow`, render; and the headers by which browsers of other origins know that they may. Whoever
cannot prove who they are is a visitor without a name, never an error.
"""

from starlette.responses import Response
from starlette.types import Scope

from rambla.domain.web import WebRequest
from rambla.flow.web import visit
from rambla.http.call import Call
from rambla.http.web_request import PREFIX, action_in, headers_of
from rambla.http.web_response import respond

_ALLOWED_HEADERS = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
_METHODS = "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"


async def visit_action(call: Call[bytearray]) -> Response:
    request = request_of(call)
    answer = await visit(call.platform, call.op, request)
    response = Response() if answer.ended is None else respond(answer.ended, request, call.op.id)
    if not answer.custom_options:
        response.headers.update(cross_origin(request.headers.get("access-control-request-headers")))
    return response


def request_of(call: Call[bytearray]) -> WebRequest:
    """Raises NoSuchRoute if the path can name no action."""
    scope, visitor = call.request.scope, call.op.caller
    name, extension, rest = action_in(scope["raw_path"].decode("latin-1"))
    return WebRequest(
        name=name,
        method=call.request.method,
        headers=headers_of(scope["headers"], visitor),
        path=rest,
        query=scope["query_string"].decode("latin-1"),
        body=bytes(call.body),
        user=visitor.namespace,
        extension=extension,
    )


def is_web(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(PREFIX)


def cross_origin(requested: str | None) -> dict[str, str]:
    """What lets scripts of any origin read the answer; `requested` are the headers that the browser asks for."""
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS if requested is None else requested,
    }
