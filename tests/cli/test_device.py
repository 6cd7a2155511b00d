"""Logging in by a code, at providers that answer as none should; a real one is in tests/system."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rambla.cli import device
from rambla.cli.errors import CliError

pytestmark = pytest.mark.anyio
Answer = tuple[int, Any]


class Provider:
    """`answers` by path; of several the last is given again and again. `asked` are the forms that came."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, "")

            def do_POST(self) -> None:
                provider.answer(self, self.rfile.read(int(self.headers["content-length"])).decode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        begun = {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://x/device", "interval": 0}
        known = {"issuer": self.issuer, "token_endpoint": f"{self.issuer}/token"}
        known["device_authorization_endpoint"] = f"{self.issuer}/begin"
        self.answers: dict[str, list[Answer]] = {
            "/.well-known/openid-configuration": [(200, known)],
            "/begin": [(200, {**begun, "expires_in": 30})],
            "/token": [(400, {"error": "authorization_pending"}), (200, {"id_token": "the token"})],
        }

    def answer(self, handler: BaseHTTPRequestHandler, form: str) -> None:
        self.asked.append((handler.path, form))
        found = self.answers[handler.path]
        status, content = found.pop(0) if len(found) > 1 else found[0]
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("content-length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    def change(self, path: str, **fields: Any) -> None:
        status, content = self.answers[path][0]
        self.answers[path] = [(status, {**content, **fields})]

    async def log_in(self, **public: Any) -> str:
        described = {"issuer": self.issuer, "client_id": "rambla", "scopes": ["openid", "groups"], **public}
        self.shown: list[tuple[str, str]] = []
        return await device.tokens(described, lambda address, code: self.shown.append((address, code)))


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def test_the_code_is_shown_and_asked_about_until_somebody_says_yes(provider: Provider) -> None:
    assert await provider.log_in() == "the token"
    assert provider.shown == [("https://x/device", "ABCD")]
    assert [path for path, _ in provider.asked][1:] == ["/begin", "/token", "/token"]
    assert provider.asked[1][1] == "client_id=rambla&scope=openid+groups"
    assert "device_code=d" in provider.asked[2][1]


async def test_one_that_wants_to_be_asked_less_often_is(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(device.anyio, "sleep", sleep)
    provider.change("/begin", interval=7)
    pending, slower = (400, {"error": "authorization_pending"}), (400, {"error": "slow_down"})
    provider.answers["/token"] = [pending, slower, (200, {"access_token": "another"})]
    assert await provider.log_in() == "another"
    assert waited == [7, 7, 12]


@pytest.mark.parametrize(
    ("path", "answer", "told"),
    [
        ("/token", (400, {"error": "access_denied"}), "the provider says: access_denied"),
        ("/token", (400, {"error": "expired_token"}), "the provider says: expired_token"),
        ("/token", (200, {}), "has no access_token"),
        ("/token", (200, b"<html>"), "not JSON"),
        ("/token", (200, b"x" * (device.ANSWER_BYTES_MAX + 1)), "answers too much"),
        ("/token", (200, b"[" * 100_000), "not JSON"),
        ("/begin", (200, {"user_code": "A", "verification_uri": "https://x"}), "has no device_code"),
        ("/begin", (200, {"device_code": "d"}), "has no verification_uri"),
        ("/begin", (200, [1]), "not JSON"),
        ("/.well-known/openid-configuration", (200, {"issuer": "https://other"}), "calls itself https://other"),
        ("/.well-known/openid-configuration", (404, b""), "not JSON"),
    ],
)
async def test_what_is_no_providers_answer_is_an_error_that_says_so(
    provider: Provider, path: str, answer: Answer, told: str
) -> None:
    provider.answers[path] = [answer]
    with pytest.raises(CliError, match=told):
        await provider.log_in()


async def test_a_refused_client_and_a_time_that_is_over_are_told(provider: Provider) -> None:
    provider.answers["/begin"] = [(400, {"error": "invalid_client"})]
    with pytest.raises(CliError, match="invalid_client"):
        await provider.log_in()
    provider.answers["/begin"] = [
        (200, {"device_code": "d", "user_code": "A", "verification_uri": "https://x", "expires_in": 0})
    ]
    with pytest.raises(CliError, match="nobody said yes in time"):
        await provider.log_in()


async def test_nothing_is_sent_where_others_could_read_it(provider: Provider) -> None:
    with pytest.raises(CliError, match="is not https"):
        await provider.log_in(issuer="http://provider.example")
    provider.change("/.well-known/openid-configuration", token_endpoint="http://elsewhere.example/token")
    with pytest.raises(CliError, match="is not https"):
        await provider.log_in()
    with pytest.raises(CliError, match="set its client_id"):
        await provider.log_in(client_id="")
