"""A small file is there wholly or not at all, and for its owner only."""

from pathlib import Path

import pytest

from rambla.kit.files import TEMPORARY_SUFFIX, stamp_of, write_durably


def test_a_file_is_replaced_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_behind_is_neither_followed_nor_in_the_way(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "secret", tmp_path / "elsewhere"
    path.with_name(path.name + TEMPORARY_SUFFIX).symlink_to(elsewhere)
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert not elsewhere.exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        write_durably(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "inside").exists()


def test_a_file_that_was_replaced_written_or_taken_away_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert stamp_of(path) is None
    write_durably(path, b"one")
    first = stamp_of(path)
    assert first is not None
    assert stamp_of(path) == first
    write_durably(path, b"two")
    second = stamp_of(path)
    assert second not in (first, None)
    path.write_bytes(b"three")
    assert stamp_of(path) not in (first, second, None)
    path.unlink()
    assert stamp_of(path) is None
