"""Whatever a directory sends is one of our messages or malformed, and what we send means what it says."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1_modules import rfc2251

from rambla.drivers.ldap.messages import (
    INVALID_CREDENTIALS,
    MESSAGE_BYTES_MAX,
    PASSWORD_POLICY,
    Entry,
    Malformed,
    Query,
    Result,
    bind,
    length_of,
    read,
    search,
)

BER = st.recursive(
    st.binary(max_size=20),
    lambda inner: st.tuples(st.integers(0, 255), st.lists(inner, max_size=4)).map(
        lambda parts: bytes([parts[0], min(127, len(b"".join(parts[1])))]) + b"".join(parts[1])
    ),
    max_leaves=12,
)


def entry(dn: bytes, values: list[bytes]) -> bytes:
    message = rfc2251.LDAPMessage()
    message["messageID"] = 7
    found = message["protocolOp"]["searchResEntry"]
    found["objectName"] = dn
    found["attributes"][0]["type"] = "cn"
    for index, value in enumerate(values):
        found["attributes"][0]["vals"][index] = value
    return bytes(encoder.encode(message))


@given(BER)
def test_nothing_escapes_but_that_it_is_malformed(received: bytes) -> None:
    try:
        length = length_of(received)
        assert length is None or length <= MESSAGE_BYTES_MAX
        read(received)
    except Malformed:
        pass


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_entry_is_an_entry_or_malformed(at: int, damage: bytes) -> None:
    whole = bytearray(entry(b"cn=ops,dc=x", [b"ops", b"\xff", b"x" * 300]))
    whole[at : at + len(damage)] = damage
    with suppress(Malformed):
        assert read(bytes(whole)).number >= 0


def test_an_entry_has_the_values_that_are_text() -> None:
    whole = entry("cn=äpfel,dc=x".encode(), [b"ops", b"\xff\xfe", "äpfel".encode()])
    assert length_of(whole[:1]) is None
    assert length_of(whole) == len(whole)
    found = read(whole)
    assert found == Entry(7, "cn=äpfel,dc=x", {"cn": ("ops", "äpfel")})
    assert (found.values("CN"), found.values("sn")) == (("ops", "äpfel"), ())


def test_lengths_beyond_the_bound_are_malformed_before_anything_is_read() -> None:
    for start in (b"\x30\x84\x7f\xff\xff\xff", b"\x30\x83\x01\x00\x01", b"\x30\x80", b"\x30\x85", b"\x31\x00"):
        try:
            assert length_of(start) is None
        except Malformed:
            continue
        raise AssertionError(start)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=1, max_size=5))
def test_a_name_stays_the_value_of_its_condition_whatever_is_in_it(names: list[str]) -> None:
    sent = search(3, Query("dc=x", [[("uid", name) for name in names], [("objectClass", "person")]], ["uid", "cn"], 2))
    message, rest = decoder.decode(sent, asn1Spec=rfc2251.LDAPMessage())
    request = message["protocolOp"]["searchRequest"]
    groups = [
        [(str(each["equalityMatch"]["attributeDesc"]), each["equalityMatch"]["assertionValue"]) for each in group["or"]]
        for group in request["filter"]["and"]
    ]
    assert rest == b""
    found, more = sorted(groups, key=len, reverse=True) if len(names) > 1 else sorted(groups, reverse=True)
    assert sorted(bytes(value).decode() for _, value in found) == sorted(names)
    assert {name for name, _ in found} == {"uid"}
    assert [(name, bytes(value)) for name, value in more] == [("objectClass", b"person")]
    assert [str(each) for each in request["attributes"]] == ["uid", "cn"]


def test_a_bind_is_understood_by_who_speaks_the_protocol() -> None:
    message, _ = decoder.decode(bind(1, "cn=x", "wört"), asn1Spec=rfc2251.LDAPMessage())
    request = message["protocolOp"]["bindRequest"]
    assert (int(request["version"]), bytes(request["authentication"]["simple"]).decode()) == (3, "wört")
    assert read(bind_response(49)) == Result(1, 49)


def bind_response(code: int, control: bytes = b"") -> bytes:
    answer = rfc2251.LDAPMessage()
    answer["messageID"] = 1
    for name, value in (("resultCode", code), ("matchedDN", ""), ("errorMessage", "")):
        answer["protocolOp"]["bindResponse"][name] = value
    if control:
        answer["controls"][0]["controlType"] = PASSWORD_POLICY
        answer["controls"][0]["controlValue"] = control
    return bytes(encoder.encode(answer))


@pytest.mark.parametrize(
    ("control", "code"),
    [
        (b"\x30\x00", 0),
        (b"\x30\x05\xa0\x03\x80\x01\x09", 0),
        (b"\x30\x03\x81\x01\x02", INVALID_CREDENTIALS),
        (b"\x30\x08\xa0\x03\x81\x01\x01\x81\x01\x00", INVALID_CREDENTIALS),
    ],
    ids=["nothing", "expires soon", "must be changed", "expired"],
)
def test_a_bind_that_is_good_for_another_password_only_has_failed(control: bytes, code: int) -> None:
    assert read(bind_response(0, control)) == Result(1, code)


@given(st.binary(min_size=1, max_size=30) | BER)
def test_whatever_a_password_policy_says_is_a_result_or_malformed(control: bytes) -> None:
    with suppress(Malformed):
        assert read(bind_response(0, control or b"\0")).code in (0, INVALID_CREDENTIALS)
