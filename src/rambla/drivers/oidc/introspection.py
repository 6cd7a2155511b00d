"""What does the provider itself say of a token that nobody else can read?

Token introspection (RFC 7662): the token is sent to the provider, which says whose it is, as long as it is good. Only
what has the form of a bearer token (RFC 6750) and names no issuer is sent: others' tokens are none of its business.
What it leaves out is not guessed: an answer needs a subject and an end, and refresh tokens open nothing.
"""

import re
from typing import Any
from urllib.parse import quote

import anyio
import msgspec

from rambla.domain.errors import BadCredentials, SourceAway
from rambla.drivers.oidc.client import Client
from rambla.drivers.oidc.provider import Provider

_OPAQUE = re.compile(r"(?!rbl_)[A-Za-z0-9._~+/-]{16,4096}=*")


def is_opaque(token: str) -> bool:
    """Whether it may be one, which no JSON Web Token is."""
    return _OPAQUE.fullmatch(token) is not None and token.count(".") < 2


class Introspection:
    """`client_id` and `secret` are what the platform itself is known by there."""

    def __init__(self, provider: Provider, client: Client, client_id: str, secret: str, timeout_ms: int) -> None:
        self._provider = provider
        self._client = client
        self._auth = (quote(client_id, safe=""), quote(secret, safe=""))  # RFC 6749, 2.3.1
        self._timeout_ms = timeout_ms

    async def claims(self, issuer: str, token: str) -> bytes:
        """What it says, as the claims of a token of that issuer. Raises BadCredentials or SourceAway."""
        fields = {"token": token, "token_type_hint": "access_token"}
        try:
            with anyio.fail_after(self._timeout_ms / 1000):
                said = await self._client.post(await self._provider.introspection(), fields, self._auth)
        except TimeoutError:
            raise self._provider.away("it did not answer in time") from None
        except SourceAway as error:
            raise self._provider.away(str(error.facts["detail"])) from None
        try:
            found: dict[str, Any] = msgspec.json.decode(said, type=dict[str, Any])
        except (ValueError, RecursionError):
            raise self._provider.away("its answer is malformed") from None
        if found.get("active") is not True or str(found.get("token_type")).lower() != "bearer":
            raise BadCredentials()
        return msgspec.json.encode({"iss": issuer, "aud": found.get("client_id", []), **found})
