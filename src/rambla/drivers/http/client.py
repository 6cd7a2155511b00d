"""How is a question posted, and what may come back?

One client for each enforcer, which keeps its connections. What is no answer of status 200 within bounds raises; nothing
of what came back is repeated, as it may hold what the other side keeps secret.
"""

import ssl
from collections.abc import Mapping

import httpx

from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer

ANSWER_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 256 * 1024
CONNECTIONS_MAX = 20
URL_CHARS_MAX = 4000


class Poster:
    def __init__(self, name: str, *, timeout_ms: int, ca_file: str = "", token: str = "") -> None:
        """`ca_file` holds the authorities to trust in place of the system's. Raises BadSettings."""
        self._name = name
        try:
            verify = ssl.create_default_context(cafile=ca_file or None)
            self._client = httpx.AsyncClient(
                verify=verify,
                headers={"Accept-Encoding": "identity", **({"Authorization": f"Bearer {token}"} if token else {})},
                timeout=timeout_ms / 1000,
                limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
                follow_redirects=False,
                trust_env=False,
            )
        except (OSError, ssl.SSLError) as error:
            detail = f"ca_file {ca_file} cannot be read: {type(error).__name__}"
            raise BadSettings(name=f"enforcers.{name}", detail=detail) from error
        except (UnicodeEncodeError, httpx.InvalidURL):
            raise BadSettings(name=f"enforcers.{name}", detail="the secret is no text for a header") from None

    async def post(self, url: str, body: bytes, content_type: str) -> bytes:
        """The answer's body. Raises EnforcerAway or NoAnswer."""
        headers = {"Content-Type": content_type}
        try:
            async with self._client.stream("POST", url, content=body, headers=headers) as response:
                self._refuse(response.status_code, response.headers)
                return await self._bounded(response)
        except httpx.InvalidURL:
            raise NoAnswer(enforcer=self._name, detail="what was filled in makes no address") from None
        except httpx.TimeoutException as error:
            raise EnforcerAway(enforcer=self._name, detail="it did not answer in time") from error
        except httpx.HTTPError as error:
            raise EnforcerAway(enforcer=self._name, detail=f"it cannot be reached: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.aclose()

    def bounded(self, url: str, body: bytes) -> None:
        """Raises NoAnswer for what is too large to be asked."""
        if len(body) > BODY_BYTES_MAX or len(url) > URL_CHARS_MAX:
            raise NoAnswer(enforcer=self._name, detail="the question is too large")

    def malformed(self) -> NoAnswer:
        return NoAnswer(enforcer=self._name, detail="its answer is malformed")

    def _refuse(self, status: int, headers: Mapping[str, str]) -> None:
        if 300 <= status < 400:
            raise NoAnswer(enforcer=self._name, detail=f"it answered with a redirect ({status}), which is not followed")
        if status in (502, 503, 504):  # of 500 the question itself may be the cause
            raise EnforcerAway(enforcer=self._name, detail=f"it answered with status {status}")
        if status != 200:
            raise NoAnswer(enforcer=self._name, detail=f"it answered with status {status}")
        if headers.get("content-encoding", "identity") != "identity":
            raise self.malformed()

    async def _bounded(self, response: httpx.Response) -> bytes:
        received = bytearray()
        async for chunk in response.aiter_raw():
            received += chunk
            if len(received) > ANSWER_BYTES_MAX:
                raise NoAnswer(enforcer=self._name, detail=f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
        return bytes(received)
