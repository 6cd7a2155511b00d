"""Which namespace does a host name mean?

With a domain for web actions, `{namespace}.{domain}/x` is that namespace's web actions, as OpenWhisk's nginx has it:
`/x` stands for `/api/v1/web/{namespace}/x`, and `/` for its action `public/index.html`. Only the API is beside that on
such a host; the platform's own doors are not.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rambla.http.web_request import PREFIX

_API = "/api/v1"
_INDEX = "/public/index.html"


class Vanity:
    def __init__(self, domain: str, inner: ASGIApp) -> None:
        self._host = re.compile(rf"([0-9A-Za-z-]{{1,63}})\.{re.escape(domain)}(?::[0-9]{{1,5}})?", re.IGNORECASE)
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            found = self._host.fullmatch(Headers(scope=scope).get("host", ""))
            path: str = scope["path"]
            if found and path != _API and not path.startswith(f"{_API}/"):
                scope = _within(scope, PREFIX + found[1])
        await self._inner(scope, receive, send)


def _within(scope: Scope, base: str) -> Scope:
    path, raw = scope["path"], scope["raw_path"]
    if path == "/":
        path, raw = _INDEX, _INDEX.encode()
    return {**scope, "path": base + path, "raw_path": base.encode() + raw}
