"""How does the owner of a container say which of its events go where?

`POST /v1/A/C?notification` with a document (see `subscriptions`) replaces what was set, `GET` returns it. It is kept in
the container's sysmeta, which clients can neither read nor write by themselves. Who may do this is decided by Swift's
own authorisation: the container's owner, not whoever may only write objects into it.
"""

from typing import Any

from swift.common.swob import (
    HTTPBadRequest,
    HTTPForbidden,
    HTTPNoContent,
    HTTPNotFound,
    Response,
    wsgi_quote,
    wsgi_to_str,
)
from swift.common.utils import drain_and_close
from swift.common.wsgi import make_pre_authed_request
from swift.proxy.controllers.base import clear_info_cache

from rambla_openstack.subscriptions import BODY_BYTES_MAX, parse, render, stored

SYSMETA_NAME = "rambla-notification"
_HEADER = "X-Container-Sysmeta-Rambla-Notification"
_SOURCE = "RE"


def is_meant(request: Any) -> bool:
    """Whether `request` reads or sets a container's subscriptions."""
    if request.method not in ("GET", "POST") or "notification" not in request.params:
        return False
    try:
        _, account, container, name = request.split_path(3, 4, True)
    except ValueError:
        return False
    return bool(account and container) and not name


def answer(request: Any, app: Any) -> Any:
    """A response for `request`."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    return _show(request, app) if request.method == "GET" else _set(request, app)


def _refusal(request: Any) -> Any:
    authorize = request.environ.get("swift.authorize")
    if authorize is None:
        return None
    refusal = authorize(request)
    if refusal is None and not request.environ.get("swift_owner"):
        refusal = HTTPForbidden(request=request, body="Only the owner of a container may see or set its events.\n")
    return refusal


def _ask(request: Any, app: Any, method: str, headers: dict[str, str]) -> Any:
    path = wsgi_quote(request.environ["PATH_INFO"])
    response = make_pre_authed_request(
        request.environ, method, path, headers=headers, swift_source=_SOURCE, agent="%(orig)s RamblaEvents"
    ).get_response(app)
    drain_and_close(response)
    return response


def _show(request: Any, app: Any) -> Any:
    found = _ask(request, app, "HEAD", {})
    if not found.is_success:
        return _passed_on(request, found)
    document = render(stored(found.headers.get(_HEADER, "")))
    return Response(request=request, body=document.encode(), content_type="application/json")


def _set(request: Any, app: Any) -> Any:
    try:
        subscriptions = parse(request.body_file.read(BODY_BYTES_MAX + 1))
    except ValueError as error:
        return HTTPBadRequest(request=request, body=f"{error}\n", content_type="text/plain")
    done = _ask(request, app, "POST", {_HEADER: render(subscriptions) if subscriptions else ""})
    if not done.is_success:
        return _passed_on(request, done)
    _, account, container = request.split_path(3, 3, True)
    # Again, after the proxy did: a request that had read the old metadata may have cached them in between.
    clear_info_cache(request.environ, wsgi_to_str(account), wsgi_to_str(container))
    return HTTPNoContent(request=request)


def _passed_on(request: Any, response: Any) -> Any:
    if response.status_int == 404:
        return HTTPNotFound(request=request)
    return Response(request=request, status=response.status)
