"""How is an endpoint of the table asked for something that may be there?"""

from collections.abc import Mapping

import httpx

from rambla.gateway.api import gateway_id
from rambla.http.endpoint import Endpoint
from rooms import GUEST

PARTS = {
    "namespace": GUEST,
    "package": "p",
    "name": "x",
    "activation_id": "a" * 32,
    "rest": "more/of/it",
    "gateway": gateway_id(GUEST),
    "number": "1",
    "key": "0" * 64,
    "service": "keystone",
    "source": "corp",
    "user": "ada",
    "token": "0" * 16,
    "host": "h1",
}
BODIES = {
    "action:write": b'{"exec":{"kind":"python:3","code":"echo"}}',
    "identity:token": b'{"name":"x"}',
    "identity:alias": b'{"person":"x"}',
    "identity:user": b'{"user":"x","password":"0123456789abcdef"}',
    "platform:program": b'{"name":"x"}',
    "policy:sync": b'{"host":"h1","daemons":[]}',
    "policy:check": b'{"rule":"x:y","target":{},"credentials":{},"checks":[]}',
    "rule:write": b'{"status":"inactive","trigger":"/guest/t","action":"/guest/a"}',
}


async def ask(
    web: httpx.AsyncClient,
    endpoint: Endpoint,
    authorization: str | bytes | None,
    parts: Mapping[str, str] = PARTS,
) -> httpx.Response:
    headers: dict[bytes, bytes] = {b"Content-Type": b"application/json"} if endpoint.body else {}
    if authorization:
        headers[b"Authorization"] = authorization.encode() if isinstance(authorization, str) else authorization
    content = BODIES.get(endpoint.permission, b"{}") if endpoint.body else None
    return await web.request(endpoint.method, endpoint.path.format(**parts), headers=headers, content=content)
