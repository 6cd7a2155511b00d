"""Whatever dies when: an object that was acknowledged is told, one that never came to be is not."""

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from swift_cloud import ALL, Bucket, Cloud, Reply, accept_all, running_cloud, wait_until

WRITERS = 16


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with running_cloud(tmp_path / "swift") as cloud:
        yield cloud


@pytest.fixture
def own(cloud: Cloud) -> Iterator[Bucket]:
    with cloud.log_in() as client:
        client.put("box").raise_for_status()
        bucket = Bucket(cloud, client, "box")
        bucket.subscribe(events=ALL).raise_for_status()
        yield bucket


def write_until_refused(cloud: Cloud, writer: int, acknowledged: list[str]) -> None:
    """Put one object after another until Swift is gone; note those that were answered 201."""
    with cloud.log_in() as client:
        for number in range(10_000):
            name = f"{writer}-{number}"
            try:
                answer = client.put(f"box/{name}", content=b"x" * 1000)
            except httpx.HTTPError:
                return
            if answer.status_code == 201:
                acknowledged.append(name)


def test_kill_9_of_swift_under_load_with_the_platform_down_loses_and_invents_nothing(cloud: Cloud, own: Bucket) -> None:
    cloud.configure("http://127.0.0.1:1")
    acknowledged: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write_until_refused, cloud, number, acknowledged) for number in range(WRITERS)]
        wait_until(lambda: len(acknowledged) >= 100, "100 objects")
        cloud.end("shipper", kill=True)
        wait_until(lambda: len(acknowledged) >= 150, "150 objects")
        cloud.end("embedded", kill=True)
        for writer in writers:
            writer.result()
    cloud.start_swift()
    cloud.start_shipper()
    with cloud.log_in() as client:
        fresh = Bucket(cloud, client, "box")
        told = {key for _, key in fresh.names()}
        there = {item["name"] for item in client.get("box?format=json").json()}
        there |= {name for name in told - there if client.head(f"box/{name}").is_success}  # listings may be late
    assert set(acknowledged) <= told
    assert told <= there


def test_a_stopped_swift_tells_the_rest_after_its_restart(cloud: Cloud, own: Bucket) -> None:
    cloud.end("shipper")
    for number in range(5):
        own.put(str(number)).raise_for_status()
    assert cloud.end("embedded") == 0
    cloud.start_shipper()
    wait_until(lambda: len(cloud.sink.of("box")) == 5, "events of a Swift that is gone")
    assert len(list(cloud.spool.glob("*.lock"))) >= 1
    cloud.start_swift()
    with cloud.log_in() as client:
        assert client.get("box/4").content == b"hello"
        wait_until(lambda: not [path for path in cloud.spool.iterdir() if path.is_dir()], "the folder to go")


def test_a_swift_with_nothing_to_do_ends_when_it_is_told(tmp_path: Path) -> None:
    """Swift's hub sleeps until something happens, and a signal alone is nothing to it."""
    cloud = Cloud(tmp_path / "swift", "--sweep-seconds", "3600")
    try:
        cloud.start_swift()
        time.sleep(0.5)  # in which it falls asleep
        assert cloud.end("embedded") == 0
    finally:
        cloud.close()


