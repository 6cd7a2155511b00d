"""Parts of the platform are killed while there is work: it stays up, starts them again, and loses nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from system.running import GUEST, Guest, Running, descendants_of, until
from system.swift_user import Swift

pytestmark = pytest.mark.system
NAP = "import time\ndef main(args):\n time.sleep(args.get('s', 0))\n return {'n': args['n']}"
COPY = """
import time, urllib.request
def patiently(request):
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.2)
    raise OSError("the object store stays away")
def main(event):
    name = event["data"]["Records"][0]["s3"]["object"]["key"]
    content = patiently(event["access"]["source"]["url"])
    target = event["access"]["target"]
    patiently(urllib.request.Request(target["url"] + name + "?" + target["query"], content, method="PUT"))
    return {"name": name}
"""
LOST = "Failed to provision resources to run the action."


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("parts") / "data", "--object-store", "swift")
    yield running
    assert running.stop() == 0


@pytest.fixture
def guest(platform: Running) -> Iterator[Guest]:
    with platform.client() as client:
        yield Guest(client)
    until("no open intents", lambda: platform.open_intents() == 0)


def strike(platform: Running, word: str) -> None:
    """kill -9 all processes of the platform that were started with `word`."""
    struck = 0
    for pid in descendants_of(platform.process.pid):
        try:
            if word in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
                struck += 1
        except OSError:
            continue  # it ended with one that was struck before
    assert struck


def test_runs_of_a_zygote_that_dies_end_and_the_next_one_takes_over(platform: Running, guest: Guest) -> None:
    guest.put("nap", NAP)
    sent = {guest.send("nap", n=n, s=0.5): n for n in range(30)}
    until("some run", lambda: platform.status()["dispatch"]["running"] > 2)
    strike(platform, "zygote.py")
    for activation_id, number in sent.items():
        response = guest.ended(activation_id)["response"]
        if response["status"] == "success":
            assert response["result"] == {"n": number}
        else:
            assert (response["status"], response["result"]["error"][:47]) == ("whisk internal error", LOST[:47])
    assert guest.call("nap", n=99)["response"]["result"] == {"n": 99}
    assert platform.process.poll() is None


@pytest.fixture
def swift(platform: Running, guest: Guest) -> Iterator[Swift]:
    """With a container whose objects are copied into another."""
    action = {"exec": {"kind": "python:3", "code": COPY}, "annotations": [{"key": "network", "value": "objects"}]}
    source = {"type": "swift", "container": "inbox", "target": "outbox"}
    for path, body in {
        "actions/copy": action,
        "triggers/arrived": {"annotations": [{"key": "source", "value": source}]},
        "rules/copying": {"trigger": "/_/arrived", "action": "/_/copy"},
    }.items():
        guest.client.put(f"{GUEST}/{path}?overwrite=true", json=body).raise_for_status()
    user = Swift(platform)
    user.make("inbox", "outbox")
    yield user
    user.close()


@pytest.mark.parametrize("part", ["rambla_openstack.embedded", "rambla_openstack.shipper", "zygote.py"])
def test_uploads_survive_the_death_of_any_part(platform: Running, guest: Guest, swift: Swift, part: str) -> None:
    guest.put("nap", NAP)
    names = {f"{part}-{number:02d}" for number in range(30)}
    for count, name in enumerate(sorted(names)):
        if count == 15:
            strike(platform, part)
        until(f"{name} is stored", lambda name=name: _asked(swift, lambda: swift.put("inbox", name, b"content") == 201))
    assert guest.call("nap", n=1)["response"]["result"] == {"n": 1}
    until("all copies", lambda: _asked(swift, lambda: names <= set(swift.names("outbox"))))
    until("status says that all is well", lambda: _well(platform), 60)


def _asked(swift: Swift, question: Callable[[], bool]) -> bool:
    """The answer; False while Swift is on its way back."""
    try:
        if question():
            return True
        swift.login()
    except httpx.HTTPError:
        pass
    return False


def _well(platform: Running) -> bool:
    store = platform.status()["object_store"]
    return str(store["swift"]).startswith("ok") and str(store["swift events"]).startswith("ok")
