"""Whose key is this?

A namespace key (`uuid:secret`, by HTTP Basic) makes a caller of that namespace; a platform token (by Bearer) makes the
operator or an event source. Namespaces and their limits are remembered for `ttl_ms`. Neither a key nor a token is ever
put into an error or a log.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from rambla.domain.access import Caller
from rambla.domain.entities import Namespace
from rambla.domain.errors import BadCredentials, NotFound
from rambla.identity.ports import NamespaceStore
from rambla.kit.clock import Clock

BYTES_MAX = 16 * 1024
"""Of a header that proves somebody, or of a certificate; tokens of providers with many groups are long."""
_REMEMBERED_MAX = 10_000


class KeyRing:
    """`changes` counts how often all was forgotten, so that what was found before can be told from what is true."""

    def __init__(
        self, namespaces: NamespaceStore, tokens: Mapping[str, Caller], clock: Clock, *, ttl_ms: int = 1000
    ) -> None:
        """`tokens` are the platform's own secrets and whom each makes."""
        self.changes = 0
        self._namespaces = namespaces
        self._tokens = {_digest(token): caller for token, caller in tokens.items()}
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._limits: dict[str, tuple[Namespace, int]] = {}

    def of_token(self, token: str) -> Caller | None:
        return self._tokens.get(_digest(token))

    async def of_key(self, uuid: str, secret: str) -> Caller:
        """Raises BadCredentials."""
        namespace = await self._namespaces.by_uuid(uuid)
        # The comparison is made even for an unknown uuid, so that its time tells nothing.
        expected = namespace.secret if namespace else "-" * len(secret)
        if not hmac.compare_digest(expected.encode(), secret.encode()) or namespace is None:
            raise BadCredentials()
        return Caller(subject=namespace.name, namespace=namespace.name, source="key", method="key")

    async def namespace(self, name: str) -> Namespace:
        """The namespace of a caller, with its limits. Raises NotFound if it was deleted meanwhile."""
        known = self._limits.get(name)
        now_ms = self._clock.now_ms()
        if known and known[1] > now_ms:
            return known[0]
        changes = self.changes
        namespace = await self._namespaces.get(name)
        if namespace is None:
            raise NotFound()
        if changes != self.changes:  # true when it was asked, and perhaps no more
            return namespace
        if len(self._limits) >= _REMEMBERED_MAX:
            self._limits.clear()
        self._limits[name] = (namespace, now_ms + self._ttl_ms)
        return namespace

    def forget(self) -> None:
        """Ask the store again from now on: some key or limit was changed."""
        self.changes += 1
        self._limits.clear()


def parse_basic(value: str) -> tuple[str, str]:
    """User and password of HTTP Basic. Raises BadCredentials."""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError as error:  # no base64, no ASCII, or no UTF-8 inside
        raise BadCredentials() from error
    user, colon, secret = text.partition(":")
    if not colon:
        raise BadCredentials()
    return user, secret


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
