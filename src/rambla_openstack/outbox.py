"""How does a change survive until it has been told?

A spool folder holds, for each writer process, one folder of numbered segments and beside it a lock file that the writer
holds while it lives (flock: the kernel lets go of it however the process ends). A record is one line: CRC-32 of the
text as 8 hex digits, a space, a JSON object in ASCII. A torn or damaged line is skipped and counted, the lines after it
are still read. Before: `events` writes here through `commit`. After: `shipper` reads, and deletes what it has read.
Nothing here knows what the records mean, and nothing retries.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

LINE_BYTES_MAX = 64 * 1024
SEGMENT_BYTES = 8 * 1024 * 1024
SPOOL_BYTES_MAX = 1024 * 1024 * 1024
_RESCAN_S = 1.0
_CRC_CHARS = 8


class OutboxFull(OSError):
    """The spool has reached its size limit: what reads it has stopped, or is too slow."""


def encode_line(record: Mapping[str, Any]) -> bytes:
    """`record` as one line. Raises ValueError if it is longer than any reader accepts."""
    text = json.dumps(record, separators=(",", ":")).encode("ascii")
    line = b"%08x %b\n" % (zlib.crc32(text), text)
    if len(line) > LINE_BYTES_MAX:
        raise ValueError(f"outbox record of {len(line)} bytes, at most {LINE_BYTES_MAX} are allowed")
    return line


def decode_line(line: bytes) -> dict[str, Any] | None:
    """The record in `line` (without its newline), or None if the line is damaged."""
    checksum, separator, text = line[:_CRC_CHARS], line[_CRC_CHARS : _CRC_CHARS + 1], line[_CRC_CHARS + 1 :]
    if separator != b" " or checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def decode_lines(data: bytes, *, finished: bool) -> tuple[list[dict[str, Any]], int, int]:
    """Records in `data`, how many bytes of it are used up, and how many of those are damaged.

    An unfinished last line is left for the next time, unless the segment is `finished` or no line can be that long.
    """
    records: list[dict[str, Any]] = []
    damaged = 0
    whole = data.rfind(b"\n") + 1
    for line in data[:whole].split(b"\n")[:-1]:
        record = decode_line(line)
        if record is None:
            damaged += len(line) + 1
        else:
            records.append(record)
    rest = len(data) - whole
    if finished or rest > LINE_BYTES_MAX:
        return records, len(data), damaged + rest
    return records, whole, damaged


class Writer:
    """Appends lines to this process's own segments. Opens nothing before the first `write`; not for concurrent use."""

    def __init__(
        self, spool: Path, *, segment_bytes: int = SEGMENT_BYTES, spool_bytes_max: int = SPOOL_BYTES_MAX
    ) -> None:
        self._spool = spool
        self._segment_bytes = segment_bytes
        self._spool_bytes_max = spool_bytes_max
        self._spool_bytes = 0
        self._scanned_at = 0.0
        self._name = ""
        self._folder: Path | None = None
        self._lock: int | None = None
        self._segment: int | None = None
        self._size = 0
        self._number = 0

    def write(self, lines: Sequence[bytes], *, sync: bool) -> None:
        """Append `lines`; with `sync` they are on the disk when this returns. On OSError none of them counts."""
        data = b"".join(lines)
        self._keep_below_limit(len(data))
        segment = self._open_segment(len(data))
        try:
            _write_all(segment, data)
            if sync:
                os.fdatasync(segment)
        except OSError:
            self._take_back(segment)
            raise
        self._size += len(data)
        self._spool_bytes += len(data)

    def close(self) -> None:
        for descriptor in (self._segment, self._lock):
            if descriptor is not None:
                os.close(descriptor)
        self._segment = self._lock = None

    def _keep_below_limit(self, more: int) -> None:
        over = self._spool_bytes + more > self._spool_bytes_max
        if (self._scanned_at == 0.0 or over) and time.monotonic() - self._scanned_at >= _RESCAN_S:
            self._spool_bytes = sum(size for _, size in scan(self._spool))
            self._scanned_at = time.monotonic()
            over = self._spool_bytes + more > self._spool_bytes_max
        if over:
            raise OutboxFull(errno.ENOSPC, f"the outbox holds {self._spool_bytes_max} bytes", str(self._spool))

    def _open_segment(self, more: int) -> int:
        if self._segment is not None and self._size + more > self._segment_bytes and self._size > 0:
            segment, self._segment = self._segment, None
            os.close(segment)
        if self._segment is None:
            folder = self._folder or self._claim()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._number += 1
            self._segment = os.open(folder / f"{self._number:08d}.log", flags, 0o600)
            self._size = 0
            sync_folder(folder)
        return self._segment

    def _claim(self) -> Path:
        """A folder of our own. Its lock is held before it exists, so no reader ever takes it for an orphan."""
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            name = f"{os.getpid()}-{time.time_ns():x}"
            self._lock = os.open(self._spool / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._name = name
        folder = self._spool / self._name
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(self._spool)
        self._folder = folder
        return folder

    def _take_back(self, segment: int) -> None:
        """A write failed half way. What cannot be cut off again is left as the torn end of a finished segment."""
        try:
            os.ftruncate(segment, self._size)
        except OSError:
            self._segment = None
            os.close(segment)


@contextlib.contextmanager
def only_reader(spool: Path) -> Iterator[None]:
    """Two readers of one spool would tell everything twice and delete each other's memory. Raises BlockingIOError."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(spool / "shipper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def scan(spool: Path) -> Iterator[tuple[Path, int]]:
    """Every segment in the spool with its size in bytes."""
    for folder in writer_folders(spool):
        for path in segments(folder):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat().st_size


def writer_folders(spool: Path) -> list[Path]:
    """The folders of all writers, living or dead, oldest first."""
    try:
        found = [Path(entry.path) for entry in os.scandir(spool) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda folder: (folder.name.partition("-")[2], folder.name))


def segments(folder: Path) -> list[Path]:
    """A writer's segments in the order in which they were written."""
    try:
        return sorted(folder.glob("*.log"))
    except FileNotFoundError:
        return []


def is_writer_alive(folder: Path) -> bool:
    """Whether the process that writes to `folder` still exists."""
    try:
        descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_writer(folder: Path) -> None:
    """Remove a dead writer's folder and its lock file."""
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()
    folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str) -> None:
    """Write `path` whole and durably, or leave it as it was; readable by its owner only."""
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
