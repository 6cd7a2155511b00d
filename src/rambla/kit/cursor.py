"""How far has a reader come, even across a crash?

A number in a small text file, replaced as a whole. A reader stores it after the effect of what it read is durable, so a
crash makes it read some records again and never leave one out.
"""

from pathlib import Path

from rambla.kit.files import write_durably
from rambla.kit.frames import JournalCorrupt


class Cursor:
    """One file, one writer. Both methods block on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> int:
        """The number last stored, 0 if none ever was. Raises JournalCorrupt if the file holds anything else."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        digits = text.removesuffix(b"\n")
        if not digits.isdigit() or digits == text:
            raise JournalCorrupt(f"{self._path} holds no sequence number")
        return int(digits)

    def store(self, seq: int) -> None:
        """Durable on return. Raises OSError, after which the old number is still there."""
        write_durably(self._path, b"%d\n" % seq)
