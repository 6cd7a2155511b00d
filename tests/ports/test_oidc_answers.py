"""What a provider answers that is broken, hostile, or of somebody who is not us; and what it says of opaque tokens."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from outside_oidc import AUDIENCE, CLIENT, HOUR_S, OidcStage, SigningKey, now, prove, refuse
from rambla.domain.errors import BadCredentials, BadSettings, SourceAway, SourceKnowsOthers
from rambla.domain.proofs import Token
from rambla.drivers.oidc.client import ANSWER_BYTES_MAX
from rambla.drivers.oidc.keys import KEYS_MAX
from rambla.drivers.oidc.source import OidcSource, open_source
from rambla.testing.checks import raises

pytestmark = pytest.mark.anyio
OPAQUE = "an-opaque-token-of-ours"
DISCOVERY, KEYS, INTROSPECTION = "/.well-known/openid-configuration", "/keys", "/introspection"
Reply = tuple[int, dict[str, str], bytes]
ODD = {
    "a redirect": (302, {"Location": "http://127.0.0.1:1/"}, b""),
    "an error": (500, {}, b"{}"),
    "a page": (200, {}, b"<html>"),
    "nothing": (200, {}, b""),
    "another document": (200, {}, b'{"issuer": 1, "jwks_uri": [], "keys": "none"}'),
    "a list": (200, {}, b"[]"),
    "a deep one": (200, {}, b"[" * 100_000),
    "a compressed one": (200, {"Content-Encoding": "gzip"}, b"{}"),
    "a long one": (200, {}, b"x" * (ANSWER_BYTES_MAX + 1)),
    "one without end": (200, {"Content-Length": "1000000000"}, b"x" * (2 * ANSWER_BYTES_MAX)),
}


class OddProvider:
    """Answers by path as `replies` say, else as a provider does; `asked` is all that it was asked for."""

    def __init__(self) -> None:
        self.key = SigningKey("first")
        self.replies: dict[str, Reply] = {}
        self.asked: list[str] = []
        self.given: list[bytes] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                provider.asked.append(self.path)
                provider.given.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                status, headers, body = provider.replies[self.path]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.say(DISCOVERY, issuer=self.issuer, jwks_uri=self.issuer + KEYS)
        self.say(KEYS, keys=[self.key.public])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def say(self, path: str, **document: Any) -> None:
        self.replies[path] = (200, {}, json.dumps(document).encode())

    def tells(self, **answer: Any) -> None:
        self.say(
            DISCOVERY,
            issuer=self.issuer,
            jwks_uri=self.issuer + KEYS,
            introspection_endpoint=self.issuer + "/introspection",
        )
        self.say(INTROSPECTION, **answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def odd_provider() -> Iterator[OddProvider]:
    provider = OddProvider()
    try:
        yield provider
    finally:
        provider.close()


@pytest.fixture
def provider() -> Iterator[OddProvider]:
    with odd_provider() as provider:
        yield provider


def settings(folder: Path, issuer: str, **more: Any) -> dict[str, Any]:
    (folder / "secret").write_text("to be asked: & told\n")
    asks = {"introspect_as": "rambla", "secret_file": str(folder / "secret")}
    return {"issuer": issuer, "audiences": [AUDIENCE, CLIENT], **asks, **more}


@pytest.fixture
async def source(provider: OddProvider, tmp_path: Path) -> AsyncIterator[OidcSource]:
    source = open_source("corp", settings(tmp_path, provider.issuer), None, now())
    yield source
    await source.close()


def token_of(provider: OddProvider) -> str:
    now_s = now().now_ms() // 1000
    return provider.key.sign({"iss": provider.issuer, "aud": AUDIENCE, "sub": "ada", "iat": now_s, "exp": now_s + 60})


def good(provider: OddProvider, **more: Any) -> dict[str, Any]:
    now_s = now().now_ms() // 1000
    usual = {"active": True, "token_type": "Bearer", "sub": "ada", "client_id": CLIENT, "iat": now_s, "exp": now_s + 60}
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
@pytest.mark.parametrize("odd", ODD)
async def test_a_provider_whose_documents_are_none_is_away(
    provider: OddProvider, source: OidcSource, path: str, odd: str
) -> None:
    usual = provider.replies[path]
    provider.replies[path] = ODD[odd]
    with pytest.raises(SourceAway) as raised:
        await prove(source, token_of(provider))
    assert "xxx" not in str(raised.value)
    assert provider.asked == [DISCOVERY, KEYS][: 1 + (path == KEYS)], "nothing is asked twice"
    provider.replies[path] = usual


@pytest.mark.parametrize(
    "more",
    [
        {"issuer": "https://other.example"},
        {"jwks_uri": "http://10.0.0.1/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://["},
        {"jwks_uri": "https://"},
        {"jwks_uri": "https://\0.example"},
        {"jwks_uri": "http://127.0.0.1:1/"},
    ],
    ids=str,
)
async def test_keys_are_read_at_no_other_place_than_a_provider_may_name(
    provider: OddProvider, source: OidcSource, more: dict[str, str]
) -> None:
    provider.say(DISCOVERY, **{"issuer": provider.issuer, "jwks_uri": provider.issuer + KEYS, **more})
    with raises(SourceAway):
        await prove(source, token_of(provider))
    assert provider.asked == [DISCOVERY]


async def test_more_keys_than_anybody_needs_are_none(provider: OddProvider, source: OidcSource) -> None:
    provider.say(KEYS, keys=[provider.key.public] * (KEYS_MAX + 1))
    with raises(SourceAway):
        await prove(source, token_of(provider))


async def test_a_broken_document_leaves_the_keys_that_are_known_in_force(provider: OddProvider, tmp_path: Path) -> None:
    clock = now()
    source = open_source("corp", settings(tmp_path, provider.issuer), None, clock)
    assert (await prove(source, token_of(provider))).user == "ada"
    provider.replies[KEYS] = ODD["a page"]
    clock.advance(300_000)
    now_s = clock.now_ms() // 1000
    claims = {
        "iss": provider.issuer,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": now_s,
        "exp": now_s + 60,
    }
    assert (await prove(source, provider.key.sign(claims))).user == "ada"
    with raises(SourceKnowsOthers):
        await prove(source, SigningKey("other").sign(claims))
    await source.close()


async def test_an_opaque_token_is_whose_the_provider_says(provider: OddProvider, source: OidcSource) -> None:
    provider.tells(**good(provider, groups=["analysts"], iss=provider.issuer, aud=[AUDIENCE, "other"]))
    assert source.takes(Token(token=OPAQUE))
    found = await prove(source, OPAQUE)
    assert (found.user, found.method, found.attributes["groups"]) == ("ada", "oidc", ("analysts",))
    assert provider.given[-1] == b"token=an-opaque-token-of-ours&token_type_hint=access_token"
    provider.tells(active=False)
    await refuse(source, OPAQUE)


@pytest.mark.parametrize(
    "more",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"active": None},
        {"token_type": "refresh_token"},
        {"token_type": "DPoP"},
        {"token_type": None},
        {"cnf": {"jkt": "x"}},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"exp": 1},
        {"aud": "other"},
        {"client_id": "other"},
        {"client_id": None},
        {"iss": "https://other.example"},
    ],
    ids=str,
)
async def test_what_it_does_not_say_is_not_guessed(
    provider: OddProvider, source: OidcSource, more: dict[str, Any]
) -> None:
    provider.tells(**good(provider))
    assert (await prove(source, OPAQUE)).user == "ada"
    provider.tells(**good(provider, **more))
    await refuse(source, OPAQUE)


@pytest.mark.parametrize("odd", [each for each in ODD if each != "another document"])
async def test_an_answer_about_a_token_that_is_none_is_no_answer(
    provider: OddProvider, source: OidcSource, odd: str
) -> None:
    provider.tells(**good(provider))
    assert (await prove(source, OPAQUE)).user == "ada"
    provider.replies[INTROSPECTION] = ODD[odd]
    with pytest.raises(SourceKnowsOthers) as raised:
        await prove(source, OPAQUE)
    assert OPAQUE not in str(raised.value)


async def test_a_provider_that_tells_of_no_tokens_is_not_asked(provider: OddProvider, source: OidcSource) -> None:
    with raises(SourceAway):
        await prove(source, OPAQUE)
    assert INTROSPECTION not in provider.asked


async def test_only_tokens_that_may_be_its_own_are_sent_to_it(
    provider: OddProvider, source: OidcSource, tmp_path: Path
) -> None:
    other = provider.key.sign({"iss": "https://other.example", "sub": "ada"})
    for token in (
        other,
        "a.b.c",
        "a.b.c.d.e",
        "short",
        "x" * 5000,
        "with spaces in it, so none",
        "",
        "rbl_" + "0" * 60,
    ):
        assert not source.takes(Token(token=token))
    plain = open_source("corp", {"issuer": provider.issuer, "audiences": [AUDIENCE]}, None, now())
    assert not plain.takes(Token(token=OPAQUE))
    with raises(BadCredentials):
        await plain.prove(Token(token=OPAQUE))
    assert provider.asked == []
    await plain.close()
    for name in ("introspect_as", "secret_file"):
        alone = {name: settings(tmp_path, provider.issuer)[name]}
        with raises(BadSettings):
            open_source("corp", {"issuer": provider.issuer, "audiences": [AUDIENCE], **alone}, None, now())


async def test_a_real_providers_opaque_tokens_are_good_until_it_takes_them_back(tmp_path: Path) -> None:
    stage = OidcStage(tmp_path)
    await stage.start()
    source = open_source("corp", settings(tmp_path, stage.issuer), None, stage.clock)
    token = (await stage.log_in("ada", "urn:opaque"))["access_token"]
    assert "." not in token
    found = await prove(source, token)
    assert (found.user, found.attributes["groups"]) == ("ada", ("analysts", "admins"))
    assert found.issued_ms is not None
    assert found.expires_ms == found.issued_ms + (HOUR_S + 30) * 1000
    await refuse(source, (await stage.log_in("ada", "urn:other"))["access_token"])
    async with httpx.AsyncClient(base_url=stage.issuer, trust_env=False) as client:
        taken_back = {"token": token, "client_id": CLIENT}
        (await client.post("/token/revocation", data=taken_back)).raise_for_status()
    await refuse(source, token)
    await stage.stop()
    with anyio.fail_after(30), raises(SourceKnowsOthers):
        await source.prove(Token(token=token))
    await stage.go_on()
    await stage.kill()
    with raises(SourceKnowsOthers):
        await prove(source, token)
    await source.close()


async def test_a_secret_that_the_provider_does_not_know_is_told_as_its_absence(tmp_path: Path) -> None:
    stage = OidcStage(tmp_path)
    await stage.start()
    given = settings(tmp_path, stage.issuer)
    (tmp_path / "secret").write_text("wrong")
    source = open_source("corp", given, None, stage.clock)
    with pytest.raises(SourceAway, match="status 401"):
        await prove(source, OPAQUE)
    await source.close()
    await stage.kill()
