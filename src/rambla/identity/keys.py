"""Whose key is this?

A namespace key (`uuid:secret`, by HTTP Basic) makes a caller of that namespace; a platform token (by Bearer) makes the
operator or an event source. Success is remembered for `ttl_ms`, so a deleted key lives on for that long at most;
failure is never remembered. Neither a key nor a token is ever put into an error or a log.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from rambla.domain.access import Caller
from rambla.domain.entities import Namespace
from rambla.domain.errors import BadCredentials, NotAuthenticated, NotFound
from rambla.identity.ports import NamespaceStore
from rambla.kit.clock import Clock

_REMEMBERED_MAX = 10_000
_HEADER_CHARS_MAX = 4096


class KeyRing:
    def __init__(
        self, namespaces: NamespaceStore, tokens: Mapping[str, Caller], clock: Clock, *, ttl_ms: int = 1000
    ) -> None:
        """`tokens` are the platform's own secrets and whom each makes."""
        self._namespaces = namespaces
        self._tokens = {_digest(token): caller for token, caller in tokens.items()}
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._known: dict[bytes, tuple[Caller, int]] = {}
        self._limits: dict[str, tuple[Namespace, int]] = {}
        self._changes = 0

    async def identify(self, authorization: str | None) -> Caller:
        """The caller whom this `Authorization` header proves.

        Raises NotAuthenticated if there is none, BadCredentials if it proves nobody.
        """
        if not authorization:
            raise NotAuthenticated()
        if len(authorization) > _HEADER_CHARS_MAX:
            raise BadCredentials()
        digest = _digest(authorization)
        now_ms = self._clock.now_ms()
        known = self._known.get(digest)
        if known and known[1] > now_ms:
            return known[0]
        changes = self._changes
        caller = await self._prove(authorization)
        if changes != self._changes:  # true when it was asked, and perhaps no more
            return caller
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[digest] = (caller, now_ms + self._ttl_ms)
        return caller

    async def namespace(self, name: str) -> Namespace:
        """The namespace of a caller, with its limits. Raises NotFound if it was deleted meanwhile."""
        known = self._limits.get(name)
        now_ms = self._clock.now_ms()
        if known and known[1] > now_ms:
            return known[0]
        changes = self._changes
        namespace = await self._namespaces.get(name)
        if namespace is None:
            raise NotFound()
        if changes != self._changes:
            return namespace
        if len(self._limits) >= _REMEMBERED_MAX:
            self._limits.clear()
        self._limits[name] = (namespace, now_ms + self._ttl_ms)
        return namespace

    def forget(self) -> None:
        """Ask the store again from now on: some key or limit was changed."""
        self._changes += 1
        self._known.clear()
        self._limits.clear()

    async def _prove(self, authorization: str) -> Caller:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            caller = self._tokens.get(_digest(value.strip()))
            if caller is None:
                raise BadCredentials()
            return caller
        if scheme.lower() != "basic":
            raise BadCredentials()
        uuid, secret = _parse_basic(value)
        namespace = await self._namespaces.by_uuid(uuid)
        # The comparison is made even for an unknown uuid, so that its time tells nothing.
        expected = namespace.secret if namespace else "-" * len(secret)
        if not hmac.compare_digest(expected.encode(), secret.encode()) or namespace is None:
            raise BadCredentials()
        return Caller(subject=namespace.name, namespace=namespace.name, source="key")


def _parse_basic(value: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError as error:  # no base64, no ASCII, or no UTF-8 inside
        raise BadCredentials() from error
    parts = text.split(":")  # OpenWhisk's clients may append a third part; it means nothing
    if len(parts) < 2:
        raise BadCredentials()
    return parts[0], parts[1]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
