"""How does a journal look on disk, byte by byte?

A journal is a folder of segment files `<first sequence number, 20 digits>.journal`. All numbers are little-endian.

    segment  = segment header, frame*
    segment header (28 bytes) = magic 8s b"RAMBLAJ" and the format's version in one byte (1), mark 8s,
                                first sequence number u64, CRC-32 u32 of the 24 bytes before it
    frame    = frame header, body: one batch, written by one write and made durable by one fdatasync
    frame header (36 bytes)   = mark 8s, body length u32, record count u32, first sequence number u64,
                                time in ms since the epoch u64, CRC-32 u32 of the 32 bytes before it and the body
    body     = (record length u32, record)*

The mark is random, one per segment, and known to nobody outside: a record whose bytes imitate a frame cannot be taken
for one when the end of a torn file is searched. CRC-32 is zlib's. Pure but for reading from the file it is given.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

MARK_BYTES = 8
SEGMENT_HEADER_BYTES = 28
FRAME_HEADER_BYTES = 36
RECORD_HEADER_BYTES = 4
BODY_BYTES_MAX = 2**32 - 1
_MAGIC = b"RAMBLAJ\x01"
_SEGMENT = struct.Struct("<8s8sQ")
_FRAME = struct.Struct("<8sIIQQ")
_NUMBER = struct.Struct("<I")


class JournalFailed(Exception):
    """The journal could not be opened, or could not make a record durable; the message says why."""


class JournalCorrupt(Exception):
    """Bytes that once were durable are damaged; the message names file and offset. Nothing was changed."""


class FrameHeader(NamedTuple):
    body_bytes: int
    records: int
    first_seq: int
    time_ms: int
    packed: bytes
    crc: int

    @property
    def end_seq(self) -> int:
        return self.first_seq + self.records

    @property
    def frame_bytes(self) -> int:
        return FRAME_HEADER_BYTES + self.body_bytes


def new_mark() -> bytes:
    return os.urandom(MARK_BYTES)


def encode_segment_header(mark: bytes, first_seq: int) -> bytes:
    packed = _SEGMENT.pack(_MAGIC, mark, first_seq)
    return packed + _NUMBER.pack(zlib.crc32(packed))


def decode_segment_header(header: bytes) -> tuple[bytes, int] | None:
    """(mark, first sequence number), or None if these are not the bytes of a segment header of this version."""
    packed, crc = header[: _SEGMENT.size], header[_SEGMENT.size : SEGMENT_HEADER_BYTES]
    if len(header) < SEGMENT_HEADER_BYTES or _NUMBER.unpack(crc)[0] != zlib.crc32(packed):
        return None
    magic, mark, first_seq = _SEGMENT.unpack(packed)
    return (mark, first_seq) if magic == _MAGIC else None


def encode_frame(mark: bytes, first_seq: int, time_ms: int, records: Sequence[bytes]) -> bytes:
    """One batch. The bodies together, with 4 bytes for each, must stay below 4 GiB."""
    parts: list[bytes] = []
    for record in records:
        parts += (_NUMBER.pack(len(record)), record)
    body = b"".join(parts)
    packed = _FRAME.pack(mark, len(body), len(records), first_seq, time_ms)
    return b"".join((packed, _NUMBER.pack(zlib.crc32(body, zlib.crc32(packed))), body))


def read_frame_header(file: BinaryIO, mark: bytes, bytes_left: int) -> FrameHeader | None:
    """The header where `file` stands; None if there is none, or its body would not fit into `bytes_left`.

    It is to be trusted only after `read_records` has compared the checksum.
    """
    raw = file.read(FRAME_HEADER_BYTES)
    if len(raw) < FRAME_HEADER_BYTES:
        return None
    found, body_bytes, count, first_seq, time_ms = _FRAME.unpack_from(raw)
    if found != mark or body_bytes > bytes_left - FRAME_HEADER_BYTES:
        return None
    (crc,) = _NUMBER.unpack_from(raw, _FRAME.size)
    return FrameHeader(body_bytes, count, first_seq, time_ms, raw[: _FRAME.size], crc)


def read_records(file: BinaryIO, header: FrameHeader) -> list[bytes] | None:
    """The records of the frame whose header was just read from `file`; None if anything about it is wrong."""
    body = file.read(header.body_bytes)
    if len(body) < header.body_bytes or zlib.crc32(body, zlib.crc32(header.packed)) != header.crc:
        return None
    records: list[bytes] = []
    offset = 0
    while offset + RECORD_HEADER_BYTES <= len(body):
        (length,) = _NUMBER.unpack_from(body, offset)
        offset += RECORD_HEADER_BYTES + length
        records.append(body[offset - length : offset])
    return records if offset == len(body) and len(records) == header.records else None
