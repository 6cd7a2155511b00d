"""Who may come to a handler, and with what?

All endpoints of one path. Identifies the caller, picks the one for the method, reads the body, calls the handler. The
one place where a request is authenticated; whether its caller may is for the guard, inside the handler's flow call.
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from rambla.domain.access import Caller
from rambla.domain.errors import MethodNotAllowed, NotAuthenticated
from rambla.flow.identify import Shown, caller
from rambla.flow.platform import Op, Platform
from rambla.http.body import read_body
from rambla.http.call import Call
from rambla.http.endpoint import PUBLIC, Endpoint

REQUEST_ID = "request_id"
_NOBODY = Caller(subject="", namespace="", source="key")


class Resource:
    def __init__(self, platform: Platform, endpoints: Iterable[Endpoint]) -> None:
        self._platform = platform
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        endpoint = self._by_method.get(request.method)
        who = await self._caller(request, endpoint or next(iter(self._by_method.values())))
        if endpoint is None:
            raise MethodNotAllowed(methods=", ".join(self._by_method))
        op = Op(id=scope[REQUEST_ID], caller=who)
        body = await read_body(request, endpoint.body, self._platform.limits) if endpoint.body else None
        response = await endpoint.handler(Call(self._platform, op, request, body))
        await response(scope, receive, send)

    async def _caller(self, request: Request, endpoint: Endpoint) -> Caller:
        if endpoint.permission == PUBLIC:
            return _NOBODY
        try:
            return await caller(self._platform, shown_by(request.scope), request.path_params.get("namespace", ""))
        except NotAuthenticated:
            if endpoint.anonymous:
                return _NOBODY
            raise


def shown_by(scope: Scope) -> Shown:
    """With what a request says who asks. A certificate comes from the connection (see `app/protocol.py`)."""
    token = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return Shown(value)
        if name == b"x-auth-token":
            token = value
    tls = scope["extensions"].get("tls") if "extensions" in scope else None
    return Shown(b"", token, tls["client_cert_der"], tls["client_cert_sha256"]) if tls else Shown(b"", token)
