"""Which tokens does a provider's word stand behind?

A token is this source's if it says so itself: three parts, and our issuer. Then the provider's key proves it. Where the
settings say so, the provider is asked about those that say nothing. What is said of audience and time is checked.
(port: rambla.identity.ports.Source)
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rambla.domain.errors import BadCredentials, BadSettings
from rambla.domain.proofs import Proof, Token
from rambla.drivers.oidc.addresses import is_safe
from rambla.drivers.oidc.client import Client
from rambla.drivers.oidc.introspection import Introspection, is_opaque
from rambla.drivers.oidc.keys import ALGORITHMS, Algorithm, verify
from rambla.drivers.oidc.provider import Provider, Times
from rambla.drivers.oidc.tokens import Rules, account, header_of, issuer_of
from rambla.drivers.settings import read_secret, read_settings
from rambla.identity.ports import Account
from rambla.kit.clock import Clock

_MS = Annotated[int, Meta(ge=1, le=86_400_000)]
_Name = Annotated[str, Meta(min_length=1, max_length=255)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`client_id` and `scopes` are for those who log in by command line. With `introspect_as`, which has the secret in
    `secret_file` there, the provider is asked about tokens that nobody else can read."""

    issuer: str
    audiences: Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=100)]
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ALGORITHMS
    client_id: str = ""
    scopes: tuple[_Name, ...] = ("openid",)
    introspect_as: str = ""
    secret_file: str = ""
    ca_file: str = ""
    leeway_ms: Annotated[int, Meta(ge=0, le=300_000)] = 30_000
    max_age_ms: Annotated[int, Meta(ge=0, le=31_536_000_000)] = 0
    fetch_ms: Annotated[int, Meta(ge=1, le=60_000)] = 2_000
    keys_ms: _MS = 300_000
    keys_away_ms: _MS = 3_600_000
    keys_pause_ms: _MS = 10_000


class OidcSource:
    """`public` is what whoever wants to log in at the provider must know."""

    def __init__(
        self, settings: Settings, provider: Provider, introspection: Introspection | None, clock: Clock
    ) -> None:
        self.public: Mapping[str, object] = {
            "kind": "oidc",
            "issuer": settings.issuer,
            "client_id": settings.client_id,
            "scopes": list(settings.scopes),
        }
        self._issuer = settings.issuer
        self._algorithms = settings.algorithms
        self._rules = Rules(settings.issuer, settings.audiences, settings.leeway_ms, settings.max_age_ms)
        self._provider = provider
        self._introspection = introspection
        self._clock = clock

    def takes(self, proof: Proof) -> bool:
        if not isinstance(proof, Token):
            return False
        return issuer_of(proof.token) == self._issuer or (self._introspection is not None and is_opaque(proof.token))

    async def prove(self, proof: Proof) -> Account:
        if not isinstance(proof, Token):
            raise BadCredentials()
        if self._introspection is not None and is_opaque(proof.token):
            claims = await self._introspection.claims(self._issuer, proof.token)
        else:
            claims = await self._verified(proof.token)
        return account(claims, self._rules, self._clock.now_ms())

    async def close(self) -> None:
        await self._provider.close()

    async def _verified(self, token: str) -> bytes:
        header = header_of(token)
        if header.alg not in self._algorithms:
            raise BadCredentials()
        return verify(token, await self._provider.key(header.kid, header.alg))


def open_source(name: str, given: Mapping[str, Any], catalog: object, clock: Clock) -> OidcSource:
    """Raises BadSettings."""
    settings = read_settings(f"identity.{name}", Settings, given)
    if not is_safe(settings.issuer) or "?" in settings.issuer:
        detail = "its issuer is an https address, or one of http on this machine, without '?', '#' and '@'"
        raise BadSettings(name=f"identity.{name}", detail=detail)
    secret = read_secret(f"identity.{name}", settings.secret_file)
    if bool(settings.introspect_as) != bool(secret):
        raise BadSettings(name=f"identity.{name}", detail="introspect_as and secret_file belong together")
    times = msgspec.convert(settings, Times, from_attributes=True)
    client = Client(name, timeout_ms=settings.fetch_ms, ca_file=settings.ca_file)
    provider = Provider(name, settings.issuer, settings.algorithms, times, client, clock)
    asks = Introspection(provider, client, settings.introspect_as, secret, settings.fetch_ms) if secret else None
    return OidcSource(settings, provider, asks, clock)
