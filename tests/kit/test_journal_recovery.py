"""What a journal finds when it is opened: torn tails are cut, damage is reported, nothing is invented."""

import asyncio
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rambla.kit.frames import FRAME_HEADER_BYTES, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, encode_frame
from rambla.kit.journal import Journal, JournalCorrupt

ALL = {"records_max": 1_000_000, "bytes_max": 1 << 40}
BATCHES = [[b"one"], [b"two", b"", b"three"], [b"x" * 40], [b"four", b"five"]]


async def write(folder: Path, batches: list[list[bytes]], segment_bytes_max: int) -> None:
    """One frame for each batch: the frames begin as a reader of the format would expect."""
    journal = Journal.open(folder, segment_bytes_max=segment_bytes_max)
    for batch in batches:
        journal._segments.write(batch, 0)
    await journal.close()


async def reopened(folder: Path, segment_bytes_max: int = 1 << 20) -> tuple[list[bytes], str | None]:
    """What is found, after one more record could be written and read back too."""
    journal = Journal.open(folder, segment_bytes_max=segment_bytes_max)
    found = [payload for _, payload in journal.read(0, **ALL)]
    assert [seq for seq, _ in journal.read(0, **ALL)] == list(range(len(found)))
    assert await journal.commit(b"more") == len(found)
    await journal.close()
    journal = Journal.open(folder, segment_bytes_max=segment_bytes_max)
    assert [payload for _, payload in journal.read(0, **ALL)] == [*found, b"more"]
    await journal.close()
    return found, journal.recovered


def frame_ends(batches: list[list[bytes]]) -> list[int]:
    ends = [SEGMENT_HEADER_BYTES]
    for batch in batches:
        ends.append(ends[-1] + FRAME_HEADER_BYTES + sum(RECORD_HEADER_BYTES + len(record) for record in batch))
    return ends


def test_a_file_cut_at_any_byte_keeps_every_whole_batch_and_the_cut_bytes(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path / "whole", BATCHES, 1 << 20))
    (whole,) = (tmp_path / "whole").glob("*.journal")
    ends = frame_ends(BATCHES)
    assert whole.stat().st_size == ends[-1]
    for cut in range(SEGMENT_HEADER_BYTES, ends[-1] + 1):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / whole.name).write_bytes(whole.read_bytes()[:cut])
        kept = sum(end <= cut for end in ends) - 1
        found, _ = asyncio.run(reopened(folder))
        assert found == [record for batch in BATCHES[:kept] for record in batch]
        torn = [path.read_bytes() for path in folder.glob("*.torn")]
        assert torn == ([whole.read_bytes()[ends[kept] : cut]] if cut > ends[kept] else [])


@pytest.mark.parametrize("segment_bytes_max", [1 << 20, 60])
def test_any_flipped_byte_is_reported_unless_it_is_in_the_last_batch(tmp_path: Path, segment_bytes_max: int) -> None:
    asyncio.run(write(tmp_path / "whole", BATCHES, segment_bytes_max))
    paths = sorted((tmp_path / "whole").glob("*.journal"))
    last_frame_bytes = frame_ends(BATCHES)[-1] - frame_ends(BATCHES)[-2]
    for path in paths:
        content = path.read_bytes()
        for offset in range(len(content)):
            folder = tmp_path / "flipped"
            shutil.copytree(tmp_path / "whole", folder)
            (folder / path.name).write_bytes(content[:offset] + bytes([content[offset] ^ 0x10]) + content[offset + 1 :])
            if path is paths[-1] and offset >= len(content) - last_frame_bytes:
                assert asyncio.run(reopened(folder))[0] == [record for batch in BATCHES[:-1] for record in batch]
            else:
                with pytest.raises(JournalCorrupt, match=f"{path.name}.*offset"):
                    Journal.open(folder)
                assert not list(folder.glob("*.torn"))
            shutil.rmtree(folder)


async def test_a_missing_segment_is_reported(tmp_path: Path) -> None:
    await write(tmp_path, BATCHES, 60)
    paths = sorted(tmp_path.glob("*.journal"))
    paths[1].unlink()
    with pytest.raises(JournalCorrupt, match="records 1 to 3 are missing"):
        Journal.open(tmp_path)


async def test_a_segment_cut_between_frames_is_reported_when_others_follow(tmp_path: Path) -> None:
    await write(tmp_path, BATCHES, 130)
    first = min(tmp_path.glob("*.journal"))
    first.write_bytes(first.read_bytes()[: frame_ends(BATCHES)[1]])
    with pytest.raises(JournalCorrupt, match="are missing"):
        Journal.open(tmp_path)


async def test_zeros_after_the_end_are_a_torn_tail(tmp_path: Path) -> None:
    await write(tmp_path, BATCHES, 1 << 20)
    (path,) = tmp_path.glob("*.journal")
    with path.open("ab") as file:
        file.write(bytes(5000))
    journal = Journal.open(tmp_path)
    assert journal.recovered == f"cut 5000 bytes of an unfinished write from {path.name}, kept in " + next(
        torn.name for torn in tmp_path.glob("*.torn")
    )
    assert journal.next_seq == 7
    await journal.close()


async def test_a_record_that_imitates_a_frame_does_not_turn_a_torn_tail_into_damage(tmp_path: Path) -> None:
    forged = encode_frame(b"whatever", 1, 0, [b"forged"])
    await write(tmp_path, [[b"first"], [forged * 3 + b"end"]], 1 << 20)
    (path,) = tmp_path.glob("*.journal")
    path.write_bytes(path.read_bytes()[:-1])
    assert (await reopened(tmp_path))[0] == [b"first"]


async def test_a_segment_that_was_being_made_when_the_power_went_is_cleared_away(tmp_path: Path) -> None:
    await write(tmp_path, BATCHES, 1 << 20)
    (tmp_path / "00000000000000000007.journal.new").write_bytes(b"RAMB")
    assert len((await reopened(tmp_path))[0]) == 7
    assert not list(tmp_path.glob("*.new"))


record = st.binary(max_size=60)
step = st.one_of(
    st.tuples(st.just("append"), record),
    st.tuples(st.just("commit"), record),
    st.tuples(st.just("reopen"), st.just(b"")),
    st.tuples(st.just("tear"), st.binary(min_size=1, max_size=50)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(step, max_size=25), st.integers(100, 400))
def test_whatever_happens_between_the_records_are_those_written_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes]], segment_bytes_max: int
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("journal"), steps, segment_bytes_max))


async def _play(folder: Path, steps: list[tuple[str, bytes]], segment_bytes_max: int) -> None:
    written: list[bytes] = []
    journal = Journal.open(folder, segment_bytes_max=segment_bytes_max, batch_bytes_max=200)
    for what, content in steps:
        if what == "append":
            assert journal.append(content) == len(written)
            written.append(content)
        elif what == "commit":
            assert await journal.commit(content) == len(written)
            written.append(content)
            assert journal.durable_seq == len(written)
        else:
            await journal.close()
            if what == "tear":
                with max(folder.glob("*.journal")).open("ab") as file:
                    file.write(content)
            journal = Journal.open(folder, segment_bytes_max=segment_bytes_max, batch_bytes_max=200)
            assert (journal.recovered is not None) == (what == "tear")
    await journal.sync()
    assert [payload for _, payload in journal.read(0, **ALL)] == written
    await journal.close()
