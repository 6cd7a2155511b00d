"""Does a driver sign and verify as rambla.policy.ports.Signer promises?

A test class inherits `SignerSuite` and provides the fixtures `signer` and `other`, which know nothing of each other.
"""

import msgspec

from rambla.domain.errors import BadRequest
from rambla.policy.bundle import Bundle
from rambla.policy.ports import Signer
from rambla.testing.bundle_store import bundle
from rambla.testing.checks import raises

PAYLOAD = b"payload"


def signed(signer: Signer, number: int) -> Bundle:
    key, signature = signer.sign(PAYLOAD)
    return msgspec.structs.replace(bundle(number), key=key, signature=signature)


class SignerSuite:
    def test_what_it_signs_it_verifies_and_nothing_that_differs(self, signer: Signer) -> None:
        whole = signed(signer, 1)
        assert signer.verifies(PAYLOAD, whole)
        assert not signer.verifies(PAYLOAD + b"!", whole)
        for signature in (b"", b"x" * 64, whole.signature[:-1], whole.signature + b"\0"):
            assert not signer.verifies(PAYLOAD, msgspec.structs.replace(whole, signature=signature))
        for key in ("", "x", "0" * 64, whole.key[:-1], whole.key + "00"):
            assert not signer.verifies(PAYLOAD, msgspec.structs.replace(whole, key=key))

    def test_another_signer_is_trusted_when_its_key_is(self, signer: Signer, other: Signer) -> None:
        foreign = signed(other, 1)
        assert not signer.verifies(PAYLOAD, foreign)
        signer.trust(foreign.key)
        assert signer.verifies(PAYLOAD, foreign)
        assert set(signer.keys()) == {signed(signer, 1).key, foreign.key}

    def test_after_a_rotation_old_bundles_stay_good_and_the_old_key_signs_no_new_ones(self, signer: Signer) -> None:
        before, late = signed(signer, 7), signed(signer, 8)
        key = signer.rotate(7)
        assert signer.verifies(PAYLOAD, before)
        assert not signer.verifies(PAYLOAD, late)
        assert signed(signer, 8).key == key != before.key
        assert signer.verifies(PAYLOAD, signed(signer, 8))
        assert list(signer.keys().items()) == [(before.key, 7), (key, None)]

    def test_a_key_that_is_none_is_refused(self, signer: Signer) -> None:
        for text in ("", "zz", "0" * 63, "0" * 66, "é" * 64):
            with raises(BadRequest):
                signer.trust(text)
