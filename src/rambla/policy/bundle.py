"""What is a policy as it is published?

A numbered set of layers, its files in the order of their names, with who published them, when and why. The signature
covers all of it, so that whoever can write to the store alone can change none and give none another number. It does
not know what the files mean.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec

from rambla.domain.errors import BadRequest

FORMAT = "rambla policy bundle 1"
FILES_MAX = 100
FILES_BYTES_MAX = 4 * 2**20
NOTE_CHARS_MAX = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./ -]{0,199}")


class File(msgspec.Struct, frozen=True):
    name: str
    text: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """`hash` is that of the files alone, so that the same files have the same. `key` is the public key, in hexadecimal,
    that `signature` is verified by."""

    number: int
    at_ms: int
    author: str
    note: str
    hash: str
    files: tuple[File, ...] = ()
    key: str = ""
    signature: bytes = b""

    @property
    def summary(self) -> "Bundle":
        """Without its files, for lists."""
        return msgspec.structs.replace(self, files=())


def files_of(texts: Mapping[str, str]) -> tuple[File, ...]:
    """The files by name. Raises BadRequest for names and sizes that nobody means."""
    if len(texts) > FILES_MAX:
        raise BadRequest(detail=f"A policy may have {FILES_MAX} files, and these are {len(texts)}.")
    for name in texts:
        if not _NAME.fullmatch(name) or ".." in name:
            raise BadRequest(
                detail=f"'{name[:200]}' is no name of a policy's file: use letters, digits, '.', '-', '_'."
            )
    size = sum(len(text.encode("utf-8", "replace")) for text in texts.values())
    if size > FILES_BYTES_MAX:
        raise BadRequest(detail=f"The files of a policy may have {FILES_BYTES_MAX} bytes together, and have {size}.")
    return tuple(File(name, texts[name]) for name in sorted(texts))


def check_note(note: str) -> str:
    """Raises BadRequest."""
    if len(note) > NOTE_CHARS_MAX:
        raise BadRequest(detail=f"A note may have {NOTE_CHARS_MAX} characters, and this one has {len(note)}.")
    return note


def hash_of(files: Iterable[File]) -> str:
    """SHA-256, in hexadecimal, of the files in the order of their names."""
    pairs = sorted((file.name, file.text) for file in files)
    return hashlib.sha256(msgspec.json.encode(pairs)).hexdigest()


def payload(bundle: Bundle) -> bytes:
    """The bytes that are signed: JSON without spaces, in this order (RFC 8259)."""
    files = [[file.name, file.text] for file in bundle.files]
    named = [bundle.number, bundle.at_ms, bundle.author, bundle.note, bundle.hash]
    return msgspec.json.encode([FORMAT, *named, files])
