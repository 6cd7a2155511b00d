"""With what does somebody prove who they are?

What comes with a request, or is given at a login. None of these is ever shown: whoever prints one sees its kind.
"""

from typing import TypeAlias

import msgspec


class _Secret(msgspec.Struct, frozen=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Password(_Secret, frozen=True, kw_only=True, tag="password"):
    """`code` is that of a second factor, "" if there was none. `domain` and `project` are Keystone's, "" for those that
    the source takes by itself."""

    user: str
    password: str
    code: str = ""
    domain: str = ""
    project: str = ""


class Token(_Secret, frozen=True, kw_only=True, tag="token"):
    """What came as a bearer token: an API token of ours, or an OIDC provider's."""

    token: str


class KeystoneToken(_Secret, frozen=True, kw_only=True, tag="keystone-token"):
    """What came as `X-Auth-Token`."""

    token: str


class ApplicationCredential(_Secret, frozen=True, kw_only=True, tag="application-credential"):
    """Keystone's, by its id."""

    id: str
    secret: str


class Certificate(_Secret, frozen=True, kw_only=True, tag="certificate"):
    """The certificate whose key the connection proved, in DER."""

    der: bytes


Proof: TypeAlias = Password | Token | KeystoneToken | ApplicationCredential | Certificate


class Shown(_Secret, frozen=True):
    """What a request shows, as it came: the header `Authorization`, the header `X-Auth-Token`, the certificate of its
    connection in DER. The first that is there counts. `fingerprint` is the certificate's SHA-256, if it is known."""

    authorization: bytes = b""
    token: bytes = b""
    certificate: bytes = b""
    fingerprint: bytes = b""
