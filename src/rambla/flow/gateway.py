"""What happens when somebody visits an API?

Find the route, see that the visitor has a key if one is asked for and is not too fast, then visit the web action that
the route leads to, by the same sentence as any other visit. Secrets of an action are sent to it by whoever published
the API, so they are looked up on each visit, as that namespace and by its rights.
"""

from typing import NamedTuple

from rambla.domain.access import Caller
from rambla.domain.errors import ApiKeyRequired, MethodNotAllowed, NotFound
from rambla.domain.web import AUTH_HEADER, REQUIRE_AUTH, WebRequest
from rambla.flow.guard import judge
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import judge_provider, target
from rambla.flow.web import WebAnswer, exported, secret_of, visit
from rambla.gateway.address import address_of
from rambla.gateway.api import Api, KeyCheck, Route, gateway_id
from rambla.gateway.keys import matching
from rambla.gateway.limiter import Bucket
from rambla.gateway.router import Methods, decoded

FORWARDED_URL = "x-forwarded-url"


class Place(NamedTuple):
    """What a path means: of which API, and by method its routes there."""

    api: Api
    methods: Methods

    @property
    def cors(self) -> bool | None:
        """Whether scripts of other origins may read the answers; None leaves that to the action."""
        return self.api.cors


class Asked(NamedTuple):
    """A visit as it came: `path` below the gateway's id and `query` are encoded, the names of `headers` lower-case;
    `origin` is our scheme and host as the connection has them, `user` the namespace that proved to be the visitor's."""

    method: str
    origin: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    user: str


class ApiAnswer(NamedTuple):
    """`request` is what the action was asked, None if the gateway answered a browser that asked beforehand."""

    answer: WebAnswer
    request: WebRequest | None


async def locate(platform: Platform, identifier: str, path: str) -> Place:
    """Where `path` leads below that id. Raises NotFound."""
    segments = decoded(path)
    found = (await platform.apis.router(identifier)).find(segments) if segments is not None else None
    if found is None:
        raise NotFound()
    return Place(found.api, found.methods)


async def visit_api(platform: Platform, op: Op, place: Place, asked: Asked) -> ApiAnswer:
    """Raises MethodNotAllowed, ApiKeyRequired, RateLimited, or as `visit` does; then nothing was run."""
    if asked.method == "OPTIONS" and place.cors:
        return ApiAnswer(WebAnswer(None, False), None)
    route = place.methods.get(asked.method)
    if route is None:
        raise MethodNotAllowed(methods=", ".join(sorted(place.methods)))
    key = _key_of(route.keys or place.api.keys, asked)
    _limit(platform, place.api, route, key)
    request = await _request(platform, op, place.api, route, asked)
    return ApiAnswer(await visit(platform, op, request), request)


def _key_of(keys: KeyCheck | None, asked: Asked) -> str:
    """The digest of the visitor's key, "" if none is asked for. Raises ApiKeyRequired."""
    if keys is None:
        return ""
    digest = matching(keys, asked.headers.get(keys.header))
    if digest is None:
        raise ApiKeyRequired(header=keys.header)
    return digest


def _limit(platform: Platform, api: Api, route: Route, key: str) -> None:
    limit = route.rate_limit or api.rate_limit
    if limit is None:
        return
    method, path = ("", "") if limit.whole_api else (route.method, route.path)
    platform.limiter.take(Bucket(api.namespace, api.base_path, method, path, key), limit)


async def _request(platform: Platform, op: Op, api: Api, route: Route, asked: Asked) -> WebRequest:
    headers = {**asked.headers, FORWARDED_URL: _url(api, asked)}
    keys = route.keys or api.keys
    if keys is not None:
        headers.pop(keys.header)  # not for whoever owns the action
    secret = await _secret(platform, op, api, route) if route.target.secured else None
    if secret is not None:
        headers[AUTH_HEADER] = secret
    return WebRequest(
        name=route.target.name,
        method=route.target.method or asked.method,
        headers=headers,
        path=asked.path if route.target.tells_path else "",
        query=asked.query,
        body=asked.body,
        user=asked.user,
        extension=route.target.extension,
    )


def _url(api: Api, asked: Asked) -> str:
    """As the visitor knows it."""
    address = f"{address_of(asked.headers, asked.origin)}/api/{gateway_id(api.namespace)}{asked.path}"
    return f"{address}?{asked.query}" if asked.query else address


async def _secret(platform: Platform, op: Op, api: Api, route: Route) -> str | None:
    """What the action asks for. Raises Refused if the API's owner may not read it any more, NotFound if it is gone."""
    found = await exported(platform, route.target.name)
    owner = Op(op.id, Caller(subject=api.namespace, namespace=api.namespace, source="key"))
    await judge(platform, owner, "action:read", await target(platform, owner, route.target.name))
    await judge_provider(platform, owner, "action:read", found)
    return secret_of(found.action.annotations.get(REQUIRE_AUTH))
