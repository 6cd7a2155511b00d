"""Keys in files of the data folder. (port: rambla.policy.ports.Signer)

`policy.key` is the private key, made at first use, readable for its owner only. `policy.trusted` has a public key in
each line, in hexadecimal, and behind it the number of the last bundle that it may have signed, if there is one.
"""

import re
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rambla.domain.errors import BadRequest, StorageFailed
from rambla.kit.files import write_durably
from rambla.policy.bundle import Bundle

PRIVATE = "policy.key"
TRUSTED = "policy.trusted"
KEYS_MAX = 1000
_LINE = re.compile(r"[0-9a-f]{64}( [0-9]{1,18})?")


class FileSigner:
    """One process at a time, which the lock of the data folder sees to."""

    def __init__(self, folder: Path) -> None:
        """Raises StorageFailed if a file cannot be read, or holds something else."""
        self._private, self._trusted = folder / PRIVATE, folder / TRUSTED
        self._changing = Lock()
        try:
            self._key = self._read_key()
            self._keys = self._read_trusted()
        except (OSError, ValueError) as error:
            raise StorageFailed(detail=f"the keys of policies in {folder}: {error}") from None
        own = public(self._key)
        if own not in self._keys:
            self._write({**self._keys, own: None})

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        return public(self._key), self._key.sign(payload)

    def verifies(self, payload: bytes, bundle: Bundle) -> bool:
        if bundle.key not in self._keys:
            return False
        upto = self._keys[bundle.key]
        if upto is not None and bundle.number > upto:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(bundle.key)).verify(bundle.signature, payload)
        except (InvalidSignature, ValueError):
            return False
        return True

    def keys(self) -> dict[str, int | None]:
        own = public(self._key)
        return {**{key: upto for key, upto in self._keys.items() if key != own}, own: self._keys[own]}

    def rotate(self, upto: int) -> str:
        with self._changing:
            key = Ed25519PrivateKey.generate()
            # Trusted before it signs: a crash in between leaves the old key signing, and a trusted one that nobody has.
            self._write({**self._keys, public(key): None})
            self._write_key(key)
            old, self._key = public(self._key), key
            self._write({**self._keys, old: upto})
            return public(key)

    def trust(self, key: str) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        except ValueError:
            raise BadRequest(detail="A public key has 64 hexadecimal digits.") from None
        with self._changing:
            if len(self._keys) >= KEYS_MAX:
                raise BadRequest(detail=f"{KEYS_MAX} keys are trusted already: take some out of {TRUSTED}.")
            self._write({**self._keys, key.lower(): None})

    def _read_key(self) -> Ed25519PrivateKey:
        if not self._private.exists():
            key = Ed25519PrivateKey.generate()
            self._write_key(key)
            return key
        if self._private.stat().st_mode & 0o077:
            raise ValueError(f"others may read {PRIVATE}. Fix: chmod 600 {PRIVATE}")
        try:
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._private.read_text().strip()))
        except ValueError:
            raise ValueError(f"{PRIVATE} holds no key of 64 hexadecimal digits") from None

    def _read_trusted(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        lines = self._trusted.read_text().split("\n") if self._trusted.exists() else []
        for number, line in enumerate(lines, 1):
            key, _, upto = line.strip().partition(" ")
            if not key or key.startswith("#"):
                continue
            if not _LINE.fullmatch(line.strip()):
                raise ValueError(f"line {number} of {TRUSTED} is no key, with a bundle's number behind it or without")
            found[key] = int(upto) if upto else None
        return found

    def _write_key(self, key: Ed25519PrivateKey) -> None:
        _write(self._private, f"{key.private_bytes_raw().hex()}\n")

    def _write(self, keys: dict[str, int | None]) -> None:
        lines = [key if upto is None else f"{key} {upto}" for key, upto in keys.items()]
        _write(self._trusted, "".join(f"{line}\n" for line in lines))
        self._keys = keys


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def _write(path: Path, text: str) -> None:
    try:
        write_durably(path, text.encode())
    except OSError as error:
        raise StorageFailed(detail=f"{path}: {error.strerror}") from error
