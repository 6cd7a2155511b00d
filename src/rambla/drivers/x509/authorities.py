"""Does a certificate come from the authorities that we trust, and may it stand for a client?

The way from it to one of them is found and verified by `cryptography`, with the rules that browsers have for
authorities. A client's need no other name than its subject, but must say that it is for clients: what an authority made
for a server or for itself is nobody here. Pure.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from rambla.domain.errors import BadCredentials

INTERMEDIATES_MAX = 5
RSA_BITS_MIN = 2048


class Authorities:
    """`all` of them; those that nobody else vouches for are trusted by themselves, the others lead to them."""

    def __init__(self, pem: bytes) -> None:
        """Raises ValueError if there is none that is trusted by itself."""
        self.all = tuple(x509.load_pem_x509_certificates(pem))
        trusted = [each for each in self.all if each.subject == each.issuer]
        self._between = [each for each in self.all if each.subject != each.issuer]
        if not trusted:
            raise ValueError("no certificate in it is its own authority")
        self.names = frozenset(each.subject for each in self.all)
        self._rules = (
            PolicyBuilder()
            .store(Store(trusted))
            .max_chain_depth(INTERMEDIATES_MAX)
            .extension_policies(ca_policy=_FOR_AUTHORITIES, ee_policy=_FOR_CLIENTS)
        )

    def chain(self, shown: x509.Certificate, now: datetime) -> Sequence[x509.Certificate]:
        """From the one that was shown to one that is trusted. Raises BadCredentials."""
        key = shown.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS_MIN:
            raise BadCredentials()
        try:
            return self._rules.time(now).build_client_verifier().verify(shown, self._between).chain
        except VerificationError:
            raise BadCredentials() from None


def _may_certify(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("it is no authority's")


def _may_sign(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("its key may not sign")


def _is_for_clients(policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage) -> None:
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise ValueError("it is not for clients")


_ANY = Criticality.AGNOSTIC
_FOR_AUTHORITIES = (
    ExtensionPolicy.webpki_defaults_ca()
    .may_be_present(x509.KeyUsage, _ANY, _may_certify)
    .may_be_present(x509.AuthorityKeyIdentifier, _ANY, None)
)
_FOR_CLIENTS = (
    ExtensionPolicy.webpki_defaults_ee()
    .may_be_present(x509.SubjectAlternativeName, _ANY, None)
    .may_be_present(x509.AuthorityKeyIdentifier, _ANY, None)
    .may_be_present(x509.KeyUsage, _ANY, _may_sign)
    .require_present(x509.ExtendedKeyUsage, _ANY, _is_for_clients)
)
