"""How is the platform asked something?

One class for every command: a path and a body in, parsed JSON out, `ApiError` for what was refused. It talks to a
running server, or to an application opened in this process, without the caller seeing a difference.
"""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from rambla.cli import connection
from rambla.cli.errors import ApiError, CliError

IN_PROCESS = "http://rambla"
"""The address of a platform that is opened right here, and closed after the command."""
TIMEOUT = httpx.Timeout(connect=5, read=330, write=120, pool=5)
"""Seconds. A blocking invoke may take its five minutes; code of 48 MB needs time to be sent."""


class Client:
    """`key` or `token` says who asks; `namespace` is the one the key opens, `with_session` says that the token is that
    of a login. Use as an async context manager."""

    def __init__(
        self,
        url: str,
        key: str = "",
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        namespace: str = "",
        trust: ssl.SSLContext | bool = True,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.with_session = False
        user, _, secret = key.partition(":")
        self.url = url
        self.key = key
        self.namespace = namespace
        self._http = httpx.AsyncClient(
            base_url=url,
            auth=(user, secret) if key else None,
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            verify=trust,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """The parsed answer (None if empty). ApiError for a status from 400 on, CliError if nobody answers."""
        _, answer = await self.ask(method, path, query=query, body=body)
        return answer

    async def ask(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[int, Any]:
        """As `call`, with the status before the answer."""
        try:
            response = await self._http.request(method, path, params=query_strings(query or {}), json=body)
        except httpx.HTTPError as error:
            raise CliError(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        answer = parse(response)
        if response.status_code >= httpx.codes.BAD_REQUEST:
            again = response.status_code == httpx.codes.UNAUTHORIZED and self.with_session
            raise ApiError(response.status_code, answer, fix="log in again: rambla login" if again else "")
        return response.status_code, answer


def parse(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        if response.status_code >= httpx.codes.BAD_REQUEST:
            return None
        raise CliError(f"{response.url.host} does not speak this API: its answer is not JSON") from error


def query_strings(query: Mapping[str, Any]) -> dict[str, str]:
    """Without what is None, and with the truth written as JSON writes it."""
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items() if value is not None
    }


def user_client(apihost: str | None, auth: str | None, data: Path | None) -> Client:
    """A client with a namespace's key, or a session."""
    where = connection.find(apihost, auth, data)
    trust = connection.trust(where.url, data)
    client = Client(where.url, where.auth, where.token or None, namespace=where.namespace, trust=trust)
    client.with_session = bool(where.token)
    return client


@asynccontextmanager
async def operating_client(apihost: str | None, data: Path | None) -> AsyncIterator[Client]:
    """A client with the operator's token, or with the session of whoever logged in where there is no such token."""
    if data is None and (apihost or not connection.has_operator(connection.USUAL_DATA)):
        where = connection.with_session(apihost)
        async with Client(where.url, token=where.token, trust=connection.trust(where.url, None)) as client:
            client.with_session = True
            yield client
        return
    if apihost:
        raise CliError("--apihost is for a session, and --data for the operator's token. Fix: give one of them")
    async with operator_client(data or connection.USUAL_DATA) as client:
        yield client


@asynccontextmanager
async def operator_client(data: Path) -> AsyncIterator[Client]:
    """A client with the operator's token: of the server that runs on `data`, else of a platform opened right here."""
    token = connection.operator_token(data)
    url = connection.endpoint(data)
    if url and connection.is_served(data):
        async with Client(url, token=token, trust=connection.trust(url, data)) as client:
            yield client
        return
    from rambla.app import run  # late: a running server spares this process the whole platform

    async with run.offline(data) as application:
        transport = httpx.ASGITransport(application)
        async with Client(IN_PROCESS, token=token, transport=transport) as client:
            yield client
