"""What is a token of the platform's own, and whose is it?

`rbl_`, the id, and a secret of 256 bits, of which only the SHA-256 is kept: whoever reads the store can use none. A
token makes the callers that its maker was or chose when it was made; revoking its account ends it.
"""

import hashlib
import hmac
import re
import secrets

from msgspec.structs import replace

from rambla.domain.access import Caller
from rambla.domain.errors import BadCredentials
from rambla.identity.identities import Identity, of_token, refuse_revoked
from rambla.identity.ports import AccountStore, ApiToken, TokenStore
from rambla.kit.clock import Clock

_TOKEN = re.compile(r"rbl_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NO_DIGEST = bytes(32)


def is_ours(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


class Tokens:
    def __init__(self, store: TokenStore, accounts: AccountStore, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def prove(self, text: str) -> Identity:
        """Raises BadCredentials."""
        found = _TOKEN.fullmatch(text)
        token = await self._store.get(found[1]) if found else None
        # The comparison is made even for an unknown id, so that its time tells nothing.
        matches = hmac.compare_digest(token.digest if token else _NO_DIGEST, _digest(text))
        if token is None or not matches or token.expires_ms <= self._clock.now_ms():
            raise BadCredentials()
        standing = await self._accounts.get(token.account)
        if standing is None:
            return of_token(token)
        refuse_revoked(standing, token.created_ms)
        return of_token(token, person=standing.person)

    async def issue(
        self, account: str, callers: tuple[Caller, ...], *, kind: str, name: str, lifetime_ms: int
    ) -> tuple[str, ApiToken]:
        """The text, which is known to nobody else from then on, and what is kept of it."""
        now_ms = self._clock.now_ms()
        token_id = secrets.token_hex(8)
        text = _text(token_id)
        token = ApiToken(
            id=token_id,
            digest=_digest(text),
            account=account,
            kind=kind,
            name=name,
            callers=callers,
            created_ms=now_ms,
            expires_ms=now_ms + lifetime_ms,
        )
        await self._store.put(token)
        return text, token

    async def renew(self, token: ApiToken, callers: tuple[Caller, ...], expires_ms: int) -> tuple[str, ApiToken]:
        """Another secret under the same id, in one step: the old one opens nothing any more."""
        text, now_ms = _text(token.id), self._clock.now_ms()
        renewed = replace(token, digest=_digest(text), callers=callers, created_ms=now_ms, expires_ms=expires_ms)
        await self._store.put(renewed)
        return text, renewed

    async def get(self, token_id: str) -> ApiToken | None:
        return await self._store.get(token_id)

    async def of(self, account: str) -> list[ApiToken]:
        return await self._store.of(account)

    async def end(self, token_id: str) -> bool:
        """False if there was none."""
        return await self._store.delete(token_id)

    async def expire(self) -> int:
        return await self._store.expire(self._clock.now_ms())


def id_of(text: str) -> str | None:
    """The public half of a token's text, None if it is none."""
    found = _TOKEN.fullmatch(text)
    return found[1] if found else None


def _text(token_id: str) -> str:
    return f"rbl_{token_id}_{secrets.token_urlsafe(32)}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
