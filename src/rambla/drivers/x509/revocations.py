"""Which certificates did their authorities take back?

Their lists (RFC 5280, 5) lie in one file, PEM or DER, which is read again when it changes. What is no list of one of
our authorities leaves the last good ones in force, until these expire: without a list that is good now nobody can say.
"""

import logging
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509

from rambla.domain.errors import BadCredentials, SourceKnowsOthers
from rambla.kit.files import stamp_of

BYTES_MAX = 32 * 2**20
_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_log = logging.getLogger(__name__)


class _List(msgspec.Struct, frozen=True):
    issuer: x509.Certificate
    since: datetime
    until: datetime
    serials: frozenset[int]


class Revocations:
    def __init__(self, source: str, path: Path, authorities: Sequence[x509.Certificate]) -> None:
        """Raises ValueError or OSError."""
        self._source = source
        self._path = path
        self._authorities = authorities
        self._seen = stamp_of(path)
        self._lists = self._read()

    def read_again(self) -> None:
        """Unless the file is the same. It may take a while, and needs a thread."""
        seen = stamp_of(self._path)
        if seen == self._seen:
            return
        self._seen = seen  # also of one that is broken, which is told once and not read for everybody who comes
        try:
            self._lists = self._read()
        except (OSError, ValueError) as error:
            _log.error("identity source %s: the revocations in force stay: %s", self._source, error)

    def refuse(self, chain: Sequence[x509.Certificate], now: datetime) -> datetime | None:
        """None of these is taken back; until when that is known, None for one that stands for itself.

        Raises BadCredentials if one is, SourceKnowsOthers if nobody can say.
        """
        return min((self._until(each, issuer, now) for each, issuer in pairwise(chain)), default=None)

    def _until(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> datetime:
        lists = [each for each in self._lists if each.issuer == issuer and each.since <= now]
        newest = max(lists, key=lambda each: each.since, default=None)
        if newest is not None and certificate.serial_number in newest.serials:
            raise BadCredentials()
        if newest is None or newest.until <= now:
            raise SourceKnowsOthers(source=self._source, detail="its list of revocations is missing or has expired")
        return newest.until

    def _read(self) -> tuple[_List, ...]:
        with self._path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
        if len(content) > BYTES_MAX:
            raise ValueError(f"{self._path} is longer than {BYTES_MAX} bytes")
        pem = _PEM.findall(content)
        lists = [x509.load_pem_x509_crl(each) for each in pem] or [x509.load_der_x509_crl(content)]
        return tuple(self._checked(each) for each in lists)

    def _checked(self, found: x509.CertificateRevocationList) -> _List:
        """Raises ValueError for one that nobody of ours signed, or that is only a part of one."""
        if any(each.critical for each in found.extensions) or found.next_update_utc is None:
            raise ValueError("a list of revocations is partial, or says not how long it is good")
        for issuer in self._authorities:
            key: Any = issuer.public_key()
            if issuer.subject == found.issuer and _may_sign(issuer) and found.is_signature_valid(key):
                serials = frozenset(each.serial_number for each in found)
                return _List(issuer, found.last_update_utc, found.next_update_utc, serials)
        raise ValueError("a list of revocations is signed by none of our authorities")


def _may_sign(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
