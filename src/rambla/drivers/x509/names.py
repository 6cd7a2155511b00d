"""What does a certificate say of its holder?

The parts of its subject under their short names (RFC 4514, such as `CN`, `O`, `OU`), the other names that it has as
`email`, `dns` and `uri`, and its `issuer` and `serial` number. Pure.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

_EMAIL_IN_SUBJECT = "emailAddress"


def attributes(certificate: x509.Certificate) -> dict[str, tuple[str, ...]]:
    """Raises ValueError if it cannot be read."""
    found: dict[str, list[str]] = {}
    for part in certificate.subject:
        if isinstance(part.value, str):
            name = _EMAIL_IN_SUBJECT if part.oid == NameOID.EMAIL_ADDRESS else part.rfc4514_attribute_name
            found.setdefault(name, []).append(part.value)
    names = _other_names(certificate)
    return {
        **{name: tuple(values) for name, values in found.items()},
        "email": tuple(names.get_values_for_type(x509.RFC822Name)),
        "dns": tuple(names.get_values_for_type(x509.DNSName)),
        "uri": tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
        "issuer": (certificate.issuer.rfc4514_string(),),
        "serial": (f"{certificate.serial_number:x}",),
    }


def _other_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])
