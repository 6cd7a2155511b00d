"""A host reads what the platform signs exactly as it was signed, and nothing else."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_host import Publisher
from rambla.policy.bundle import Bundle, File, hash_of, payload
from rambla_openstack.policy import pinned, services
from rambla_openstack.policy.signed import Statement, Untrusted, bundle_of, statement_of

KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
OTHER = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
NAMES = st.text("abcdefghijklm./", min_size=1, max_size=12)
TEXTS = st.text(max_size=40)


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return Publisher(tmp_path_factory.mktemp("keys"))


@given(st.integers(0, 2**53), st.integers(0, 2**53), TEXTS, TEXTS, st.dictionaries(NAMES, TEXTS, max_size=4))
def test_every_bundle_that_the_platform_signs_is_read_as_it_was(
    publisher: Publisher, number: int, at_ms: int, author: str, note: str, files: dict[str, str]
) -> None:
    made = tuple(File(name, files[name]) for name in sorted(files))
    named = Bundle(number=number, at_ms=at_ms, author=author, note=note, hash=hash_of(made), files=made)
    key, signature = publisher.signer.sign(payload(named))
    fields = {"number": number, "at_ms": at_ms, "author": author, "note": note, "hash": named.hash}
    signed = {"key": key, "signature": signature.hex(), "files": [[file.name, file.text] for file in made]}
    found = bundle_of(msgspec.json.encode({**fields, **signed}), {key})
    assert (found.number, found.at_ms, found.hash, found.files) == (number, at_ms, named.hash, files)


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_every_statement_that_the_platform_signs_is_read_as_it_was(
    publisher: Publisher, number: int, at_ms: int
) -> None:
    assert statement_of(publisher.newest(number, "ab", at_ms), {publisher.key}) == Statement(number, "ab", at_ms)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | TEXTS, st.lists).map(msgspec.json.encode))
def test_whatever_else_there_is_has_no_effect_but_to_be_refused(publisher: Publisher, data: bytes) -> None:
    for read in (bundle_of, statement_of):
        with pytest.raises(Untrusted):
            read(data, {publisher.key})


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_refused(publisher: Publisher, at: int, change: int) -> None:
    """But for those that change no value: none of a document without spaces does."""
    for read, data in ((bundle_of, publisher.bundle(1, {"a": "b"})), (statement_of, publisher.newest(1, "a", 5))):
        changed = bytearray(data)
        changed[at % len(data)] ^= change
        try:
            found = read(bytes(changed), {publisher.key})
        except Untrusted:
            continue
        assert found == read(data, {publisher.key}), "only hexadecimal digits may be written in two ways"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "trusted_keys = 00",
        "[policy]",
        "[policy]\ntrusted_keys = 00",
        f"[policy]\ntrusted_keys = {KEY}\nmax_age = 1",
        f"[policy]\ntrusted_keys = {KEY}\nmax_age_s = -1",
        f"[policy]\ntrusted_keys = {KEY}\nreload_s = nan",
        f"[policy]\ntrusted_keys = {KEY}\ntrusted_keys = {KEY}",
        "\0",
    ],
)
def test_a_configuration_that_means_nothing_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        pinned.read(text)


def test_a_key_is_added_and_the_rest_of_the_file_stays_as_it_is() -> None:
    text = f"# ours\n[policy]\nfolder = /f\ntrusted_keys =  {KEY}  # old\nmax_age_s = 5\n"
    plain = text.replace("  # old", "")
    added = pinned.with_key(plain, OTHER.upper())
    assert added == plain.replace(KEY, f"{KEY} {OTHER}")
    assert pinned.read(added).keys == {KEY, OTHER}
    assert pinned.with_key(added, OTHER) == added
    for bad in ("", "zz", KEY[:-1]):
        with pytest.raises(ValueError, match="no public key"):
            pinned.with_key(plain, bad)


def test_a_configuration_says_only_what_it_must() -> None:
    found = pinned.read(f"[policy]\ntrusted_keys =\n  {KEY},\n  {OTHER}\n")
    assert found == pinned.Pinned(Path("/var/lib/rambla/policy"), frozenset({KEY, OTHER}), 0, 1)


def test_what_a_bundle_says_to_a_service_comes_in_the_order_of_its_reading(publisher: Publisher) -> None:
    files = {
        "site.yaml": "layer: site",
        "openstack/nova/policy.d/20.yaml": "c: '!'",
        "openstack/nova/policy.d/10.yaml": "b: '@'",
        "openstack/nova/defaults.yaml": '[{"name": "a", "check_str": ""}]',
        "openstack/nova.x/defaults.yaml": "[]",
    }
    bundle = bundle_of(publisher.bundle(1, files), {publisher.key})
    found = services.files_of(bundle, "nova")
    assert found is not None
    assert [name for name, _ in found.directory] == ["10.yaml", "20.yaml"]
    assert (found.policy, services.names_of(found)) == ("", ["a", "b", "c"])
    assert services.files_of(bundle, "glance") is None


@pytest.mark.parametrize("name", ["policy.d/.hidden.yaml", "policy.d/a/b.yaml", "policy.json", "policy.d/../x.yaml"])
def test_a_file_that_would_lie_elsewhere_is_refused(publisher: Publisher, name: str) -> None:
    files = {"openstack/nova/defaults.yaml": "[]", f"openstack/nova/{name}": "{}"}
    with pytest.raises(Untrusted, match="no file of a service"):
        services.files_of(bundle_of(publisher.bundle(1, files), {publisher.key}), "nova")
