"""The platform's side of `/policy/v1`, on loopback, for tests of what an honest platform never does: it forges,
forgets and answers nonsense. What it signs is signed as the platform signs."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from policy_host import Publisher


class PolicyServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, publisher: Publisher) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.publisher = publisher
        self.bundles: dict[int, bytes] = {}
        self.number = 0
        self.reports: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.answers: dict[str, tuple[int, bytes]] = {}
        """What is answered instead, by the beginning of the path."""
        self.fetched = 0
        self.news = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, files: Mapping[str, str], number: int | None = None) -> bytes:
        with self.news:
            self.number = self.number + 1 if number is None else number
            self.bundles[self.number] = self.publisher.bundle(self.number, files, time.time_ns() // 1_000_000)
            self.news.notify_all()
            return self.bundles[self.number]

    def newest(self) -> bytes:
        if not self.number:
            return self.publisher.newest(0, "", time.time_ns() // 1_000_000)
        return self.publisher.statement(self.bundles[self.number], time.time_ns() // 1_000_000)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PolicyServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.tokens.add(self.headers.get("Authorization", ""))
        for path, (status, data) in self.server.answers.items():
            if parts.path.startswith(path):
                self._answer(status, data)
                return
        if parts.path == "/policy/v1/newest":
            query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
            with self.server.news:
                self.server.news.wait_for(lambda: self.server.number != query["known"], query["wait_ms"] / 1000)
            self._answer(200, self.server.newest())
        else:
            self.server.fetched += 1
            self._answer(200, self.server.bundles[int(parts.path.rpartition("/")[2])])

    def do_POST(self) -> None:
        self.server.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(204, b"")

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def policy_server(publisher: Publisher) -> Iterator[PolicyServer]:
    with PolicyServer(publisher) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
