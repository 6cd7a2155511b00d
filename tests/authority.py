"""Authorities of the tests' own, which certify whatever they are told to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
PARTS = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "UID": NameOID.USER_ID,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
DAY = timedelta(days=1)
_USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")


def subject(*parts: tuple[str, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(PARTS[name], value) for name, value in parts])


def _usage(**named: bool) -> x509.KeyUsage:
    every = dict.fromkeys((*_USAGES, "decipher_only", "digital_signature", "key_cert_sign", "crl_sign"), False)
    return x509.KeyUsage(**{**every, **named})


class Signed:
    """A certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: Any) -> None:
        self.certificate = certificate
        self.key = key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """The files with the certificate and with its key."""
        made, key = folder / f"{name}.pem", folder / f"{name}.key"
        made.write_bytes(self.pem)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made, key


class Authority(Signed):
    """Its own, or made by `above`."""

    def __init__(self, name: str, above: "Authority | None" = None) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject(("CN", name)), key, above or self)
        builder = builder.issuer_name(above.certificate.subject if above else subject(("CN", name)))
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), True)
        super().__init__(builder.sign(above.key if above else key, hashes.SHA256()), key)

    def certify(
        self,
        *parts: tuple[str, str],
        names: Sequence[x509.GeneralName] = (),
        uses: Sequence[x509.ObjectIdentifier] = (CLIENT,),
        begins: timedelta = -DAY,
        ends: timedelta = DAY,
        key: Any = None,
    ) -> Signed:
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject(*parts), key, self, begins, ends).issuer_name(self.certificate.subject)
        builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), False)
        return Signed(builder.sign(self.key, hashes.SHA256()), key)

    def server(self) -> Signed:
        """For 127.0.0.1."""
        here = x509.IPAddress(ip_address("127.0.0.1"))
        return self.certify(("CN", "127.0.0.1"), names=[here], uses=[SERVER])

    def revoke(self, *taken_back: Signed, begins: timedelta = -DAY, ends: timedelta = DAY) -> bytes:
        """The list of those, in PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(self.now + begins).next_update(self.now + ends)
        for each in taken_back:
            revoked = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
            builder = builder.add_revoked_certificate(revoked.revocation_date(self.now + begins).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _builder(
        self, named: x509.Name, key: Any, issuer: "Authority", begins: timedelta = -DAY, ends: timedelta = 30 * DAY
    ) -> x509.CertificateBuilder:
        issuers = key if issuer is self and not hasattr(self, "key") else issuer.key
        return (
            x509.CertificateBuilder()
            .subject_name(named)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins)
            .not_valid_after(self.now + ends)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers.public_key()), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
