"""The keys in the data folder keep the port's promises (rambla.testing.signer)."""

import stat
from pathlib import Path

import pytest

from rambla.domain.errors import StorageFailed
from rambla.drivers.ed25519.signer import PRIVATE, TRUSTED, FileSigner
from rambla.policy.ports import Signer
from rambla.testing.signer import SignerSuite, signed


class TestFileSigner(SignerSuite):
    @pytest.fixture
    def signer(self, tmp_path: Path) -> Signer:
        return FileSigner(tmp_path)

    @pytest.fixture
    def other(self, tmp_path: Path) -> Signer:
        (tmp_path / "other").mkdir()
        return FileSigner(tmp_path / "other")

    def test_only_its_owner_may_read_the_private_key(self, signer: Signer, tmp_path: Path) -> None:
        signer.rotate(0)
        assert stat.S_IMODE((tmp_path / PRIVATE).stat().st_mode) == 0o600
        (tmp_path / PRIVATE).chmod(0o640)
        with pytest.raises(StorageFailed, match=f"chmod 600 {PRIVATE}"):
            FileSigner(tmp_path)

    def test_after_a_restart_it_signs_and_trusts_as_before(self, signer: Signer, tmp_path: Path) -> None:
        first, bundle = signer.keys(), signed(signer, 1)
        signer.rotate(1)
        again = FileSigner(tmp_path)
        assert again.keys() == signer.keys() != first
        assert again.verifies(b"payload", bundle)

    @pytest.mark.parametrize("name", [PRIVATE, TRUSTED])
    def test_a_file_that_holds_something_else_is_refused_and_not_shown(
        self, signer: Signer, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / name).write_text("secret words")
        with pytest.raises(StorageFailed) as caught:
            FileSigner(tmp_path)
        assert name in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_no_line_of_the_trusted_keys_is_the_private_one(self, signer: Signer, tmp_path: Path) -> None:
        assert (tmp_path / PRIVATE).read_text().strip() not in (tmp_path / TRUSTED).read_text()
