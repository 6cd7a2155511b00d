"""A real Swift with its shipper, and a real HTTP server that stands where the platform's intake will be."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

Reply = tuple[int, bytes]
WAIT_S = 60.0


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s for {what}"
        time.sleep(0.02)
    return result


def accept_all(document: dict[str, Any]) -> Reply:
    ids = [item["event"]["id"] for item in document["events"]]
    return 200, json.dumps({"accepted": ids, "rejected": []}).encode()


class Sink:
    """`reply` decides what is answered; `events` are those of requests answered 200 by `accept_all`."""

    TOKEN = "sesame"

    def __init__(self) -> None:
        self.reply: Callable[[dict[str, Any]], Reply] = accept_all
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.requests = 0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink.requests += 1
                if self.path != "/sources/v1/events" or self.headers["Authorization"] != f"Bearer {sink.TOKEN}":
                    status, body = 401, b"{}"
                else:
                    status, body = sink.reply(document)
                if status == 200 and sink.reply is accept_all:
                    sink.events += [(item["trigger"], item["event"]) for item in document["events"]]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, container: str) -> list[dict[str, Any]]:
        """The S3 records that arrived for `container`."""
        records = [event["data"]["Records"][0] for _, event in list(self.events)]
        return [record for record in records if record["s3"]["bucket"]["name"] == container]


class Cloud:
    """Swift and shipper as processes; `swift` and `shipper` may be killed and started again."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.options = data, options
        self.spool = data / "spool"
        self.sink = Sink()
        self.url = ""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        data.mkdir(parents=True, exist_ok=True)
        (data / "token").write_text(Sink.TOKEN)
        users = {f"{name}:{name}": {"key": f"{name}-key", "groups": [".admin"]} for name in ("guest", "other")}
        users["guest:writer"] = {"key": "writer-key", "groups": []}
        users[".rambla:platform"] = {"key": "platform-key", "groups": [".reseller_admin"]}
        (data / "users.json").write_text(json.dumps(users))

    def start_swift(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        arguments = ["--data", str(self.data), "--port", port, "--sweep-seconds", "1", *self.options]
        self.url = self._start("embedded", arguments)

    def start_shipper(self) -> None:
        self.configure(self.sink.url)
        arguments = ["--spool", str(self.spool), "--config", str(self.data / "shipper.json"), "--grace-seconds", "0.5"]
        self._start("shipper", arguments)

    def configure(self, intake_url: str) -> None:
        swift = {"url": self.url, "user": ".rambla:platform", "key": "platform-key"}
        document = {"intake_url": intake_url, "token_file": str(self.data / "token"), "swift": swift}
        fresh = self.data / "shipper.json.new"
        fresh.write_text(json.dumps(document))
        fresh.replace(self.data / "shipper.json")

    def _start(self, name: str, arguments: list[str]) -> str:
        command = [sys.executable, "-m", f"rambla_openstack.{name}", *arguments, "--parent-pid", str(os.getpid())]
        with (self.data / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self._processes[name] = process
        assert process.stdout is not None
        word, _, rest = process.stdout.readline().decode().strip().partition(" ")
        assert word == "ready", (self.data / f"{name}.log").read_text()
        return rest

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def end(self, name: str, *, kill: bool = False) -> int:
        process = self._processes.pop(name)
        if kill:
            process.kill()
        else:
            process.terminate()
        status = process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
        return status

    def close(self) -> None:
        for name in list(self._processes):
            self.end(name)
        self.sink.close()

    def log_in(self, user: str = "guest:guest", key: str = "guest-key") -> httpx.Client:
        """A client in the user's account: paths are `container/object`."""
        headers = {"X-Auth-User": user, "X-Auth-Key": key}
        answer = httpx.get(f"{self.url}/auth/v1.0", headers=headers, trust_env=False).raise_for_status()
        token = {"X-Auth-Token": answer.headers["x-auth-token"]}
        return httpx.Client(base_url=answer.headers["x-storage-url"], headers=token, timeout=60, trust_env=False)


@contextlib.contextmanager
def running_cloud(data: Path, *options: str) -> Iterator[Cloud]:
    cloud = Cloud(data, *options)
    try:
        cloud.start_swift()
        cloud.start_shipper()
        yield cloud
    finally:
        cloud.close()


class Bucket:
    """A container of one test, all of whose events go to the trigger `guest/all`."""

    def __init__(self, cloud: Cloud, client: httpx.Client, name: str) -> None:
        self.cloud, self.client, self.name = cloud, client, name

    def subscribe(self, **subscription: Any) -> httpx.Response:
        document = {"subscriptions": [{"trigger": "guest/all", **subscription}]}
        return self.client.post(f"{self.name}?notification", json=document)

    def put(self, name: str, content: bytes = b"hello", **options: Any) -> httpx.Response:
        return self.client.put(f"{self.name}/{name}", content=content, **options)

    def records(self) -> list[dict[str, Any]]:
        """All records so far, after everything done before has surely arrived: a last object is put and waited for."""
        before = len(self.cloud.sink.of(f"{self.name}-end"))
        self.client.put(f"{self.name}-end").raise_for_status()
        subscription = {"subscriptions": [{"trigger": "guest/end"}]}
        self.client.post(f"{self.name}-end?notification", json=subscription).raise_for_status()
        self.client.put(f"{self.name}-end/end", content=b"").raise_for_status()
        wait_until(lambda: len(self.cloud.sink.of(f"{self.name}-end")) > before, "the last event")
        arrived_ms = time.time_ns() // 1_000_000
        wait_until(lambda: self._is_settled(arrived_ms), "open intents to be settled")
        return self.cloud.sink.of(self.name)

    def _is_settled(self, since_ms: int) -> bool:
        """By what the shipper wrote later than that: before, it may not have read all that was done."""
        status = json.loads((self.cloud.spool / "status.json").read_text())
        return status["at_ms"] > since_ms and not (status["open"] or status["waiting"] or status["unread_bytes"])

    def names(self) -> list[tuple[str, str]]:
        """Event names and keys so far."""
        return [(record["eventName"], record["s3"]["object"]["key"]) for record in self.records()]


ALL = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectMetadata:Post"]
