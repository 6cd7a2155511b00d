"""A real OpenID provider as a source of identities; what it would never sign is forged with its own keys."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from outside_oidc import AUDIENCE, CLIENT, HOUR_S, OidcStage, SigningKey, now, prove, refuse
from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import Certificate, KeystoneToken, Password, Token
from rambla.drivers.oidc.source import OidcSource, open_source
from rambla.kit.clock import ManualClock
from rambla.testing.checks import raises

pytestmark = pytest.mark.anyio
LEEWAY_S = 30


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcStage]:
    stage = OidcStage(tmp_path_factory.mktemp("provider"))
    stage.start_now()
    yield stage
    stage.kill_now()


@pytest.fixture
def stage(started: OidcStage) -> OidcStage:
    """One that keeps its keys and stays where it is; the time is each test's own."""
    started.clock = now()
    return started


@pytest.fixture
async def source(stage: OidcStage) -> AsyncIterator[OidcSource]:
    source = stage.open()
    yield source
    await source.close()


async def test_whoever_logs_in_by_the_device_flow_is_known_by_both_of_their_tokens(
    stage: OidcStage, source: OidcSource
) -> None:
    tokens = await stage.log_in("ada")
    for name in ("id_token", "access_token"):
        assert source.takes(Token(token=tokens[name]))
        found = await prove(source, tokens[name])
        assert (found.user, found.method) == ("ada", "oidc")
        assert found.attributes["groups"] == ("analysts", "admins")
        assert found.attributes["email"] == ("ada@example.org",)
        assert found.issued_ms is not None
        assert found.expires_ms == found.issued_ms + HOUR_S * 1000 + LEEWAY_S * 1000
    assert found.attributes["acr"] == ("urn:example:silver",)
    assert found.attributes["amr"] == ("pwd", "otp")


async def test_an_address_that_is_not_verified_is_no_attribute(stage: OidcStage, source: OidcSource) -> None:
    found = await prove(source, (await stage.log_in("bob"))["id_token"])
    assert found.user == "bob"
    assert found.attributes["email_verified"] == ("false",)
    assert "email" not in found.attributes


async def test_a_program_comes_with_an_access_token_of_its_own(stage: OidcStage, source: OidcSource) -> None:
    assert (await prove(source, await stage.robot())).user == "robot"


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
async def test_other_algorithms_are_known_too_unless_the_settings_leave_them_out(
    tmp_path: Path, algorithm: str
) -> None:
    stage = OidcStage(tmp_path, algorithm)
    await stage.start()
    source, strict = stage.open(), stage.open(algorithms=["RS256"])
    token = (await stage.log_in("ada"))["id_token"]
    assert (await prove(source, token)).user == "ada"
    await refuse(strict, token)
    for each in (source, strict):
        await each.close()
    await stage.kill()


async def test_only_tokens_of_its_issuer_are_asked_about(stage: OidcStage, source: OidcSource) -> None:
    mine = stage.key.sign(stage.claims())
    assert source.takes(Token(token=mine))
    others = [stage.key.sign(stage.claims(iss=iss)) for iss in (stage.issuer + "/", "https://other.example", "")]
    strange = ["", "a.b.c", "..", mine + ".", mine + "=", " " + mine, mine.replace(".", "", 1), "x" * 100_000, "é.é.é"]
    for token in (*others, stage.key.sign(stage.claims(iss=None)), *strange):
        assert not source.takes(Token(token=token))
        await refuse(source, token)
    for proof in (Password(user="ada", password=mine), KeystoneToken(token=mine), Certificate(der=b"0")):
        assert not source.takes(proof)
        with raises(BadCredentials):
            await source.prove(proof)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": ["other", "another"]},
        {"aud": []},
        {"aud": None},
        {"azp": "other"},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"iat": None},
        {"iat": -1},
        {"nbf": "now"},
        {"auth_time": "now"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ],
    ids=str,
)
async def test_a_token_for_others_or_without_what_is_asked_of_it_proves_nobody(
    stage: OidcStage, source: OidcSource, claims: dict[str, Any]
) -> None:
    good = stage.key.sign(stage.claims(aud=["other", AUDIENCE], azp=CLIENT))
    assert (await prove(source, good)).user == "ada"
    without = {name for name, value in claims.items() if value is None}
    given = {name: value for name, value in {**stage.claims(), **claims}.items() if name not in without}
    await refuse(source, stage.key.sign(given))


async def test_a_token_counts_from_its_time_to_its_time_and_a_leeway(stage: OidcStage, source: OidcSource) -> None:
    now_s = stage.clock.now_ms() // 1000
    good = [{"exp": now_s - LEEWAY_S + 5}, {"nbf": now_s + LEEWAY_S - 5}, {"iat": now_s + LEEWAY_S - 5}]
    bad = [{"exp": now_s - LEEWAY_S - 5}, {"nbf": now_s + LEEWAY_S + 5}, {"iat": now_s + LEEWAY_S + 5}]
    for claims in good:
        assert (await prove(source, stage.key.sign(stage.claims(**claims)))).user == "ada"
    for claims in bad:
        await refuse(source, stage.key.sign(stage.claims(**claims)))
    token = stage.key.sign(stage.claims())
    stage.clock.advance((HOUR_S + LEEWAY_S + 1) * 1000)
    await refuse(source, token)


