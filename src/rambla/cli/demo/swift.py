"""How does an ordinary user speak to Swift?

By Swift's own API and login (tempauth, v1), with plain HTTP: the demo must not know the store better than its users do.
"""

from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from rambla.cli.errors import CliError

TIMEOUT_S = 30.0


class Swift:
    """One account, by its storage address and token; use as an async context manager."""

    def __init__(self, storage_url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=storage_url, headers={"X-Auth-Token": token}, timeout=TIMEOUT_S, trust_env=False
        )

    @classmethod
    async def login(cls, url: str, user: str, key: str) -> Self:
        """`user` is `account:user`. CliError if the store does not let it in."""
        headers = {"X-Auth-User": user, "X-Auth-Key": key}
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
            response = _checked(await http.get(f"{url.rstrip('/')}/auth/v1.0", headers=headers))
        return cls(response.headers["X-Storage-Url"], response.headers["X-Auth-Token"])

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def create_container(self, container: str) -> None:
        _checked(await self._http.put(_path(container)))

    async def put(self, container: str, name: str, content: bytes) -> None:
        _checked(await self._http.put(_path(container, name), content=content))

    async def get(self, container: str, name: str) -> bytes | None:
        """The object, or None if there is none."""
        response = await self._http.get(_path(container, name))
        return None if response.status_code == httpx.codes.NOT_FOUND else _checked(response).content

    async def delete(self, container: str, name: str) -> None:
        """Also when there is none."""
        response = await self._http.delete(_path(container, name))
        if response.status_code != httpx.codes.NOT_FOUND:
            _checked(response)


def _path(*parts: str) -> str:
    return "/" + "/".join(quote(part) for part in parts)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    request = response.request
    raise CliError(f"Swift refused {request.method} {request.url.path}: HTTP status {response.status_code}")
