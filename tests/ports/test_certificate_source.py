"""Certificates of authorities of our own, and all that looks like one and is none."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authority import DAY, SERVER, Authority, Signed
from rambla.domain.errors import BadCredentials, BadSettings, SourceKnowsOthers
from rambla.domain.proofs import Certificate, Password, Token
from rambla.drivers.x509.source import CertificateSource, open_source
from rambla.identity.ports import Account
from rambla.kit.clock import ManualClock
from rambla.testing.checks import raises
from rambla.testing.identity_source import QuietSourceSuite

pytestmark = pytest.mark.anyio
ADA = (("CN", "ada"), ("O", "Example"), ("OU", "Research"), ("OU", "Street"))
Open = Callable[..., CertificateSource]
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority("root")


@pytest.fixture(scope="module")
def good(root: Authority) -> bytes:
    return root.certify(*ADA, names=[x509.RFC822Name("ada@example.org")]).der


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(ms=time.time_ns() // 1_000_000)


@pytest.fixture
def opened(tmp_path: Path, root: Authority, clock: ManualClock) -> Open:
    def open_for(*authorities: Authority, name: str = "corp", **given: Any) -> CertificateSource:
        ca_file = tmp_path / f"{name}.pem"
        ca_file.write_bytes(b"".join(each.pem for each in authorities or (root,)))
        return open_source(name, {"ca_file": str(ca_file), **given}, None, clock)

    return open_for


async def prove(source: CertificateSource, shown: Signed) -> Account:
    return await source.prove(Certificate(der=shown.der))


async def refuse(source: CertificateSource, shown: Signed) -> None:
    with raises(BadCredentials):
        await prove(source, shown)


class Desk:
    """Whoever is certified by the root, and others who say so."""

    def __init__(self, source: CertificateSource, root: Authority) -> None:
        self.source = source
        self.user = "ada"
        self.proofs = [Certificate(der=root.certify(*ADA).der)]
        other = Authority("root")
        self.wrong = [Certificate(der=each.certify(("CN", "ada")).der) for each in (other, Authority("root"))]
        self.secrets = ["ada@example.org"]


class TestCertificateSource(QuietSourceSuite):
    @pytest.fixture
    def stage(self, opened: Open, root: Authority) -> Desk:
        return Desk(opened(), root)


async def test_the_parts_of_the_subject_and_other_names_are_attributes(opened: Open, root: Authority) -> None:
    names = [
        x509.RFC822Name("ada@example.org"),
        x509.DNSName("ada.example.org"),
        x509.UniformResourceIdentifier("spiffe://example.org/ada"),
    ]
    shown = root.certify(*ADA, ("UID", "a17"), ("emailAddress", "old@example.org"), names=names)
    found = await prove(opened(), shown)
    assert (found.user, found.method) == ("ada", "certificate")
    assert found.attributes == {
        "CN": ("ada",),
        "O": ("Example",),
        "OU": ("Research", "Street"),
        "UID": ("a17",),
        "emailAddress": ("old@example.org",),
        "email": ("ada@example.org",),
        "dns": ("ada.example.org",),
        "uri": ("spiffe://example.org/ada",),
        "issuer": ("CN=root",),
        "serial": (f"{shown.certificate.serial_number:x}",),
    }
    assert found.issued_ms == int(shown.certificate.not_valid_before_utc.timestamp() * 1000)
    assert found.expires_ms == int(shown.certificate.not_valid_after_utc.timestamp() * 1000)
    for user_from, user in (
        ("UID", "a17"),
        ("email", "ada@example.org"),
        ("dns", "ada.example.org"),
        ("uri", "spiffe://example.org/ada"),
    ):
        assert (await prove(opened(user_from=user_from), shown)).user == user


async def test_one_with_no_or_several_names_is_nobody(opened: Open, root: Authority) -> None:
    both = [x509.RFC822Name("ada@example.org"), x509.RFC822Name("bob@example.org")]
    await refuse(opened(user_from="email"), root.certify(*ADA, names=both))
    await refuse(opened(user_from="email"), root.certify(*ADA))
    await refuse(opened(), root.certify(*ADA, ("CN", "bob")))
    await refuse(opened(), root.certify(("O", "Example"), names=both))


async def test_what_is_not_for_clients_or_not_now_proves_nobody(
    opened: Open, root: Authority, clock: ManualClock
) -> None:
    source = opened()
    weak = rsa.generate_private_key(65537, 1024)
    anything = x509.ObjectIdentifier("2.5.29.37.0")
    for shown in (
        root.certify(*ADA, uses=[SERVER]),
        root.certify(*ADA, uses=[]),
        root.certify(*ADA, uses=[anything]),
        root.certify(*ADA, ends=timedelta(seconds=-5)),
        root.certify(*ADA, begins=timedelta(minutes=5)),
        root.certify(*ADA, key=weak),
        root,
        Authority("root"),
        Authority("below", root),
        Signed(root.certificate, root.key),
    ):
        await refuse(source, shown)
    shown = root.certify(*ADA)
    assert (await prove(source, shown)).user == "ada"
    clock.advance(DAY_MS + 1000)
    await refuse(source, shown)


async def test_a_client_is_no_authority(opened: Open, root: Authority) -> None:
    ada = root.certify(*ADA)
    pretender = Authority("ada")
    pretender.certificate, pretender.key = ada.certificate, ada.key
    source = opened(root, pretender)
    await refuse(source, pretender.certify(("CN", "bob")))
    assert (await prove(source, ada)).user == "ada"


async def test_the_way_may_lead_over_authorities_between(opened: Open, root: Authority) -> None:
    between = Authority("between", root)
    shown = between.certify(*ADA)
    assert (await prove(opened(root, between), shown)).user == "ada"
    await refuse(opened(root), shown)
    assert not opened(root).takes(Certificate(der=shown.der))


async def test_the_same_name_by_authorities_of_two_sources_is_two_people(opened: Open, root: Authority) -> None:
    others = Authority("root")
    sources = {root: opened(name="corp"), others: opened(others, name="shop")}
    for authority, source in sources.items():
        shown = authority.certify(*ADA)
        assert (await prove(source, shown)).user == "ada"
        for each in sources.values():
            if each is not source:
                await refuse(each, shown)


async def test_one_that_was_taken_back_proves_nobody_as_soon_as_the_list_says_so(
    opened: Open, root: Authority, tmp_path: Path
) -> None:
    lists = tmp_path / "lists.crl"
    lists.write_bytes(root.revoke())
    source = opened(crl_file=str(lists))
    ada, bob = root.certify(*ADA), root.certify(("CN", "bob"))
    assert (await prove(source, ada)).user == "ada"
    lists.write_bytes(root.revoke(ada))
    await refuse(source, ada)
    assert (await prove(source, bob)).user == "bob"
    lists.write_bytes(root.revoke(bob) + root.revoke(ada, ends=-timedelta(hours=1), begins=-2 * DAY))
    await refuse(source, bob)
    assert (await prove(source, ada)).user == "ada", "the newest list counts"
    der = x509.load_pem_x509_crl(root.revoke(ada)).public_bytes(Encoding.DER)
    lists.write_bytes(der)
    await refuse(source, ada)


async def test_a_certificate_is_not_remembered_longer_than_its_list_is_good(
    opened: Open, root: Authority, tmp_path: Path
) -> None:
    lists = tmp_path / "lists.crl"
    lists.write_bytes(root.revoke(ends=timedelta(hours=1)))
    found = await prove(opened(crl_file=str(lists)), root.certify(*ADA))
    assert found.expires_ms == int((root.now + timedelta(hours=1)).timestamp() * 1000)


async def test_an_expired_list_refuses_and_says_so(
    opened: Open, root: Authority, tmp_path: Path, clock: ManualClock
) -> None:
    lists = tmp_path / "lists.crl"
    lists.write_bytes(root.revoke(ends=timedelta(hours=1)))
    source = opened(crl_file=str(lists))
    ada = root.certify(*ADA)
    assert (await prove(source, ada)).user == "ada"
    clock.advance(3_600_000 + 1000)
    with raises(SourceKnowsOthers):
        await prove(source, ada)
    lists.write_bytes(root.revoke())
    assert (await prove(source, ada)).user == "ada"


async def test_every_authority_on_the_way_needs_a_list(opened: Open, root: Authority, tmp_path: Path) -> None:
    between = Authority("between", root)
    lists = tmp_path / "lists.crl"
    lists.write_bytes(root.revoke())
    source = opened(root, between, crl_file=str(lists))
    ada = between.certify(*ADA)
    with raises(SourceKnowsOthers):
        await prove(source, ada)
    lists.write_bytes(root.revoke() + between.revoke())
    assert (await prove(source, ada)).user == "ada"
    lists.write_bytes(root.revoke(between) + between.revoke())
    await refuse(source, ada)


@pytest.mark.parametrize("broken", ["gone", "empty", "torn", "of-others", "noise"])
async def test_a_broken_list_leaves_the_last_good_one_in_force_loudly(
    opened: Open, root: Authority, tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    lists = tmp_path / "lists.crl"
    ada, bob = root.certify(*ADA), root.certify(("CN", "bob"))
    lists.write_bytes(root.revoke(ada))
    source = opened(crl_file=str(lists))
    content = {"empty": b"", "torn": root.revoke()[:-60], "of-others": Authority("root").revoke(), "noise": b"\0" * 99}
    if broken == "gone":
        lists.unlink()
    else:
        lists.write_bytes(content[broken])
    await refuse(source, ada)
    assert (await prove(source, bob)).user == "bob"
    assert caplog.text.count("the revocations in force stay") == 1, "it is told once"
    lists.write_bytes(root.revoke(bob))
    await refuse(source, bob)
    assert (await prove(source, ada)).user == "ada"


def test_settings_that_cannot_be_meant_are_refused(opened: Open, root: Authority, tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"")
    (tmp_path / "others.crl").write_bytes(Authority("other").revoke())
    for table in (
        {"ca_file": str(tmp_path / "nowhere")},
        {"ca_file": str(tmp_path / "none")},
        {"ca_file": str(tmp_path)},
        {"crl_file": str(tmp_path / "nowhere")},
        {"crl_file": str(tmp_path / "none")},
        {"crl_file": str(tmp_path / "others.crl")},
        {"user_from": "OU"},
        {"secret": "word"},
    ):
        with raises(BadSettings):
            opened(**table)
    with raises(BadSettings):
        opened(Authority("between", root), name="without-root")


def test_only_certificates_by_authorities_of_that_name_are_asked_about(opened: Open, root: Authority) -> None:
    source = opened()
    assert source.takes(Certificate(der=root.certify(*ADA).der))
    for proof in (
        Certificate(der=Authority("other").certify(*ADA).der),
        Certificate(der=b""),
        Certificate(der=root.pem),
        Password(user="ada", password="word"),
        Token(token="word"),
    ):
        assert not source.takes(proof)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
async def test_a_damaged_certificate_proves_nobody(opened: Open, good: bytes, data: Any) -> None:
    source = opened()
    der = bytearray(good)
    at = data.draw(st.integers(0, len(der) - 1))
    der[at] = data.draw(st.integers(0, 255).filter(lambda each: each != der[at]))
    shown = Certificate(der=bytes(der[: data.draw(st.integers(at + 1, len(der)))]))
    source.takes(shown)
    with raises(BadCredentials):
        await source.prove(shown)