def test_swift_and_the_shipper_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = (
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-m', 'rambla_openstack.embedded', '--data', sys.argv[1]]\n"
        "child = subprocess.Popen(command + ['--parent-pid', str(os.getpid())], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid), "the child to end")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def half(document: dict[str, Any]) -> Reply:
    """Accepts the first, rejects the second, says nothing of the rest."""
    ids = [item["event"]["id"] for item in document["events"]]
    rejected = [{"id": identifier, "reason": "no such trigger"} for identifier in ids[1:2]]
    return 200, json.dumps({"accepted": ids[:1], "rejected": rejected}).encode()


@pytest.mark.parametrize(
    "reply",
    [
        *((lambda _, status=status: (status, b"no")) for status in (400, 401, 404, 413, 500, 503)),
        *((lambda _, body=body: (200, body)) for body in (b"", b"{", b"[]", b"{}", b'{"accepted":1,"rejected":[]}')),
    ],
)
def test_events_wait_until_the_platform_takes_them(bucket: Bucket, reply: Any) -> None:
    sink = bucket.cloud.sink
    sink.reply = reply
    try:
        for number in range(3):
            bucket.put(str(number)).raise_for_status()
        before = sink.requests
        wait_until(lambda: sink.requests >= before + 3, "three attempts")
        assert sink.of(bucket.name) == []
    finally:
        sink.reply = accept_all
    assert sorted(set(bucket.names())) == [("ObjectCreated:Put", str(number)) for number in range(3)]


def test_what_the_platform_rejects_is_not_sent_again_and_what_it_forgets_is(bucket: Bucket) -> None:
    sink = bucket.cloud.sink
    seen: list[list[str]] = []

    def reply(document: dict[str, Any]) -> Reply:
        seen.append([item["event"]["subject"] for item in document["events"]])
        return half(document)

    bucket.cloud.configure("http://127.0.0.1:1")
    for number in range(4):
        bucket.put(str(number)).raise_for_status()
    status = bucket.cloud.spool / "status.json"
    wait_until(lambda: json.loads(status.read_text())["waiting"] == 4, "four events")
    sink.reply = reply
    try:
        bucket.cloud.configure(sink.url)
        wait_until(lambda: len(seen) >= 2, "the rest to be sent again")
    finally:
        sink.reply = accept_all
    assert seen[:2] == [["0", "1", "2", "3"], ["2", "3"]]


class Picky:
    """A platform that answers 500 to every batch that `dislikes` does, and keeps the ids of all others."""

    def __init__(self, dislikes: Callable[[list[dict[str, Any]]], bool]) -> None:
        self._dislikes = dislikes
        self.refused = 0
        self.taken: set[str] = set()

    def __call__(self, document: dict[str, Any]) -> Reply:
        events = [item["event"] for item in document["events"]]
        if self._dislikes(events):
            self.refused += 1
            return 500, b"no"
        self.taken |= {event["source"] + " " + event["subject"] for event in events}
        return accept_all(document)


def test_a_platform_that_fails_at_many_events_gets_them_one_by_one(bucket: Bucket) -> None:
    bucket.cloud.configure("http://127.0.0.1:1")
    for number in range(6):
        bucket.put(str(number)).raise_for_status()
    status = bucket.cloud.spool / "status.json"
    wait_until(lambda: json.loads(status.read_text())["waiting"] == 6, "six events")
    sink = bucket.cloud.sink
    platform = sink.reply = Picky(lambda events: len(events) > 1)
    try:
        bucket.cloud.configure(sink.url)
        wait_until(lambda: len(platform.taken) == 6, "all of them")
        assert platform.refused > 0
    finally:
        sink.reply = accept_all


def test_a_tenant_whose_events_fail_does_not_keep_another_waiting(bucket: Bucket) -> None:
    theirs = f"/v1/AUTH_guest/{bucket.name}"
    sink = bucket.cloud.sink
    platform = sink.reply = Picky(lambda events: any(event["source"] == theirs for event in events))
    try:
        with bucket.cloud.log_in("other:other", "other-key") as client:
            client.put("box").raise_for_status()
            box = Bucket(bucket.cloud, client, "box")
            box.subscribe().raise_for_status()
            for number in range(10):
                bucket.put(str(number)).raise_for_status()
                box.put(str(number)).raise_for_status()
        wait_until(lambda: len(platform.taken) == 10, "the other's events")
        assert platform.refused > 0
        status = bucket.cloud.spool / "status.json"
        wait_until(lambda: json.loads(status.read_text())["last_error"], "the failure to be told")
    finally:
        sink.reply = accept_all
    assert sorted(bucket.names()) == [("ObjectCreated:Put", str(number)) for number in range(10)]


def test_events_for_a_trigger_that_is_made_later_wait_only_for_the_next_attempt(bucket: Bucket) -> None:
    """What had been rejected stays so; what comes afterwards is not, though it came right after a rejection."""
    sink, known = bucket.cloud.sink, threading.Event()
    rejected, taken = set(), set()

    def reply(document: dict[str, Any]) -> Reply:
        ids = [item["event"]["id"] for item in document["events"]]
        (taken if known.is_set() else rejected).update(item["event"]["subject"] for item in document["events"])
        if known.is_set():
            return accept_all(document)
        reasons = [{"id": identifier, "reason": "The requested resource does not exist."} for identifier in ids]
        return 200, json.dumps({"accepted": [], "rejected": reasons}).encode()

    sink.reply = reply
    try:
        bucket.put("before").raise_for_status()
        wait_until(lambda: rejected, "the rejection")
        known.set()
        for number in range(3):
            bucket.put(str(number)).raise_for_status()
        wait_until(lambda: len(taken) == 3, "the events of the trigger")
    finally:
        sink.reply = accept_all
    assert (rejected, taken) == ({"before"}, {"0", "1", "2"})


def test_a_slow_platform_does_not_slow_swift(bucket: Bucket) -> None:
    go_on = threading.Event()

    def reply(document: dict[str, Any]) -> Reply:
        go_on.wait(60)
        return accept_all(document)

    bucket.cloud.sink.reply = reply
    try:
        for number in range(20):
            bucket.put(str(number)).raise_for_status()
    finally:
        bucket.cloud.sink.reply = accept_all
        go_on.set()
    assert set(bucket.names()) <= {("ObjectCreated:Put", str(number)) for number in range(20)}


def test_an_upload_broken_off_by_its_client_is_not_told(bucket: Bucket) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionError("the client goes away")

    with pytest.raises(ConnectionError):
        bucket.put("a", broken())
    bucket.put("b").raise_for_status()
    assert bucket.names() == [("ObjectCreated:Put", "b")]


def test_an_upload_that_takes_long_is_told_when_it_is_done(bucket: Bucket) -> None:
    """The shipper asks after its grace time (0.5 s here), finds nothing, and must not give up."""

    def slow() -> Iterator[bytes]:
        yield b"hel"
        status = bucket.cloud.spool / "status.json"
        wait_until(lambda: json.loads(status.read_text())["oldest_open_s"] > 1.5, "the shipper to have asked")
        yield b"lo"

    bucket.put("a", slow()).raise_for_status()
    [record] = bucket.records()
    assert record["s3"]["object"]["size"] == 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "small"
    target.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(target)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a small disk needs root and the right to mount tmpfs")
    yield target
    subprocess.run(["umount", "-l", str(target)], check=True)


@pytest.mark.parametrize(("choice", "status"), [("pass", 201), ("fail", 503)])
def test_a_full_disk_does_what_the_setting_says(tmp_path: Path, small_disk: Path, choice: str, status: int) -> None:
    spool = small_disk / "spool"
    cloud = Cloud(tmp_path / "swift", "--spool", str(spool), "--on-outbox-failure", choice)
    try:
        check_full_spool(cloud, status)
    finally:
        cloud.close()


def check_full_spool(cloud: Cloud, status: int) -> None:
    cloud.start_swift()
    with cloud.log_in() as client:
        client.put("box").raise_for_status()
        Bucket(cloud, client, "box").subscribe().raise_for_status()
        filler = cloud_filler(cloud)
        assert client.put("box/a", content=b"x").status_code == status
        assert "outbox failed" in (cloud.data / "embedded.log").read_text()
        filler.unlink()
        assert client.put("box/b", content=b"x").status_code == 201


def cloud_filler(cloud: Cloud) -> Path:
    """Fill the disk on which the spool will lie, but for nothing."""
    filler = Path(cloud.options[1]).parent / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        return filler
    finally:
        os.close(descriptor)


def test_a_spool_at_its_limit_is_a_failed_outbox(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "swift", "--spool-bytes-max", "2000", "--on-outbox-failure", "fail")
    try:
        cloud.start_swift()
        with cloud.log_in() as client:
            client.put("box").raise_for_status()
            Bucket(cloud, client, "box").subscribe().raise_for_status()
            answers = [client.put(f"box/{number}", content=b"x").status_code for number in range(8)]
        assert answers[0] == 201
        assert answers[-1] == 503
    finally:
        cloud.close()


def test_a_removed_user_loses_the_token_too(cloud: Cloud) -> None:
    with cloud.log_in() as client:
        assert client.get("").is_success
        path = cloud.data / "users.json"
        users = json.loads(path.read_text())
        users["guest:guest"]["key"] = "another"
        path.write_text(json.dumps(users))
        assert client.get("").status_code == 401
    path.write_text("{broken")
    time.sleep(0.01)
    with cloud.log_in(key="another") as client:
        assert client.get("").is_success
