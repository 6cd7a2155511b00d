"""How is Keystone reached, and what may come back?

One client for each source, which keeps its connections. What Keystone decided comes back as its status; whatever else
happens raises SourceAway, and nothing of what came back is repeated.
"""

import ssl
from collections.abc import Mapping
from typing import NamedTuple

import httpx
import msgspec

from rambla.domain.errors import BadSettings, SourceAway
from rambla.drivers.keystone.bodies import Body

ANSWER_BYTES_MAX = 256 * 1024
CONNECTIONS_MAX = 20
TIMEOUT_S = 60.0  # whoever asks waits for less
_ISSUING = frozenset({201, 400, 401, 403, 404})  # 404: no application credential of that id
_VALIDATING = frozenset({200, 400, 401, 403, 404})


class Reply(NamedTuple):
    """`token` is what came as X-Subject-Token."""

    status: int
    token: str
    body: bytes

    def __repr__(self) -> str:
        return f"<Reply {self.status}>"


class Client:
    def __init__(self, name: str, url: str, *, ca_file: str = "") -> None:
        """`url` ends with /v3; `ca_file` holds the authorities to trust in place of the system's.

        Raises BadSettings."""
        self._name = name
        self._tokens = f"{url}/auth/tokens?nocatalog"
        try:
            verify = ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            detail = f"ca_file {ca_file} cannot be read: {type(error).__name__}"
            raise BadSettings(name=f"identity.{name}", detail=detail) from error
        self._client = httpx.AsyncClient(
            verify=verify,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            follow_redirects=False,
            trust_env=False,
        )

    async def issue(self, body: Body) -> Reply:
        """Ask for a token. Raises SourceAway."""
        headers = {"Content-Type": "application/json"}
        return self._decided(await self._send("POST", headers, msgspec.json.encode(body)), _ISSUING)

    async def validate(self, token: str, by: str) -> Reply:
        """Ask about a token, by the right of another one. Raises SourceAway."""
        return self._decided(await self._send("GET", {"X-Auth-Token": by, "X-Subject-Token": token}), _VALIDATING)

    def away(self, detail: str) -> SourceAway:
        return SourceAway(source=self._name, detail=detail)

    async def close(self) -> None:
        await self._client.aclose()

    def _decided(self, reply: Reply, statuses: frozenset[int]) -> Reply:
        if reply.status not in statuses:
            raise self.away(f"it answered with status {reply.status}")
        return reply

    async def _send(self, method: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        request = self._client.build_request(method, self._tokens, content=body, headers=headers)
        try:
            try:
                return await self._once(request)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                return await self._once(request)  # on a connection that Keystone closed just then, being idle
        except httpx.TimeoutException as error:
            raise self.away("it did not answer in time") from error
        except httpx.HTTPError as error:
            raise self.away(f"it cannot be reached: {type(error).__name__}") from error

    async def _once(self, request: httpx.Request) -> Reply:
        response = await self._client.send(request, stream=True)
        try:
            received = await self._bounded(response)
        finally:
            await response.aclose()
        return Reply(response.status_code, response.headers.get("x-subject-token", ""), received)

    async def _bounded(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.away("its answer is malformed")
        received = bytearray()
        async for chunk in response.aiter_raw():
            received += chunk
            if len(received) > ANSWER_BYTES_MAX:
                raise self.away(f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
        return bytes(received)
