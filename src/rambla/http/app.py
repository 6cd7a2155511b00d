"""What is around every request?

A request gets an id; whatever is raised becomes an answer; answers of the API carry the headers that browsers ask for.
What comes before: the HTTP server. What comes after: `resource.py` for the path.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urljoin

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from rambla.domain.errors import HeadersTooLarge, NoSuchRoute
from rambla.flow.platform import Platform
from rambla.http.endpoint import Endpoint
from rambla.http.endpoints import ENDPOINTS
from rambla.http.errors import answer_to
from rambla.http.gateway import CROSS_ORIGIN
from rambla.http.resource import REQUEST_ID, Resource
from rambla.http.vanity import Vanity
from rambla.http.web import cross_origin, is_web

API = "/api/v1"
_NAMESPACES = f"{API}/namespaces/"
HEADERS_BYTES_MAX = 64 * 2**10
_ADOPTED_ID = re.compile(r"(?!sid_)[A-Za-z0-9._-]{1,128}")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
    "Access-Control-Allow-Methods": "GET, DELETE, POST, PUT, HEAD",
}


def build_app(platform: Platform, more: Iterable[Endpoint] = (), *, web_domain: str = "") -> ASGIApp:
    """The platform over HTTP. `more` are rows of other edges, served by the same rules. Below `web_domain`, if there is
    one, each namespace has a host of its own for its web actions."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in (*ENDPOINTS, *more):
        by_path.setdefault(endpoint.path, []).append(endpoint)
    routes = [Route(_pattern(path), Resource(platform, endpoints)) for path, endpoints in by_path.items()]
    app = Envelope(platform, Router(routes, redirect_slashes=False, default=_no_route))
    return Vanity(web_domain, app) if web_domain else app


class _GatewayId(StringConvertor):
    """So that nothing else below `/api` passes for an API of the gateway."""

    regex = "[0-9a-f]{32}"


register_url_convertor("gateway", _GatewayId())


def _pattern(path: str) -> str:
    """The only parts that may hold slashes are the rest of a path, and what a source calls its users."""
    for name, kind in (("rest", "path"), ("user", "path"), ("gateway", "gateway")):
        path = path.replace(f"{{{name}}}", f"{{{name}:{kind}}}")
    return path


class Envelope:
    """Sees each request first and each answer last."""

    def __init__(self, platform: Platform, inner: ASGIApp) -> None:
        self._platform = platform
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = _adopted_id(scope) or self._platform.ids.next()
        headers = {"X-Request-ID": request_id, **(_CORS if _is_api(scope) and not is_web(scope) else {})}
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(headers)
            await send(message)

        try:
            await self._answer(_without_dots(scope), receive, send_with_headers)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if started:
                raise
            response = answer_to(error, request_id)
            response.headers.update(scope.get(CROSS_ORIGIN, {}))
            if is_web(scope):
                response.headers.update(cross_origin(Headers(scope=scope).get("access-control-request-headers")))
            await response(scope, receive, send_with_headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > HEADERS_BYTES_MAX:
            raise HeadersTooLarge(size=size, limit=HEADERS_BYTES_MAX)
        if scope["method"] == "OPTIONS" and _is_api(scope) and not is_web(scope):
            await Response()(scope, receive, send)
            return
        await self._inner(scope, receive, send)


def _without_dots(scope: Scope) -> Scope:
    """`_/actions/../../whisk.system/actions/x` is how `wskdeploy` names what lies in another namespace than its own
    (RFC 3986, section 5.2.4). They lead from one namespace to another, and nowhere else."""
    raw = scope["raw_path"].decode("latin-1")
    if "/../" not in raw or not raw.startswith(_NAMESPACES):
        return scope
    path = urljoin(_NAMESPACES, raw)
    return (
        {**scope, "raw_path": path.encode("latin-1"), "path": unquote(path)} if path.startswith(_NAMESPACES) else scope
    )


def _adopted_id(scope: Scope) -> str | None:
    """The id that the caller gave the request, if it is one that we would log."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _ADOPTED_ID.fullmatch(given) else None


def _is_api(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == API or path.startswith(f"{API}/")


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
        return
    raise NoSuchRoute()
