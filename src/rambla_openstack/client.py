"""How does a program beside an OpenStack daemon ask another over HTTP?

One kept connection over `http.client`. Every way in which the other side can fail becomes `Failed`; bodies and times
are bounded.
"""

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024


class Failed(Exception):
    """The other side did not do what was asked; `too_much` if it might do less, or the same for somebody else."""

    def __init__(self, reason: str, *, too_much: bool = False) -> None:
        super().__init__(reason)
        self.too_much = too_much


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One kept connection. A request that fails on a kept one, which the server may have closed, is sent once more."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`context` says whose certificate an https URL must have, and which is ours; the system's without it."""
        self._parts = urlsplit(url)
        self._base = self._parts.path.rstrip("/")
        self._context = context
        self._answer_bytes_max, self._timeout_s = answer_bytes_max, timeout_s
        self._kept: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Raises Failed. All that is sent through here may be sent twice."""
        while True:
            kept, self._kept = self._kept, None
            connection = kept or self._connection()
            try:
                connection.request(method, self._base + path, body, headers)
                response = connection.getresponse()
                data = response.read(self._answer_bytes_max + 1)
                answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, data)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if kept is None or isinstance(error, TimeoutError):
                    is_slow = isinstance(error, TimeoutError)
                    raise Failed(f"{type(error).__name__}: {error}", too_much=is_slow) from error
                continue
            if response.isclosed():
                self._kept = connection
            else:
                connection.close()
            return answer

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)
