"""What was written is read again, whatever happened to the files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla_openstack import outbox

RECORDS = st.lists(
    st.dictionaries(st.text(max_size=20), st.text(max_size=50) | st.integers() | st.none(), max_size=4), max_size=8
)


def lines_of(records: list[dict[str, Any]]) -> bytes:
    return b"".join(map(outbox.encode_line, records))


@given(RECORDS)
def test_what_is_encoded_is_decoded(records: list[dict[str, Any]]) -> None:
    data = lines_of(records)
    assert outbox.decode_lines(data, finished=True) == (records, len(data), 0)


@given(RECORDS, st.integers(min_value=0), st.booleans())
def test_a_torn_tail_costs_nothing_but_itself(records: list[dict[str, Any]], cut: int, finished: bool) -> None:
    data = lines_of(records)
    torn = data[: cut % (len(data) + 1)]
    found, used, damaged = outbox.decode_lines(torn, finished=finished)
    assert found == records[: len(found)]
    assert len(found) == torn.count(b"\n")
    rest = len(torn) - (torn.rfind(b"\n") + 1)
    assert (used, damaged) == ((len(torn), rest) if finished else (len(torn) - rest, 0))


@given(RECORDS.filter(bool), st.data())
def test_a_flipped_byte_costs_at_most_the_lines_it_touches(records: list[dict[str, Any]], data: st.DataObject) -> None:
    whole = bytearray(lines_of(records))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found, used, damaged = outbox.decode_lines(bytes(whole), finished=True)
    assert used == len(whole)
    assert damaged > 0
    assert len(found) >= len(records) - 2
    assert all(record in records for record in found)


@given(st.binary(max_size=300), st.booleans())
def test_garbage_is_never_taken_for_a_record(data: bytes, finished: bool) -> None:
    found, used, damaged = outbox.decode_lines(data, finished=finished)
    assert found == []
    assert used == damaged <= len(data)


@given(RECORDS, st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_reading_in_pieces_is_reading_it_all(records: list[dict[str, Any]], pieces: list[int]) -> None:
    data, found, at, end = lines_of(records), [], 0, 0
    for piece in [*pieces, 10**6]:
        end = min(len(data), end + piece)
        more, used, damaged = outbox.decode_lines(data[at:end], finished=False)
        assert damaged == 0
        found += more
        at += used
    assert (found, at) == (records, len(data))


def test_a_line_longer_than_any_reader_accepts_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most"):
        outbox.encode_line({"x": "x" * outbox.LINE_BYTES_MAX})


def test_a_writer_opens_nothing_before_it_writes_and_is_alive_until_it_closes(tmp_path: Path) -> None:
    writer = outbox.Writer(tmp_path / "spool")
    assert outbox.writer_folders(tmp_path / "spool") == []
    writer.write([outbox.encode_line({"a": 1})], sync=True)
    [folder] = outbox.writer_folders(tmp_path / "spool")
    assert outbox.is_writer_alive(folder)
    writer.close()
    assert not outbox.is_writer_alive(folder)
    outbox.remove_writer(folder)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_killed_writer_is_not_alive_and_its_lines_are_there(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from rambla_openstack import outbox\n"
        "outbox.Writer(Path(sys.argv[1])).write([outbox.encode_line({'a': 1})], sync=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment).returncode < 0
    [folder] = outbox.writer_folders(tmp_path)
    assert not outbox.is_writer_alive(folder)
    [segment] = outbox.segments(folder)
    assert outbox.decode_lines(segment.read_bytes(), finished=True)[0] == [{"a": 1}]


def test_segments_are_bounded_and_in_order(tmp_path: Path) -> None:
    writer = outbox.Writer(tmp_path, segment_bytes=100)
    for number in range(20):
        writer.write([outbox.encode_line({"number": number})], sync=False)
    writer.close()
    [folder] = outbox.writer_folders(tmp_path)
    paths = outbox.segments(folder)
    assert len(paths) > 1
    assert all(path.stat().st_size <= 100 for path in paths)
    found = [record for path in paths for record in outbox.decode_lines(path.read_bytes(), finished=True)[0]]
    assert found == [{"number": number} for number in range(20)]


def test_a_full_spool_is_refused_and_taken_up_again_when_it_has_been_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_RESCAN_S", 0.0)
    writer = outbox.Writer(tmp_path, segment_bytes=100, spool_bytes_max=300)
    line = outbox.encode_line({"x": "x" * 50})
    fits = 300 // len(line)
    for _ in range(fits):
        writer.write([line], sync=False)
    with pytest.raises(outbox.OutboxFull):
        writer.write([line], sync=False)
    [folder] = outbox.writer_folders(tmp_path)
    assert sum(size for _, size in outbox.scan(tmp_path)) <= 300
    outbox.segments(folder)[0].unlink()
    writer.write([line], sync=True)
    writer.close()


def test_two_readers_of_one_spool_are_refused(tmp_path: Path) -> None:
    with outbox.only_reader(tmp_path), pytest.raises(BlockingIOError), outbox.only_reader(tmp_path):
        pass


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    outbox.replace_file(path, "old")
    outbox.replace_file(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
