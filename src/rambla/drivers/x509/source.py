"""Who showed a certificate?

The handshake trusts the authorities of every source of this kind at once, and so proves only that the client has the
key. Whose it is, and whether it is good now, is found out here, by the authorities of this source alone. (port:
rambla.identity.ports.Source)
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
import msgspec
from cryptography import x509

from rambla.domain.errors import BadCredentials, BadSettings
from rambla.domain.proofs import Certificate, Proof
from rambla.drivers.settings import read_settings
from rambla.drivers.x509.authorities import Authorities
from rambla.drivers.x509.names import attributes
from rambla.drivers.x509.revocations import Revocations
from rambla.identity.keys import BYTES_MAX
from rambla.identity.ports import Account
from rambla.kit.clock import Clock

METHOD = "certificate"
FILE_BYTES_MAX = 2**20
_UNREADABLE = (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`user_from` is the name that tells who it is."""

    ca_file: str
    crl_file: str = ""
    user_from: Literal["CN", "UID", "email", "dns", "uri"] = "CN"


class CertificateSource:
    def __init__(self, authorities: Authorities, revocations: Revocations | None, user_from: str, clock: Clock) -> None:
        self._authorities = authorities
        self._revocations = revocations
        self._user_from = user_from
        self._clock = clock

    def takes(self, proof: Proof) -> bool:
        if not isinstance(proof, Certificate):
            return False
        try:
            return _read(proof).issuer in self._authorities.names
        except _UNREADABLE:
            return False

    async def prove(self, proof: Proof) -> Account:
        if not isinstance(proof, Certificate):
            raise BadCredentials()
        if self._revocations is not None:
            await anyio.to_thread.run_sync(self._revocations.read_again)
        try:
            return self._account(_read(proof))
        except _UNREADABLE:
            raise BadCredentials() from None

    async def close(self) -> None:
        pass

    def _account(self, shown: x509.Certificate) -> Account:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        chain = self._authorities.chain(shown, now)
        known_until = self._revocations.refuse(chain, now) if self._revocations else None
        found = attributes(shown)
        users = found.get(self._user_from, ())
        if len(users) != 1:
            raise BadCredentials()
        good_until = shown.not_valid_after_utc
        return Account(
            user=users[0],
            method=METHOD,
            attributes=found,
            issued_ms=_ms(shown.not_valid_before_utc),
            expires_ms=_ms(min(good_until, known_until or good_until)),
        )


def open_source(name: str, given: Mapping[str, Any], catalog: object, clock: Clock) -> CertificateSource:
    """Raises BadSettings."""
    settings = read_settings(f"identity.{name}", Settings, given)
    try:
        with Path(settings.ca_file).open("rb") as file:
            authorities = Authorities(file.read(FILE_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise BadSettings(name=f"identity.{name}", detail=f"ca_file {settings.ca_file}: {error}") from error
    try:
        crl_file = Path(settings.crl_file) if settings.crl_file else None
        revocations = Revocations(name, crl_file, authorities.all) if crl_file else None
    except (OSError, ValueError) as error:
        raise BadSettings(name=f"identity.{name}", detail=f"crl_file {settings.crl_file}: {error}") from error
    return CertificateSource(authorities, revocations, settings.user_from, clock)


def _read(proof: Certificate) -> x509.Certificate:
    """Raises ValueError."""
    if len(proof.der) > BYTES_MAX:
        raise ValueError(len(proof.der))
    return x509.load_der_x509_certificate(proof.der)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
