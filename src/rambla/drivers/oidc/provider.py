"""Which keys does a provider have now?

Asked where its discovery document says (OpenID Connect Discovery 1.0). Its keys are remembered: they are asked for
again after `keys_ms`, so that one that it removed counts no longer than that, and when a token names one that is not
known, but never twice within `keys_pause_ms`, whatever strangers send. While it is away those that are known count for
`keys_away_ms`, and only the first to find out waits for it.
"""

import logging

import anyio
import msgspec

from rambla.domain.errors import BadCredentials, SourceAway, SourceKnowsOthers
from rambla.drivers.oidc.addresses import is_safe
from rambla.drivers.oidc.client import Client
from rambla.drivers.oidc.keys import Algorithm, Key, choose, read_keys
from rambla.kit.clock import Clock

_DISCOVERY = "/.well-known/openid-configuration"
_MS = 1_000_000
_log = logging.getLogger(__name__)


class Times(msgspec.Struct, frozen=True):
    fetch_ms: int
    keys_ms: int
    keys_away_ms: int
    keys_pause_ms: int


class _Discovered(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str
    introspection_endpoint: str = ""


class Provider:
    def __init__(
        self, name: str, issuer: str, algorithms: tuple[Algorithm, ...], times: Times, client: Client, clock: Clock
    ) -> None:
        self._name = name
        self._issuer = issuer
        self._algorithms = algorithms
        self._times = times
        self._clock = clock
        self._client = client
        self._introspection = ""
        self._keys: tuple[Key, ...] = ()
        self._read_ns: int | None = None
        self._tried_ns: int | None = None
        self._trouble = ""
        self._asking = anyio.Lock()

    async def key(self, name: str | None, algorithm: str) -> Key:
        """The key of that name for that algorithm.

        Raises BadCredentials if it has none, SourceAway if nobody can say.
        """
        known = self._known(name, algorithm)
        if known and (self._asking.locked() or self._age_ms() < self._times.keys_ms):
            return known
        await self._ask_again()
        if known := self._known(name, algorithm):
            return known
        if not self._trouble:
            raise BadCredentials()
        raise self.away(self._trouble)

    async def introspection(self) -> str:
        """The address where it tells of tokens (RFC 7662). Raises SourceAway if it has none, or nobody can say."""
        if self._age_ms() >= self._times.keys_away_ms:
            await self._ask_again()
        if not is_safe(self._introspection):
            raise self.away(self._trouble or "it tells of no tokens at an https address")
        return self._introspection

    def away(self, detail: str) -> SourceAway:
        """That it cannot say of one, though perhaps of others: whose key is known."""
        kind = SourceKnowsOthers if self._keys and self._age_ms() < self._times.keys_away_ms else SourceAway
        return kind(source=self._name, detail=detail)

    async def close(self) -> None:
        await self._client.close()

    def _known(self, name: str | None, algorithm: str) -> Key | None:
        return choose(self._keys, name, algorithm) if self._age_ms() < self._times.keys_away_ms else None

    def _age_ms(self) -> float:
        return float("inf") if self._read_ns is None else (self._clock.monotonic_ns() - self._read_ns) / _MS

    async def _ask_again(self) -> None:
        async with self._asking:
            now_ns = self._clock.monotonic_ns()
            if self._tried_ns is not None and now_ns - self._tried_ns < self._times.keys_pause_ms * _MS:
                return
            self._tried_ns = now_ns
            before, self._trouble = self._trouble, "it did not answer in time"  # true if this is cancelled, too
            with anyio.move_on_after(self._times.fetch_ms / 1000):
                self._trouble = await self._fetch(now_ns)
            if self._trouble and not before:
                _log.warning("identity source %s: its keys cannot be read again: %s", self._name, self._trouble)

    async def _fetch(self, now_ns: int) -> str:
        """What went wrong, "" if nothing did."""
        try:
            found = msgspec.json.decode(await self._client.get(self._issuer.rstrip("/") + _DISCOVERY), type=_Discovered)
            if found.issuer != self._issuer:
                return "its discovery document is another issuer's"
            if not is_safe(found.jwks_uri):
                return "its keys are at no https address"
            self._keys = read_keys(await self._client.get(found.jwks_uri), self._algorithms)
        except SourceAway as error:
            return str(error.facts["detail"])
        except (ValueError, RecursionError):
            return "its answer is malformed"
        self._read_ns = now_ns
        self._introspection = found.introspection_endpoint
        return ""
