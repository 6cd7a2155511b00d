"""A bundle is bounded, and its signature covers everything that it says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from rambla.domain.errors import BadRequest, BrokenPolicy
from rambla.drivers.ed25519.signer import FileSigner
from rambla.policy import accept
from rambla.policy.bundle import FILES_BYTES_MAX, FILES_MAX, Bundle, File, files_of, hash_of, payload
from rambla.policy.ports import NOBODY

SITE = "layer: site\nroles:\n  helper: {may: [action:invoke]}\n"
FILES = (File("site.yaml", SITE),)


def whole(signer: FileSigner, **changes: Any) -> Bundle:
    fields: dict[str, Any] = {
        "number": 3,
        "at_ms": 5,
        "author": "ada",
        "note": "why",
        "hash": hash_of(FILES),
        "files": FILES,
    }
    plain = Bundle(**{**fields, **changes})
    key, signature = signer.sign(payload(plain))
    return msgspec.structs.replace(plain, key=key, signature=signature)


def test_the_order_in_which_files_are_given_changes_nothing() -> None:
    one, other = files_of({"b": "2", "a": "1"}), files_of({"a": "1", "b": "2"})
    assert one == other
    assert hash_of(one) == hash_of(reversed(one))
    assert hash_of(one) != hash_of(files_of({"a": "1", "b": "3"}))


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a", "a/../b", "a\nb", "é.yaml", "-x", "x" * 201])
def test_a_name_that_no_file_of_a_policy_has_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        files_of({name: ""})


def test_too_many_files_and_too_many_bytes_are_refused_with_both_numbers() -> None:
    with pytest.raises(BadRequest, match=f"{FILES_MAX} files, and these are {FILES_MAX + 1}"):
        files_of({f"f{number}": "" for number in range(FILES_MAX + 1)})
    with pytest.raises(BadRequest, match=f"{FILES_BYTES_MAX} bytes together, and have {FILES_BYTES_MAX + 2}"):
        files_of({"a": "é" * (FILES_BYTES_MAX // 2), "b": "é"})


@pytest.mark.parametrize(
    "change",
    [
        {"number": 4},
        {"at_ms": 6},
        {"author": "eve"},
        {"note": ""},
        {"hash": "0" * 64},
        {"files": (File("site.yaml", SITE + "#"),)},
        {"files": (File("other.yaml", SITE),)},
        {"files": ()},
        {"key": "0" * 64},
        {"signature": b"\0" * 64},
        {"signature": b""},
    ],
    ids=lambda change: "-".join(change),
)
def test_whatever_is_changed_after_signing_is_not_trusted(tmp_path: Path, change: dict[str, Any]) -> None:
    signer = FileSigner(tmp_path)
    good = whole(signer)
    assert accept.accepted(3, good, signer, NOBODY).own.decide is not None
    with pytest.raises(BrokenPolicy, match="bundle"):
        accept.accepted(3, msgspec.structs.replace(good, **change), signer, NOBODY)


def test_files_that_were_changed_with_their_hash_are_not_trusted_either(tmp_path: Path) -> None:
    signer, files = FileSigner(tmp_path), (File("site.yaml", "layer: site\n"),)
    forged = msgspec.structs.replace(whole(signer), files=files, hash=hash_of(files))
    with pytest.raises(BrokenPolicy):
        accept.accepted(3, forged, signer, NOBODY)


def test_layers_are_stacked_by_level_whatever_their_files_are_called() -> None:
    region = File("a.yaml", "layer: region\nroles: {helper: {mode: extend, may: [trigger:fire]}}\n")
    assert "trigger:fire" in accept.compiled([region, File("z.yaml", SITE)], NOBODY).own.book.permissions


def test_an_old_bundle_is_not_good_under_a_new_number(tmp_path: Path) -> None:
    signer = FileSigner(tmp_path)
    with pytest.raises(BrokenPolicy, match="bundle 4:0:0: it is bundle 3 once more"):
        accept.accepted(4, whole(signer), signer, NOBODY)
