"""A statement says which bundle is in force, and when that was true; one signature serves a second."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rambla.drivers.ed25519.signer import FileSigner
from rambla.policy import defaults
from rambla.policy.freshness import Freshness, Statement, payload
from rambla.policy.policies import InForce, Policies

OWN = Policies(defaults.policy())


def verify(said: Statement, at_ms: int | None = None) -> None:
    signed = payload(said.number, said.hash, said.at_ms if at_ms is None else at_ms)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(said.key)).verify(said.signature, signed)


class CountingSigner(FileSigner):
    signed = 0

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        self.signed += 1
        return super().sign(payload)


def test_the_signature_covers_number_hash_and_time(tmp_path: Path) -> None:
    said = Freshness().statement(InForce(OWN, 7, "h" * 64), FileSigner(tmp_path), 1234)
    assert payload(7, "h" * 64, 1234) == b'["rambla policy newest 1",7,"' + b"h" * 64 + b'",1234]'
    verify(said)
    with pytest.raises(InvalidSignature):
        verify(said, 1235)


def test_one_signature_serves_everybody_for_a_second_but_never_another_bundle(tmp_path: Path) -> None:
    signer, freshness = CountingSigner(tmp_path), Freshness()
    seventh, eighth = InForce(OWN, 7, "7" * 64), InForce(OWN, 8, "8" * 64)
    for now_ms in (1000, 1001, 1999):
        assert freshness.statement(seventh, signer, now_ms).at_ms == 1000
    assert signer.signed == 1
    assert freshness.statement(eighth, signer, 1999).number == 8
    assert freshness.statement(eighth, signer, 2999).at_ms == 2999
    assert freshness.statement(eighth, signer, 1000).at_ms == 1000, "also when the host's clock was set back"
    assert signer.signed == 4
