"""How are a journal's records read again and again from where one stopped?

Given the segments and a sequence number, walks the frames from there. It remembers where the last few readings ended,
so that a tailer's next reading begins at once and does not search. May run in any thread while a writer appends: it
never looks beyond the number it is given, and everything below that is durable.
"""

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rambla.kit import frames
from rambla.kit.frames import FrameHeader, JournalCorrupt

_PLACES_MAX = 32
_BUFFER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Segment:
    path: Path
    mark: bytes
    first_seq: int


@dataclass(frozen=True, slots=True)
class Place:
    """The frame that begins with record `seq` lies at `offset`, or will."""

    segment: Segment
    offset: int
    seq: int


class Reader:
    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._lock = threading.Lock()

    def read(
        self, segments: Sequence[Segment], from_seq: int, upto_seq: int, records_max: int, bytes_max: int
    ) -> list[tuple[int, bytes]]:
        """Records `from_seq` to below `upto_seq`: at most `records_max` of at most `bytes_max` together, but one at
        least if there is any. Raises JournalCorrupt, and FileNotFoundError for a segment that was deleted meanwhile."""
        found: list[tuple[int, bytes]] = []
        for place, header, file in _frames(segments, self._place_of(segments, from_seq), upto_seq):
            if header.end_seq <= from_seq:
                continue
            for seq, record in enumerate(_records(file, header, place), header.first_seq):
                if seq < from_seq:
                    continue
                if found and (len(found) >= records_max or len(record) > bytes_max):
                    self._remember(seq, place)
                    return found
                found.append((seq, record))
                bytes_max -= len(record)
            next_place = Place(place.segment, place.offset + header.frame_bytes, header.end_seq)
            self._remember(header.end_seq, next_place)
            if len(found) >= records_max or bytes_max <= 0:
                break
        return found

    def _place_of(self, segments: Sequence[Segment], seq: int) -> Place:
        with self._lock:
            known = self._places.get(seq)
        if known and known.segment in segments:
            return known
        segment = segments[max(0, bisect_right(segments, seq, key=lambda each: each.first_seq) - 1)]
        return Place(segment, frames.SEGMENT_HEADER_BYTES, segment.first_seq)

    def _remember(self, seq: int, place: Place) -> None:
        with self._lock:
            self._places.pop(seq, None)
            self._places[seq] = place
            while len(self._places) > _PLACES_MAX:
                del self._places[next(iter(self._places))]


def _frames(segments: Sequence[Segment], place: Place, upto_seq: int) -> Iterator[tuple[Place, FrameHeader, BinaryIO]]:
    """Each frame from `place` on, its header read and its file standing before its body."""
    index = segments.index(place.segment)
    for segment, following in zip(segments[index:], [*segments[index + 1 :], None], strict=True):
        end_seq = min(upto_seq, following.first_seq) if following else upto_seq
        if place.seq >= end_seq:
            place = Place(following, frames.SEGMENT_HEADER_BYTES, following.first_seq) if following else place
            continue
        with segment.path.open("rb", buffering=_BUFFER_BYTES) as file:
            size = os.fstat(file.fileno()).st_size
            while place.seq < end_seq:
                file.seek(place.offset)
                header = frames.read_frame_header(file, segment.mark, size - place.offset)
                if header is None or header.first_seq != place.seq:
                    raise _damaged(place)
                yield place, header, file
                place = Place(segment, place.offset + header.frame_bytes, header.end_seq)
        if following:
            place = Place(following, frames.SEGMENT_HEADER_BYTES, following.first_seq)


def _records(file: BinaryIO, header: FrameHeader, place: Place) -> list[bytes]:
    records = frames.read_records(file, header)
    if records is None:
        raise _damaged(place)
    return records


def _damaged(place: Place) -> JournalCorrupt:
    return JournalCorrupt(f"{place.segment.path}: damaged frame at offset {place.offset}, record {place.seq}")
