"""How is a provider asked, and what may come back?

One client for each provider, which keeps its connections. What is no answer of status 200 within bounds raises, and
nothing of it is repeated.
"""

import ssl
from collections.abc import Mapping

import httpx

from rambla.domain.errors import BadSettings, SourceAway

ANSWER_BYTES_MAX = 256 * 1024
CONNECTIONS_MAX = 20


class Client:
    def __init__(self, name: str, *, timeout_ms: int, ca_file: str) -> None:
        """`ca_file` holds the authorities to trust in place of the system's. Raises BadSettings."""
        self._name = name
        try:
            verify = ssl.create_default_context(cafile=ca_file or None)
        except (OSError, ssl.SSLError) as error:
            detail = f"ca_file {ca_file} cannot be read: {type(error).__name__}"
            raise BadSettings(name=f"identity.{name}", detail=detail) from error
        self._client = httpx.AsyncClient(
            verify=verify,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=timeout_ms / 1000,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            follow_redirects=False,
            trust_env=False,
        )

    async def get(self, url: str) -> bytes:
        """Raises SourceAway."""
        return await self._ask("GET", url)

    async def post(self, url: str, fields: Mapping[str, str], auth: tuple[str, str]) -> bytes:
        """Raises SourceAway."""
        return await self._ask("POST", url, fields, auth)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(
        self, method: str, url: str, fields: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> bytes:
        try:
            async with self._client.stream(method, url, data=fields, auth=auth) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._away(f"it answered with status {response.status_code}")
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise self._away("its answer is malformed")
                received = bytearray()
                async for chunk in response.aiter_raw():
                    received += chunk
                    if len(received) > ANSWER_BYTES_MAX:
                        raise self._away(f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
                return bytes(received)
        except httpx.TimeoutException:
            raise self._away("it did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(f"it cannot be reached: {type(error).__name__}") from None

    def _away(self, detail: str) -> SourceAway:
        return SourceAway(source=self._name, detail=detail)
