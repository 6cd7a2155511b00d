"""How are published APIs visited over HTTP?

Parse, find the route, visit what it leads to, render; and the headers by which browsers know whether scripts of other
origins may read the answer, as the API says. They are on errors too, so they are known to `app.py` before anything can
go wrong.
"""

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from rambla.flow.gateway import Asked, Place, locate, visit_api
from rambla.http.call import Call
from rambla.http.web import cross_origin
from rambla.http.web_request import headers_of
from rambla.http.web_response import respond

PREFIX = "/api/"
CROSS_ORIGIN = "cross_origin"
_ANSWER_HEADERS = "access-control-"


async def visit(call: Call[bytearray]) -> Response:
    scope = call.request.scope
    identifier, path = parts_of(scope["raw_path"].decode("latin-1"))
    place = await locate(call.platform, identifier, path)
    scope[CROSS_ORIGIN] = _cross_origin(place, call.request.headers.get("access-control-request-headers"))
    answer, request = await visit_api(call.platform, call.op, place, asked_of(call, path))
    response = Response() if answer.ended is None or request is None else respond(answer.ended, request, call.op.id)
    if place.cors is False:
        _close(response.headers)
    if place.cors or not answer.custom_options:
        response.headers.update(scope[CROSS_ORIGIN])
    return response


def asked_of(call: Call[bytearray], path: str) -> Asked:
    scope, visitor = call.request.scope, call.op.caller
    return Asked(
        method=call.request.method,
        origin=f"{scope['scheme']}://{call.request.headers.get('host', '')}",
        path=path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers_of(scope["headers"], visitor),
        body=bytes(call.body),
        user=visitor.namespace,
    )


def parts_of(path: str) -> tuple[str, str]:
    """The gateway's id, and what follows it, of a path `/api/ID/...`, encoded as it came."""
    identifier, slash, rest = path.removeprefix(PREFIX).partition("/")
    return identifier, slash + rest


def _cross_origin(place: Place, requested: str | None) -> dict[str, str]:
    return {} if place.cors is False else cross_origin(requested)


def _close(headers: MutableHeaders) -> None:
    for name in [name for name in headers if name.lower().startswith(_ANSWER_HEADERS)]:
        del headers[name]
