"""Storage fails in every way it can: refusals are clear, and what was acknowledged is there afterwards."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from system.running import GUEST, Guest, Running, rambla, serving, until

pytestmark = pytest.mark.system
UNAVAILABLE = "The server is currently unavailable (because it is overloaded or down for maintenance)."
ECHO = "def main(args): return args"
NAP = "import time\ndef main(args):\n time.sleep(args['s'])\n return {'slept': args['s']}"
NO_STORE = ("--object-store", "none")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounting.returncode != 0:
        pytest.skip(f"this host lets nobody mount: {mounting.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """No room at all on it, meanwhile."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    yield
    ballast.unlink()


def test_a_full_disk_is_refused_with_503_loses_nothing_and_is_forgotten(small_disk: Path) -> None:
    acknowledged: list[str] = []
    with (
        serving(small_disk / "data", *NO_STORE) as platform,
        platform.client() as client,
        ThreadPoolExecutor(1) as caller,
    ):
        guest = Guest(client)
        guest.put("echo", ECHO)
        acknowledged += [guest.send("echo", n=n, padding="x" * 100_000) for n in range(20)]
        with filled(small_disk):
            for answer in (
                client.post(f"{GUEST}/actions/echo", json={"padding": "x" * 100_000}),
                client.put(f"{GUEST}/actions/other", json={"exec": {"kind": "python:3", "code": "x" * 100_000}}),
            ):
                assert (answer.status_code, answer.json()["error"]) == (503, UNAVAILABLE)
            time.sleep(1.5)  # in which the low-water mark cannot be saved either
            assert client.get("/ping").text == "pong"
            waiting = caller.submit(client.post, f"{GUEST}/actions/echo?blocking=true", json={"padding": "x" * 100_000})
        assert waiting.result().status_code in (200, 503)  # its intent is small and may have found room
        assert guest.call("echo", n=99)["response"]["result"] == {"n": 99}
        assert client.get(f"{GUEST}/actions/other").status_code == 404
        for activation_id in acknowledged:
            assert guest.ended(activation_id)["response"]["status"] == "success"
        assert until("no open intents", lambda: platform.open_intents() == 0)


def test_a_server_stops_cleanly_on_a_full_disk_and_keeps_what_it_acknowledged(small_disk: Path) -> None:
    with serving(small_disk / "data", *NO_STORE) as platform:
        with platform.client() as client:
            guest = Guest(client)
            guest.put("nap", NAP)
            activation_id = guest.send("nap", s=1)
            until("it runs", lambda: platform.status()["dispatch"]["running"] == 1)
        with filled(small_disk):
            assert platform.stop() == 0
        platform.start()
        with platform.client() as client:
            assert Guest(client).ended(activation_id)["response"]


def everything(platform: Running, client: Any) -> dict[str, Any]:
    """What the index knows, when it knows all there is."""
    until("the index is complete", lambda: platform.status()["index"]["behind"] <= 2)
    return {
        "activations": client.get(f"{GUEST}/activations?docs=true&limit=0").raise_for_status().json(),
        "usage": client.get("/platform/v1/namespaces/guest/usage").raise_for_status().json(),
        "audit": [
            entry
            for entry in client.get("/platform/v1/namespaces/guest/audit?limit=200").raise_for_status().json()
            if entry["permission"] not in ("audit:read", "usage:read", "activation:list", "activation:read")
        ],
    }


@pytest.mark.parametrize("way", ["deleted", "damaged", "rebuilt"])
def test_an_index_that_is_lost_comes_back_equal(tmp_path: Path, way: str) -> None:
    data = tmp_path / "data"
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        guest = Guest(client)
        guest.put("echo", ECHO)
        guest.put("failing", "def main(args): return {'error': 'no luck'}")
        for number in range(10):
            guest.call("echo" if number % 2 else "failing", n=number)
        client.get("/api/v1/namespaces/other/actions")  # refused, and to be found in nobody's audit but its own
        before = everything(platform, client)
    for file in data.glob("index.sqlite3*"):
        if way == "damaged":
            file.write_bytes(b"no database at all" * 1000)
        else:
            file.unlink()
    if way == "rebuilt":
        done = rambla("rebuild", "--data", data)
        assert (done.returncode, "indexed" in done.stdout) == (0, True), done.stderr
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        after = everything(platform, client)
    assert len(before["activations"]) == 10
    assert before["audit"]
    assert after == before


