from pathlib import Path

import pytest

from rambla.app.folder import DataFolder
from rambla.domain.errors import BadSettings, DataFolderInUse


def test_a_folder_is_made_and_closed_to_others_with_all_that_is_in_it(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "a" / "data") as folder:
        folder.secret("operator.token")
        assert folder.path.stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mode & 0o077 == 0 for file in folder.path.iterdir())


def test_two_at_once_are_refused_with_who_has_it_and_one_after_the_other_keep_their_secrets(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data") as folder:
        token = folder.secret("operator.token")
        with pytest.raises(DataFolderInUse, match=r"process \d+"):
            DataFolder(tmp_path / "data")
    with DataFolder(tmp_path / "data") as folder:
        assert folder.secret("operator.token") == token


def test_a_folder_that_everybody_uses_is_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(BadSettings, match="name a folder of its own"):
        DataFolder(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777
    assert list(shared.iterdir()) == []