async def test_those_who_authenticated_long_ago_may_be_refused(stage: OidcStage) -> None:
    source = stage.open(max_age_ms=600_000, leeway_ms=0)
    now_s = stage.clock.now_ms() // 1000
    assert (await prove(source, stage.key.sign(stage.claims(auth_time=now_s - 590)))).user == "ada"
    for auth_time in (now_s - 610, None):
        await refuse(source, stage.key.sign(stage.claims(auth_time=auth_time)))
    await source.close()


async def test_what_its_key_did_not_sign_proves_nobody(stage: OidcStage, source: OidcSource) -> None:
    stranger = SigningKey("first")
    token, claims = stage.key.sign(stage.claims()), stage.claims(sub="mallory")
    head, body, signature = token.split(".")
    other = base64url_encode(json.dumps(claims).encode()).decode()
    bits = stage.key.made.public_key().public_bytes
    secrets = [
        bits(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        bits(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(stage.key.public).encode(),
    ]
    for forged in [
        stranger.sign(claims),
        stranger.sign(claims, jwk=stranger.public),
        stranger.sign(claims, jku="https://stranger.example/jwks", x5u="https://stranger.example"),
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{head}.{body}.A",
        *(_with_header({"alg": alg, "kid": "first"}, claims, b"") for alg in ("none", "None", "NONE", "")),
        *(_with_header({"alg": alg, "kid": "first"}, claims, b"0") for alg in ("none", "ES256", "EdDSA", "PS256")),
        *(_with_secret(alg, claims, secret) for alg in ("HS256", "RS256") for secret in secrets),
    ]:
        await refuse(source, forged)
    assert (await prove(source, token)).user == "ada"


def _with_header(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature or b"\0")
    return ".".join(base64url_encode(part).decode() for part in parts)


def _with_secret(alg: str, claims: dict[str, Any], secret: bytes) -> str:
    """A public key is known to everybody, so it must never serve as a secret."""
    text = _with_header({"alg": alg, "kid": "first"}, claims, b"").rpartition(".")[0]
    return f"{text}.{base64url_encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()}"


@pytest.mark.parametrize(
    "header",
    [
        *({"kid": kid} for kid in ("", "../../etc/passwd", "' OR 1=1 --", "first\0", "FIRST", "x" * 1001)),
        *({"typ": typ} for typ in ("logout+jwt", "dpop+jwt", "secevent+jwt", "x")),
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"]},
    ],
    ids=lambda header: str(header)[:40],
)
async def test_a_strange_header_proves_nobody(stage: OidcStage, source: OidcSource, header: dict[str, Any]) -> None:
    text = stage.key.sign(stage.claims())
    assert (await prove(source, text)).user == "ada"
    given = {"alg": "RS256", "kid": "first", **header}
    signed = _with_header(given, stage.claims(), b"").rpartition(".")[0]
    signature = stage.key.made.sign(signed.encode(), PKCS1v15(), SHA256())
    await refuse(source, f"{signed}.{base64url_encode(signature).decode()}")


async def test_the_same_subject_of_two_providers_are_two_people(stage: OidcStage, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = OidcStage(tmp_path / "other")
    await other.start()
    sources = {stage: stage.open(), other: other.open()}
    for at, source in sources.items():
        token = (await at.log_in("ada"))["id_token"]
        assert [each for each in sources.values() if each.takes(Token(token=token))] == [source]
        assert (await prove(source, token)).user == "ada"
    await refuse(sources[other], stage.key.sign(other.claims()))
    for source in sources.values():
        await source.close()
    await other.kill()


async def test_a_provider_that_calls_itself_otherwise_is_none(stage: OidcStage) -> None:
    source = stage.open(issuer=stage.issuer.replace("127.0.0.1", "localhost"))
    with raises(SourceAway):
        await prove(source, stage.key.sign(stage.claims(iss=stage.issuer.replace("127.0.0.1", "localhost"))))
    await source.close()


@pytest.mark.parametrize(
    "given",
    [
        {"issuer": "http://accounts.example.org"},
        {"issuer": "ftp://127.0.0.1"},
        {"issuer": "https://ada:word@accounts.example.org"},
        {"issuer": "https://accounts.example.org?x"},
        {"issuer": "https://accounts.example.org#x"},
        {"issuer": "https://["},
        {"issuer": ""},
        {"audiences": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"leeway_ms": 300_001},
        {"ca_file": "nowhere.pem"},
        {"secret": "word"},
    ],
    ids=str,
)
def test_settings_that_would_be_unsafe_are_refused(
    stage_free: Callable[..., OidcSource], given: dict[str, Any]
) -> None:
    with raises(BadSettings):
        stage_free(**given)


@pytest.fixture
def stage_free() -> Callable[..., OidcSource]:
    def open_with(**given: Any) -> OidcSource:
        usual = {"issuer": "https://accounts.example.org", "audiences": ["rambla"]}
        return open_source("corp", {**usual, **given}, None, ManualClock())

    return open_with


def test_what_somebody_needs_to_log_in_there_is_told(stage_free: Callable[..., OidcSource]) -> None:
    source = stage_free(client_id="rambla-cli", scopes=["openid", "groups"])
    assert source.public == {
        "kind": "oidc",
        "issuer": "https://accounts.example.org",
        "client_id": "rambla-cli",
        "scopes": ["openid", "groups"],
    }
