"""Which files does a journal consist of, and are they whole?

Opens a journal's folder for one process at a time, checks every frame in it, cuts a torn tail, and then writes, reads
and drops frames. `write` is for one thread; `read` and `drop_before` may run in others meanwhile. It knows nothing of
queues and waiters: that is `journal`. The bytes are described in `frames`.

A batch is written only after the one before it is durable. So at most the last frame can be torn, and a bad frame with
a good one after it, or in a segment that is not the last, is damage to durable data: that is reported and never cut.
"""

import errno
import fcntl
import os
import threading
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rambla.kit import frames
from rambla.kit.files import TEMPORARY_SUFFIX, sync_folder, write_durably
from rambla.kit.frames import JournalCorrupt, JournalFailed
from rambla.kit.reader import Reader, Segment

SUFFIX = ".journal"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFull(Exception):
    """There was no room for the batch. The files are as they were before it; a later batch may be tried."""


class Segments:
    """The open files of one journal. `end_seq` is the sequence number the next frame must begin with."""

    def __init__(self, folder: Path, segment_bytes_max: int) -> None:
        """Raises JournalFailed if another journal has this folder open, JournalCorrupt if durable data is damaged."""
        self._folder = folder
        self._segment_bytes_max = segment_bytes_max
        self._lock = threading.Lock()
        self._reader = Reader()
        self._segments: tuple[Segment, ...] = ()
        self._file = -1
        self.recovered: str | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder_lock = _lock(folder)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        for leftover in self._folder.glob(f"*{SUFFIX}{TEMPORARY_SUFFIX}"):
            leftover.unlink()  # a crash while a segment was being made: it holds nothing yet
        paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        self._segments = tuple(_read_segment(path) for path in paths)
        if not self._segments:
            self._add_segment(0)
            self.end_seq = 0
            return
        self.end_seq = self._segments[0].first_seq
        for segment in self._segments:
            if segment.first_seq != self.end_seq:
                raise JournalCorrupt(f"{segment.path}: records {self.end_seq} to {segment.first_seq - 1} are missing")
            last, self._end, self.end_seq = self._check(segment)
        self._file = os.open(segment.path, os.O_RDWR)
        self._cut_after(segment, self._end)
        self._make_durable(last)

    def _check(self, segment: Segment) -> tuple[int, int, int]:
        """Read all of `segment`: offset of its last whole frame, offset after it, sequence number after it."""
        size = segment.path.stat().st_size
        last = offset = frames.SEGMENT_HEADER_BYTES
        seq = segment.first_seq
        with segment.path.open("rb") as file:
            file.seek(offset)
            while header := frames.read_frame_header(file, segment.mark, size - offset):
                if header.first_seq != seq or frames.read_records(file, header) is None:
                    break
                last, offset, seq = offset, offset + header.frame_bytes, header.end_seq
            if offset < size and (segment is not self._segments[-1] or _frame_follows(file, segment, offset, size)):
                raise JournalCorrupt(f"{segment.path}: damaged frame at offset {offset}, record {seq}")
        return last, offset, seq

    def _cut_after(self, segment: Segment, end: int) -> None:
        """Put what follows `end` into a file beside, then cut it off."""
        size = os.fstat(self._file).st_size
        if size == end:
            return
        beside = segment.path.with_name(f"{segment.path.name}.{end}.torn")
        write_durably(beside, os.pread(self._file, size - end, end))
        os.ftruncate(self._file, end)
        self.recovered = (
            f"cut {size - end} bytes of an unfinished write from {segment.path.name}, kept in {beside.name}"
        )

    def _make_durable(self, last: int) -> None:
        """The last frame may have been read from memory only: its writer was killed before fdatasync, or that failed.
        It counts as durable from now on, so write it again, since pages once given up as clean are not synced."""
        _write_all(self._file, os.pread(self._file, self._end - last, last), last)
        os.fsync(self._file)
        sync_folder(self._folder)

    def _add_segment(self, first_seq: int) -> None:
        """Start a new, empty segment. Its header is durable before it gets its name: a named segment has a header."""
        segment = Segment(self._folder / f"{first_seq:020d}{SUFFIX}", frames.new_mark(), first_seq)
        write_durably(segment.path, frames.encode_segment_header(segment.mark, first_seq))
        file = os.open(segment.path, os.O_RDWR)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._end = file, frames.SEGMENT_HEADER_BYTES
        with self._lock:
            self._segments = (*self._segments, segment)

    def write(self, records: Sequence[bytes], time_ms: int) -> None:
        """Append one frame, durable on return. DiskFull: nothing changed. Any other OSError: the end is unknown and
        nothing more may be written."""
        try:
            self._rotate(sum(map(len, records)) + frames.RECORD_HEADER_BYTES * len(records))
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFull(str(error)) from error
            raise
        frame = frames.encode_frame(self._segments[-1].mark, self.end_seq, time_ms, records)
        try:
            _write_all(self._file, frame, self._end)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            os.ftruncate(self._file, self._end)
            raise DiskFull(str(error)) from error
        os.fdatasync(self._file)
        self._end += len(frame)
        self.end_seq += len(records)

    def _rotate(self, body_bytes: int) -> None:
        fits = self._end + frames.FRAME_HEADER_BYTES + body_bytes <= self._segment_bytes_max
        if not fits and self._end > frames.SEGMENT_HEADER_BYTES:
            self._add_segment(self.end_seq)

    def read(self, from_seq: int, upto_seq: int, records_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """See `Reader.read`. What was dropped is passed over."""
        while True:
            segments = self._segments
            try:
                return self._reader.read(segments, from_seq, upto_seq, records_max, bytes_max)
            except FileNotFoundError as error:
                if segments is self._segments:
                    raise JournalCorrupt(f"{error.filename}: the segment is missing") from error

    def drop_before(self, seq: int) -> None:
        """Delete the segments that hold nothing from `seq` on; never the last one."""
        with self._lock:
            keep = max(0, bisect_right(self._segments, seq, key=lambda segment: segment.first_seq) - 1)
            dropped, self._segments = self._segments[:keep], self._segments[keep:]
        for segment in dropped:  # oldest first: a crash in between leaves no hole
            segment.path.unlink()
            sync_folder(self._folder)

    def close(self) -> None:
        """Close the files and let others open the folder. Idempotent."""
        for descriptor in (self._file, self._folder_lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._folder_lock = -1


def _lock(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalFailed(f"the journal in {folder} is open in another process") from error
    return descriptor


def _read_segment(path: Path) -> Segment:
    with path.open("rb") as file:
        decoded = frames.decode_segment_header(file.read(frames.SEGMENT_HEADER_BYTES))
    if decoded is None or path.name != f"{decoded[1]:020d}{SUFFIX}":
        raise JournalCorrupt(f"{path}: damaged segment header at offset 0")
    mark, first_seq = decoded
    return Segment(path, mark, first_seq)


def _frame_follows(file: BinaryIO, segment: Segment, offset: int, size: int) -> bool:
    """Whether a whole frame begins anywhere after `offset`, where a damaged one does."""
    file.seek(offset)
    rest = file.read()
    at = rest.find(segment.mark, 1)
    while at >= 0:
        file.seek(offset + at)
        header = frames.read_frame_header(file, segment.mark, size - offset - at)
        if header and frames.read_records(file, header) is not None:
            return True
        at = rest.find(segment.mark, at + 1)
    return False


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    """Write `content` at `offset`, however many calls the system takes for it."""
    left = memoryview(content)
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written