def test_an_index_that_fails_while_running_is_waited_for(tmp_path: Path) -> None:
    with serving(tmp_path / "data", *NO_STORE) as platform, platform.client() as client:
        guest = Guest(client)
        guest.put("echo", ECHO)
        guest.call("echo")
        index = sqlite3.connect(platform.data / "index.sqlite3", timeout=30, isolation_level=None)
        with contextlib.closing(index):
            for table in ("progress", "activations"):
                index.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
            accepted = [guest.send("echo", n=n) for n in range(10)]
            assert guest.call("echo", n=10)["response"]["result"] == {"n": 10}
            until("status tells", lambda: "error" in platform.status()["index"])
            for table in ("progress", "activations"):
                index.execute(f"ALTER TABLE lost_{table} RENAME TO {table}")
        until("the index has caught up", lambda: platform.status()["index"].get("behind", 99) <= 2)
        found = {each["activationId"] for each in client.get(f"{GUEST}/activations").raise_for_status().json()}
        assert set(accepted) <= found


def refused(data: Path) -> str:
    """The one line with which `rambla serve` refuses to start."""
    done = rambla("serve", "--data", data, "--listen", "127.0.0.1:0", *NO_STORE)
    assert done.returncode != 0
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("INFO", "WARNING"))]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("rambla: "), done.stderr
    assert "this should not happen" not in lines[0]
    return lines[0]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has worked, and was stopped."""
    data = tmp_path_factory.mktemp("used") / "data"
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        guest = Guest(client)
        guest.put("echo", ECHO)
        for number in range(5):
            guest.call("echo", n=number)
    return data


@pytest.fixture
def data(used: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    shutil.copytree(used, tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("way", ["gone", "empty", "garbage", "of a newer Rambla"])
def test_a_lost_catalogue_is_told_and_never_replaced_by_an_empty_one(data: Path, way: str) -> None:
    catalog = data / "catalog.sqlite3"
    if way == "of a newer Rambla":
        with contextlib.closing(sqlite3.connect(catalog)) as database:
            database.execute("UPDATE catalog_version SET version_num = 'c9999'")
            database.commit()
    else:
        for file in data.glob("catalog.sqlite3*"):
            file.unlink()
    if way in ("empty", "garbage"):
        catalog.write_bytes(b"garbage" * 1000 if way == "garbage" else b"")
    assert str(catalog) in refused(data)


def last_segment(data: Path) -> Path:
    return max((data / "journal").glob("*.journal"))


def test_a_journal_that_is_damaged_in_the_middle_is_refused_with_its_place(data: Path) -> None:
    segment = last_segment(data)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    line = refused(data)
    assert str(segment) in line
    assert "damaged frame at offset " in line


def test_a_torn_tail_is_cut_and_told(data: Path) -> None:
    segment = last_segment(data)
    torn = segment.read_bytes()[-300:-100]
    with segment.open("ab") as file:
        file.write(torn)
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        recovered = platform.status()["journal"]["recovered"]
        assert f"cut {len(torn)} bytes of an unfinished write from {segment.name}" in recovered
        assert any(recovered in line for line in platform.stderr)
        assert Guest(client).call("echo", n=1)["response"]["result"] == {"n": 1}


def test_a_low_water_mark_that_cannot_be_read_costs_nothing_but_reading(data: Path) -> None:
    (data / "journal.settled").write_text("nonsense")
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        assert len(client.get(f"{GUEST}/activations").raise_for_status().json()) == 5


def test_a_second_server_on_a_folder_refuses_and_disturbs_nothing(data: Path) -> None:
    with serving(data, *NO_STORE) as platform, platform.client() as client:
        line = refused(data)
        assert f"Another Rambla already runs on {data} (process {platform.process.pid})" in line
        assert rambla("status", "--data", data).returncode == 0
        assert Guest(client).call("echo", n=1)["response"]["result"] == {"n": 1}


def test_sigterm_lets_callers_have_their_answers_and_leaves_the_queue_to_the_next_start(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("memory_mb = 512\n")
    platform = Running(tmp_path / "data", *NO_STORE, "--config", str(config))
    try:
        with platform.client() as client, ThreadPoolExecutor(1) as caller:
            guest = Guest(client)
            guest.put("nap", NAP)
            waiting = caller.submit(guest.call, "nap", s=2)
            until("it runs", lambda: platform.status()["dispatch"]["running"] == 1)
            queued = [guest.send("nap", s=0.5) for _ in range(12)]
            assert platform.stop() == 0
            assert waiting.result()["response"]["result"] == {"slept": 2}
        platform.start()
        with platform.client() as client:
            for activation_id in queued:
                assert Guest(client).ended(activation_id)["response"]["result"] == {"slept": 0.5}
    finally:
        assert platform.stop() == 0
