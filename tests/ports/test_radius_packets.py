"""Whatever comes over the network is the answer of who shares the secret, or none."""

import hashlib
import hmac
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outside_radius import answer_to
from rambla.drivers.radius.packets import (
    ACCESS_ACCEPT,
    ACCESS_CHALLENGE,
    ACCESS_REJECT,
    CLASS,
    MESSAGE_AUTHENTICATOR,
    PACKET_BYTES_MAX,
    USER_NAME,
    USER_PASSWORD,
    Answer,
    NotOurs,
    Request,
    access_request,
    hide,
    read_answer,
)

# RFC 2865, 7.1
SECRET = b"xyzzy5461"
AUTHENTICATOR = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")
HIDDEN = bytes.fromhex("0dbe708d93d413ce3196e43f782a0aee")
ACCEPTED = bytes.fromhex("0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103")

ATTRIBUTES = st.lists(
    st.tuples(st.integers(1, 255).filter(lambda kind: kind != MESSAGE_AUTHENTICATOR), st.binary(max_size=253)),
    max_size=10,
)


def asked(password: bytes = b"arctangent", attributes: Sequence[tuple[int, bytes]] = ()) -> Request:
    return access_request(0, AUTHENTICATOR, SECRET, password, attributes)


def shown(hidden: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """As a server reads it."""
    blocks = [hidden[at : at + 16] for at in range(0, len(hidden), 16)]
    keys = [hashlib.md5(secret + before).digest() for before in (authenticator, *blocks)]
    return b"".join(
        bytes(a ^ b for a, b in zip(block, key, strict=True)) for block, key in zip(blocks, keys, strict=False)
    )


def test_a_password_is_hidden_as_the_standard_shows() -> None:
    assert hide(b"arctangent", SECRET, AUTHENTICATOR) == HIDDEN


@given(st.binary(min_size=1, max_size=128), st.binary(min_size=1, max_size=64), st.binary(min_size=16, max_size=16))
def test_who_shares_the_secret_reads_the_password(password: bytes, secret: bytes, authenticator: bytes) -> None:
    hidden = hide(password, secret, authenticator)
    assert len(hidden) % 16 == 0
    assert shown(hidden, secret, authenticator).rstrip(b"\0") == password.rstrip(b"\0")


@given(ATTRIBUTES)
def test_a_request_is_signed_first_of_all_and_holds_what_it_was_given(attributes: list[tuple[int, bytes]]) -> None:
    packet = asked(attributes=attributes).packet
    assert (packet[0], packet[1], int.from_bytes(packet[2:4], "big"), packet[4:20]) == (
        1,
        0,
        len(packet),
        AUTHENTICATOR,
    )
    assert packet[20:22] == bytes((MESSAGE_AUTHENTICATOR, 18))
    unsigned = packet[:22] + bytes(16) + packet[38:]
    assert packet[22:38] == hmac.new(SECRET, unsigned, "md5").digest()
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in (*attributes, (USER_PASSWORD, HIDDEN)))
    assert packet[38:] == body


@given(st.sampled_from([ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE]), ATTRIBUTES)
def test_an_answer_says_what_the_server_said(code: int, attributes: list[tuple[int, bytes]]) -> None:
    request = asked()
    found = read_answer(answer_to(request.packet, code, attributes, SECRET), request)
    assert found.code == code
    assert [each for each in found.attributes if each[0] != MESSAGE_AUTHENTICATOR] == attributes
    assert found.values(CLASS) == tuple(value for kind, value in attributes if kind == CLASS)


@given(st.binary(max_size=PACKET_BYTES_MAX + 10))
def test_noise_is_no_answer(received: bytes) -> None:
    with pytest.raises(NotOurs):
        read_answer(received, asked())


@given(st.integers(0, 70), st.binary(min_size=1, max_size=3), st.booleans())
def test_a_damaged_answer_is_none(at: int, damage: bytes, grows: bool) -> None:
    request = asked()
    whole = answer_to(request.packet, ACCESS_ACCEPT, [(CLASS, b"staff"), (USER_NAME, b"nemo")], SECRET)
    damaged = whole[:at] + damage + whole[at if grows else at + len(damage) :]
    try:
        found = read_answer(damaged, request)
    except NotOurs:
        return
    assert damaged[: len(whole)] == whole, "what comes behind it is no part of it"
    assert found == read_answer(whole, request)


def resigned(packet: bytes, secret: bytes = SECRET) -> bytes:
    """With an authenticator that fits, as somebody in between can find one (CVE-2024-3596)."""
    return packet[:4] + hashlib.md5(packet[:4] + AUTHENTICATOR + packet[20:] + secret).digest() + packet[20:]


def without_signature(packet: bytes) -> bytes:
    return resigned(packet[:2] + (len(packet) - 18).to_bytes(2, "big") + packet[4:20] + packet[38:])


def test_the_standards_own_answer_is_refused_for_the_signature_that_it_lacks() -> None:
    with pytest.raises(NotOurs, match="no Message-Authenticator"):
        read_answer(ACCEPTED, asked(b"arctangent", [(USER_NAME, b"nemo")]))


def test_a_no_cannot_be_made_a_yes_by_whoever_finds_an_authenticator_that_fits() -> None:
    request = asked()
    no = answer_to(request.packet, ACCESS_REJECT, [], SECRET)
    yes = bytes((ACCESS_ACCEPT,)) + no[1:]
    for forged, words in (
        (yes, "not signed with the shared secret"),
        (resigned(yes), "Message-Authenticator is wrong"),
        (without_signature(yes), "no Message-Authenticator"),
        (resigned(yes[:2] + (len(yes) + 18).to_bytes(2, "big") + yes[4:] + yes[20:38]), "no Message-Authenticator"),
        (resigned(bytes((ACCESS_ACCEPT, 1)) + no[2:]), "something else"),
        (resigned(bytes((5,)) + no[1:]), "something else"),
        (answer_to(request.packet, ACCESS_ACCEPT, [], b"another-secret"), "not signed with the shared secret"),
    ):
        with pytest.raises(NotOurs, match=words):
            read_answer(forged, request)
    assert read_answer(no, request).code == ACCESS_REJECT


def test_an_answer_to_an_earlier_request_is_none() -> None:
    earlier = access_request(0, bytes(16), SECRET, b"arctangent", [])
    with pytest.raises(NotOurs):
        read_answer(answer_to(earlier.packet, ACCESS_ACCEPT, [], SECRET), asked())


@pytest.mark.parametrize("body", [b"\x19", b"\x19\x00", b"\x19\x01", b"\x19\xff1", b"\x19\x02\x19"])
def test_attributes_that_end_beyond_the_packet_are_malformed(body: bytes) -> None:
    packet = bytes((ACCESS_ACCEPT, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    with pytest.raises(NotOurs, match="malformed"):
        read_answer(resigned(packet), asked())


def test_neither_a_request_nor_an_answer_shows_a_secret() -> None:
    assert "xyzzy" not in repr(asked())
    assert Answer(ACCESS_ACCEPT, ()).values(CLASS) == ()
