"""Is this the code that a second factor shows now?

By time (RFC 6238). The secret lies sealed in the database (AES-GCM), for the one user that it is of, with a key that is
a file elsewhere: who reads the database alone has nothing. Nodes that share a database share the key.
"""

import hmac
import re
import secrets
from pathlib import Path

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rambla.domain.errors import BadSettings
from rambla.kit.files import write_durably

STEP_S = 30
_STEPS_BESIDE = (0, -1, 1)  # for clocks that are half a minute off
_KEY_BYTES = 32
_NONCE_BYTES = 12
_CODE = re.compile(r"[0-9]{6}")
_ISSUER = "Rambla"


class Codes:
    def __init__(self, name: str, key_file: Path) -> None:
        """The key is made at first use. Raises BadSettings if the file holds something else."""
        try:
            if not key_file.exists():
                write_durably(key_file, f"{secrets.token_hex(_KEY_BYTES)}\n".encode())
            key = bytes.fromhex(key_file.read_text().strip())
            self._seal = AESGCM(key)
        except (OSError, ValueError) as error:
            detail = f"{key_file} holds no key: {type(error).__name__}"
            raise BadSettings(name=f"identity.{name}.key_file", detail=detail) from None

    def new(self, account: str) -> tuple[bytes, str]:
        """A sealed secret, and the `otpauth:` address of it."""
        secret = pyotp.random_base32()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, secret.encode(), account.encode())
        return sealed, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)

    def step_of(self, account: str, sealed: bytes, code: str, now_ms: int) -> int | None:
        """The step of time that it is the code of, None if it is none of now."""
        if not _CODE.fullmatch(code):
            return None
        try:
            secret = self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], account.encode()).decode()
        except (InvalidTag, ValueError):
            return None
        now_s = now_ms // 1000
        for beside in _STEPS_BESIDE:
            if hmac.compare_digest(pyotp.TOTP(secret).at(now_s, counter_offset=beside), code):
                return now_s // STEP_S + beside
        return None
