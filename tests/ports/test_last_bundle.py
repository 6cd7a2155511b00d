"""The bundle in force is kept beside the journal as the port promises."""

from pathlib import Path

import pytest

from rambla.domain.errors import BrokenPolicy, StorageFailed
from rambla.drivers.files.last_bundle import NAME, FileLastBundle
from rambla.policy.ports import LastBundle
from rambla.testing.bundle_store import bundle
from rambla.testing.last_bundle import LastBundleSuite


class TestFileLastBundle(LastBundleSuite):
    @pytest.fixture
    def last(self, tmp_path: Path) -> LastBundle:
        return FileLastBundle(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"number": "x"}'])
    def test_a_file_that_holds_something_else_is_a_broken_policy(
        self, last: LastBundle, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / NAME).write_bytes(content)
        with pytest.raises(BrokenPolicy, match=NAME):
            last.load()

    def test_a_folder_that_is_gone_is_a_failure_of_the_storage(self, tmp_path: Path) -> None:
        with pytest.raises(StorageFailed, match=NAME):
            FileLastBundle(tmp_path / "gone").save(bundle())
