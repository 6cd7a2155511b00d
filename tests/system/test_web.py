"""Web actions on a real server: what an action answers never breaks the connection that it goes out on."""

import base64
import http.client
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from system.running import GUEST, Running, serving

pytestmark = pytest.mark.system
CODE = """
import base64, json
def main(args):
    if "break" in args:
        return json.loads(args["break"])
    image = base64.b64encode(bytes(range(256))).decode()
    return {"headers": {"Content-Type": "image/png", "Set-Cookie": ["a=b", "c=d"]}, "body": image}
"""
BREAKING = [
    '{"statusCode":204,"body":"a body where none may be"}',
    '{"statusCode":304,"body":"a body where none may be"}',
    '{"statusCode":100,"body":"not final"}',
    '{"statusCode":101}',
    '{"headers":{"Content-Length":"1"},"body":"longer than that"}',
    '{"headers":{"Transfer-Encoding":"chunked"},"body":"5"}',
    '{"headers":{"Connection":"close"},"body":"stay"}',
    r'{"headers":{"a":"b\r\n\r\nHTTP/1.1 200 OK"},"body":"split"}',
    r'{"headers":{"a\r\nb":"c"},"body":"split"}',
    r'{"headers":{"content-type":"text/plain;\r\nx=y"},"body":"split"}',
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data: Path = tmp_path_factory.mktemp("web") / "data"
    with serving(data, "--object-store", "none") as running, running.client() as client:
        annotations = [{"key": "web-export", "value": True}]
        body = {"exec": {"kind": "python:3", "code": CODE}, "annotations": annotations}
        client.put(f"{GUEST}/actions/a", json=body).raise_for_status()
        yield running


def test_bytes_and_cookies_reach_a_visitor_without_a_key(server: Running) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as visitor:
        answer = visitor.get("/api/v1/web/guest/default/a")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.content == bytes(range(256))
        assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]
        head = visitor.head("/api/v1/web/guest/default/a")
        assert (head.headers["content-length"], head.content) == ("256", b"")
        posted = visitor.post("/api/v1/web/guest/default/a.json", files={"f": b"\xff"}, data={"break": "no field"})
        assert base64.b64decode(posted.json()["body"]) == bytes(range(256))


@pytest.mark.parametrize("answer", BREAKING)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whatever_an_action_answers_the_next_request_on_the_connection_is_served(
    server: Running, method: str, answer: str
) -> None:
    connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"), timeout=60)
    path = "/api/v1/web/guest/default/a?break=" + "".join(f"%{byte:02x}" for byte in answer.encode())
    connection.request(method, path)
    first = connection.getresponse()
    first.read()
    assert first.status in (200, 204, 304, 400)
    assert not first.will_close
    connection.request("GET", "/ping")
    assert connection.getresponse().read() == b"pong"
    connection.close()
