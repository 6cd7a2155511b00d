"""Whatever Keystone answers is an account, a refusal, or no answer; and nothing is sent where it must not go."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outside_keystone import open_source
from rambla.domain.errors import BadCredentials, SourceAway
from rambla.domain.proofs import ApplicationCredential, KeystoneToken, Password
from rambla.drivers.keystone.answers import account
from rambla.drivers.keystone.client import ANSWER_BYTES_MAX
from rambla.identity.ports import Account
from stages import certificate

DOMAIN = {"id": "default", "name": "Default"}
TOKEN: dict[str, Any] = {
    "methods": ["password", "token"],
    "user": {"id": "u1", "name": "ada", "domain": DOMAIN, "OS-FEDERATION": {"groups": [{"id": "g1"}]}},
    "audit_ids": ["a1", "a0"],
    "issued_at": "2026-11-26T01:00:00.000000Z",
    "expires_at": "2026-11-26T02:00:00.500000Z",
    "project": {"id": "p1", "name": "street", "domain": DOMAIN},
    "roles": [{"id": "r1", "name": "member"}],
    "OS-TRUST:trust": {"id": "t1", "impersonation": True, "trustor_user": {"id": "u1"}, "trustee_user": {"id": "u2"}},
    "application_credential": {"id": "c1", "name": "program", "restricted": True},
    "system": {"all": True},
    "domain": DOMAIN,
    "oauth2_credential": {},
    "catalog": [],
}
PROOF = KeystoneToken(token="token")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("x" * 300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*TOKEN, "id", "name"]), inner),
    max_leaves=10,
)
Reply = tuple[int, dict[str, str], bytes]


def read(document: bytes) -> Account | None:
    """What it says, None if it is no answer or refused."""
    with suppress(ValueError, BadCredentials):
        return account(document, own_domain="Default", issued=True)
    return None


def is_sound(found: Account | None) -> bool:
    if found is None:
        return True
    project = (found.project.id, found.project.name) if found.project else ()
    texts = [found.user, found.method, *found.roles, *found.groups, *project]
    return all(isinstance(text, str) and 0 < len(text) < 6000 and "\0" not in text for text in texts)


@given(st.binary())
def test_any_bytes_are_an_account_or_no_answer(received: bytes) -> None:
    assert is_sound(read(received))


@given(st.dictionaries(st.sampled_from(sorted(TOKEN)), JSON), st.sets(st.sampled_from(sorted(TOKEN))))
def test_a_document_with_anything_in_any_place_is_an_account_or_no_answer(
    other: dict[str, Any], gone: set[str]
) -> None:
    token = {name: value for name, value in {**TOKEN, **other}.items() if name not in gone}
    assert is_sound(read(json.dumps({"token": token}).encode()))


@given(st.integers(0, 900), st.binary(max_size=4))
def test_a_damaged_document_is_an_account_or_no_answer(at: int, damage: bytes) -> None:
    whole = bytearray(json.dumps({"token": TOKEN}).encode())
    whole[at : at + len(damage)] = damage
    assert is_sound(read(bytes(whole)))


def test_a_document_is_read_as_the_api_says() -> None:
    found = read(json.dumps({"token": TOKEN}).encode())
    assert found is not None
    assert (found.user, found.on_behalf_of, found.method) == ("u2", "u1", "application-credential")
    assert (found.groups, found.roles) == (("g1",), ("member",))
    assert found.issued_ms == datetime(2026, 11, 26, 1, tzinfo=UTC).timestamp() * 1000
    assert found.expires_ms == datetime(2026, 11, 26, 2, tzinfo=UTC).timestamp() * 1000 + 500
    assert "name" not in found.attributes


@pytest.mark.parametrize(
    "bound",
    [
        {"oauth2_credential": {"x5t#S256": "thumb"}},
        {"application_credential": {"id": "c", "name": "n", "access_rules": [{"id": "1"}]}},
    ],
)
def test_a_token_that_wants_more_than_being_shown_is_refused(bound: dict[str, Any]) -> None:
    with pytest.raises(BadCredentials):
        account(json.dumps({"token": {**TOKEN, **bound}}).encode(), own_domain="Default", issued=True)


@pytest.mark.parametrize(
    "odd",
    [
        {"expires_at": "2026-11-26T02:00:00"},
        {"expires_at": None},
        {"methods": []},
        {"user": {"id": "", "name": "ada", "domain": DOMAIN}},
        {"user": {"id": "a\0b", "name": "ada", "domain": DOMAIN}},
        {"roles": ["member"]},
        {"roles": [{"name": "r"}] * 1001},
        {"project": {"id": "p", "name": "n"}},
        {"OS-TRUST:trust": {"id": "t", "impersonation": "no"}},
    ],
)
def test_what_is_not_as_it_must_be_is_no_answer(odd: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="document"):
        account(json.dumps({"token": {**TOKEN, **odd}}).encode(), own_domain="Default", issued=True)


def test_a_document_that_is_nested_without_end_is_no_answer() -> None:
    nested = b"[" * 100_000
    with pytest.raises(ValueError, match="document"):
        account(b'{"token": {"catalog": ' + nested, own_domain="Default", issued=True)


class OddServer:
    """Gives the platform its token, and answers to all else with `reply`; one that hangs up does so on connections on
    which it answered before."""

    def __init__(self, reply: Reply, context: ssl.SSLContext | None) -> None:
        self.reply = reply
        self.asked: list[str] = []
        self.hangs_up = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            answered = 0

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service = b'"rambla"' in body
                status, headers, content = server.reply
                given_out = (201 if status == 200 else status, headers, content)
                self._answer((201, {"X-Subject-Token": "own-token"}, b"{}") if service else given_out)

            def do_GET(self) -> None:
                server.asked.append(self.path)
                if server.hangs_up and self.answered:
                    self.close_connection = True
                else:
                    self._answer(server.reply)

            def _answer(self, reply: Reply) -> None:
                self.answered += 1
                status, headers, body = reply
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
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def odd_server(reply: Reply, context: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    server = OddServer(reply, context)
    try:
        yield server
    finally:
        server.close()


def settings(folder: Path, url: str, **more: str) -> dict[str, str]:
    (folder / "secret").write_text("word")
    return {"url": url, "user": "rambla", "secret_file": str(folder / "secret"), **more}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "status 302"),
        ((300, {}, b"{}"), "status 300"),
        ((500, {}, b"{}"), "status 500"),
        ((503, {}, b"{}"), "status 503"),
        ((429, {}, b"{}"), "status 429"),
        ((200, {}, b"<html>"), "malformed"),
        ((200, {}, b""), "malformed"),
        ((200, {}, b'{"token": {}}'), "malformed"),
        ((200, {"Content-Encoding": "gzip"}, b"{}"), "malformed"),
        ((200, {}, b'{"token": "' + b"x" * ANSWER_BYTES_MAX + b'"}'), "longer than"),
        ((200, {"Content-Length": "1000000000"}, b"x" * 2 * ANSWER_BYTES_MAX), "longer than"),
    ],
)
async def test_what_is_no_answer_is_told_without_what_it_was(tmp_path: Path, reply: Reply, words: str) -> None:
    with odd_server(reply) as server:
        source = open_source(settings(tmp_path, f"http://{server.host}"))
        for proof in (PROOF, Password(user="ada", password="w"), ApplicationCredential(id="a", secret="w")):
            with pytest.raises(SourceAway) as raised:
                await source.prove(proof)
            assert words in str(raised.value)
            assert "xxx" not in str(raised.value)
        assert server.asked == ["/v3/auth/tokens?nocatalog"], "no redirect is followed, and nothing is asked twice"
        await source.close()


async def test_a_certificate_is_verified_against_the_authorities_that_are_named(tmp_path: Path) -> None:
    authority, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority, key)
    with odd_server((200, {}, msgspec.json.encode({"token": TOKEN})), context) as server:
        url = f"https://{server.host}/identity/v3"
        source = open_source(settings(tmp_path, url, ca_file=str(authority)))
        assert (await source.prove(PROOF)).user == "u2"
        assert server.asked == ["/identity/v3/auth/tokens?nocatalog"]
        await source.close()
        source = open_source(settings(tmp_path, url))
        with pytest.raises(SourceAway):
            await source.prove(PROOF)
        await source.close()


async def test_a_connection_that_was_lost_while_it_was_idle_is_replaced_once(tmp_path: Path) -> None:
    with odd_server((200, {}, msgspec.json.encode({"token": TOKEN}))) as server:
        source = open_source(settings(tmp_path, f"http://{server.host}"))
        server.hangs_up = True
        for _ in range(3):
            assert (await source.prove(PROOF)).user == "u2"
        assert len(server.asked) == 6
        await source.close()
