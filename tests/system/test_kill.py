"""Pull the plug: what was acknowledged before `kill -9` is there afterwards, and has ended."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from system.running import Running, descendants_of, until
from system.swift_user import Swift

pytestmark = [pytest.mark.system, pytest.mark.timeout(480)]

ACTIONS = "/api/v1/namespaces/_/actions"
ACTIVATIONS = "/api/v1/namespaces/_/activations"
INVOKES = 500
UPLOADS = 200
TRIES = 3

NUMBERED = """
import time
def main(args):
    time.sleep(0.01)
    return {"number": args["number"]}
"""

SHRINK = """
import io, urllib.request
from PIL import Image
def main(event):
    name = event["data"]["Records"][0]["s3"]["object"]["key"]
    with urllib.request.urlopen(event["access"]["source"]["url"]) as source:
        picture = Image.open(io.BytesIO(source.read()))
    picture.thumbnail((16, 16))
    small = io.BytesIO()
    picture.save(small, "JPEG")
    target = event["access"]["target"]
    request = urllib.request.Request(target["url"] + name + "?" + target["query"], small.getvalue(), method="PUT")
    urllib.request.urlopen(request).close()
    return {"name": name}
"""


def test_every_acknowledged_invoke_has_a_record_that_ended(tmp_path: Path) -> None:
    platform = Running(tmp_path / "data")
    acknowledged: dict[str, int] = {}
    killed = threading.Event()

    def invoke(number: int) -> None:
        if killed.is_set():
            return
        try:
            answer = client.post(f"{ACTIONS}/numbered", json={"number": number})
        except httpx.TransportError:
            return
        if answer.status_code == 202:
            acknowledged[answer.json()["activationId"]] = number
        if len(acknowledged) == INVOKES // 2 and not killed.is_set():
            killed.set()
            platform.kill()

    with platform.client() as client:
        body = {"exec": {"kind": "python:3", "code": NUMBERED}}
        client.put(f"{ACTIONS}/numbered", json=body).raise_for_status()
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(invoke, range(INVOKES)))
    assert killed.is_set()
    platform.start()
    try:
        with platform.client() as client:
            for activation_id, number in acknowledged.items():
                record = until(activation_id, lambda key=activation_id: _record(client, key))
                response = record["response"]
                if response["status"] == "success":
                    assert response["result"] == {"number": number}
                else:
                    assert response["status"] == "whisk internal error"
                    assert "not run again" in response["result"]["error"]
        assert until("no open intents", lambda: platform.status()["open_intents"] <= 1)
    finally:
        assert platform.stop() == 0


def _record(client: httpx.Client, activation_id: str) -> dict[str, Any] | None:
    answer = client.get(f"{ACTIVATIONS}/{activation_id}")
    return answer.json() if answer.status_code == 200 else None


@pytest.fixture
def with_swift(tmp_path: Path) -> Any:
    platform = Running(tmp_path / "data", "--object-store", "swift")
    yield platform
    platform.stop()


def test_every_uploaded_image_has_its_thumbnail(with_swift: Running) -> None:
    platform = with_swift
    with platform.client() as client:
        _prepare(client)
    swift = Swift(platform)
    swift.make("photos", "thumbs")
    stored: set[str] = set()
    picture = _picture()
    killed = threading.Event()

    def upload(number: int) -> None:
        name = f"picture-{number:03d}.jpg"
        for _ in range(TRIES):
            if killed.is_set():
                return
            try:
                if swift.put("photos", name, picture) == 201:
                    stored.add(name)
                    break
            except httpx.TransportError:
                continue
        if len(stored) >= UPLOADS // 2 and not killed.is_set():
            killed.set()
            platform.kill()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload, range(UPLOADS)))
    assert killed.is_set()
    swift.close()
    platform.start()
    swift = Swift(platform)
    try:
        until("all thumbnails", lambda: stored <= set(swift.names("thumbs")))
        assert stored <= set(swift.names("photos"))
        small = Image.open(io.BytesIO(swift.get("thumbs", min(stored))))
        assert max(small.size) == 16
    finally:
        swift.close()


def test_nothing_survives_its_platform(with_swift: Running) -> None:
    with with_swift.client() as client:
        body = {"exec": {"kind": "python:3", "code": NUMBERED}}
        client.put(f"{ACTIONS}/numbered", json=body).raise_for_status()
        client.post(f"{ACTIONS}/numbered?blocking=true", json={"number": 1}).raise_for_status()
    family = descendants_of(with_swift.process.pid)
    assert len(family) >= 3
    with_swift.kill()
    until("all children ended", lambda: not [pid for pid in family if _runs(pid)], 20)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _prepare(client: httpx.Client) -> None:
    namespace = "/api/v1/namespaces/_"
    action = {
        "exec": {"kind": "python:3", "code": SHRINK},
        "annotations": [{"key": "network", "value": "objects"}],
    }
    source = {"type": "swift", "container": "photos", "target": "thumbs", "suffix": ".jpg"}
    client.put(f"{namespace}/actions/shrink", json=action).raise_for_status()
    trigger = {"annotations": [{"key": "source", "value": source}]}
    client.put(f"{namespace}/triggers/uploaded", json=trigger).raise_for_status()
    rule = {"trigger": "/_/uploaded", "action": "/_/shrink"}
    client.put(f"{namespace}/rules/shrink-uploads", json=rule).raise_for_status()


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "JPEG")
    return file.getvalue()
