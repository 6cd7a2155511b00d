"""A small web service that decides: `python web_enforcer.py PORT [CERTIFICATE KEY]`.

At /oslo it speaks oslo.policy's wire form, at /v1/data/... that of the Open Policy Agent; other paths answer in the
ways that are no answer. Each line of its output is one question, as JSON. It says yes to alice, asked about `ops` if it
is asked about anything.
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

MISTAKES = {
    "/redirect": (302, b"", {"Location": "/oslo"}),
    "/long": (200, b'"' * 20_000 + b"True", {}),
    "/endless": (200, b"True", {"Content-Length": "1000000000"}),
    "/status": (404, b"True", {}),
    "/busy": (503, b"True", {}),
    "/encoded": (200, b"True", {"Content-Encoding": "gzip"}),
    "/lower": (200, b"true", {}),
    "/line": (200, b"True\n", {}),
    "/object": (200, b'{"result": true}', {}),
    "/empty": (200, b"", {}),
    "/v1/data/undefined": (200, b"{}", {}),
    "/v1/data/text": (200, b'{"result": "true"}', {}),
    "/v1/data/number": (200, b'{"result": 1}', {}),
    "/v1/data/null": (200, b'{"result": null}', {}),
    "/v1/data/set": (200, b'{"result": ["alice"]}', {}),
    "/v1/data/broken": (200, b'{"result": tru', {}),
    "/v1/data/redirect": (307, b"", {"Location": "/v1/data/rambla/allow"}),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        print(json.dumps([self.path, kind, body.decode(), self.headers["Authorization"]]), flush=True)
        if self.path in MISTAKES:
            self._answer(*MISTAKES[self.path])
        elif self.path == "/v1/data/rambla/allow":
            asked = json.loads(body)["input"]
            yes = asked["caller"]["subject"] == "alice" and asked["argument"] in ("", "ops")
            self._answer(200, json.dumps({"result": yes}).encode(), {})
        else:
            self._answer(200, b'"True"' if self._allows(body, kind) else b"False", {})

    def _allows(self, body: bytes, kind: str) -> bool:
        if kind == "application/json":
            asked = json.loads(body)
        else:
            asked = {name: json.loads(value) for name, (value,) in parse_qs(body.decode()).items()}
        assert set(asked) == {"rule", "target", "credentials"}
        return asked["credentials"]["subject"] == "alice" and self.path.rpartition("/")[2] in ("oslo", "ops")

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    if certificate := sys.argv[2:]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
