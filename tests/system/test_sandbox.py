"""Hostile code, deployed as any user deploys it: what it reaches for is not there, and its neighbour works on."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nobody import AS_NOBODY, python_for_nobody
from system.running import Guest, Running, descendants_of, until

pytestmark = pytest.mark.system
SECRET = "the neighbour's own words"
TRY = """
import errno, glob, os, socket, time
def attempt(function, *arguments):
    try:
        return ["reached", repr(function(*arguments))[:200]]
    except OSError as error:
        return ["refused", errno.errorcode.get(error.errno, str(error))]
"""
FIND = """
import sys
SYSTEM = {"/usr", "/sys", "/proc", sys.prefix, sys.base_prefix}
def files():
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in SYSTEM]
        yield from (os.path.join(folder, name) for name in names)
    yield from glob.glob("/proc/[0-9]*/environ")
    yield from glob.glob("/proc/[0-9]*/cmdline")
def holds(path, secret):
    try:
        with open(path, "rb") as file:
            return os.path.isfile(path) and secret in file.read(1 << 20)
    except OSError:
        return False
def main(args):
    looked_at = list(files())
    return {"files": len(looked_at), "found": [path for path in looked_at if holds(path, args["secret"].encode())]}
"""


def _as_nobody() -> Iterator[Running]:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("is an ordinary user already, or has no setpriv")
    python, environment = python_for_nobody()
    folder = Path(tempfile.mkdtemp(prefix="rambla-nobody-"))
    os.chown(folder, 65534, 65534)
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder / "python3")], check=True)
    environment |= {"RAMBLA_RUNTIMES": str(folder), "HOME": str(folder), "PLATFORM_TEST_SECRET": SECRET}
    command = [*AS_NOBODY, python]
    data = folder.with_suffix(".data")  # not beside the runtime, whose own folder a sandbox may see
    data.mkdir()
    os.chown(data, 65534, 65534)
    yield Running(data, "--object-store", "none", python=command, environment=environment)
    for path in (folder, data):
        shutil.rmtree(path)


@pytest.fixture(scope="module", params=["as we are", "as user nobody"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sandbox")
    makers = _as_nobody() if request.param == "as user nobody" else iter([_as_we_are(folder)])
    running = next(makers)
    try:
        if running.status()["isolation"] != "sandboxed":
            pytest.skip(f"this host isolates less: {running.status()['engine']['parts']}")
        yield running
    finally:
        code = running.stop()
        next(makers, None)
    assert code == 0


def _as_we_are(folder: Path) -> Running:
    environment = os.environ | {"PLATFORM_TEST_SECRET": SECRET}
    return Running(folder / "data", "--object-store", "none", environment=environment)


@pytest.fixture
def guest(platform: Running) -> Iterator[Guest]:
    """With a neighbour that has run, waits warm, and must work on afterwards."""
    with platform.client() as client:
        guest = Guest(client)
        guest.put("neighbour", f"SECRET = {SECRET!r}\ndef main(args): return {{'well': True}}")
        guest.call("neighbour")
        yield guest
        assert guest.call("neighbour")["response"]["result"] == {"well": True}


def outcome(guest: Guest, code: str, **payload: Any) -> Any:
    """The result of hostile code that must come to its end."""
    guest.put("hostile", TRY + code, memory=512)
    response = guest.call("hostile", **payload)["response"]
    assert response["status"] == "success", response
    return response["result"]


def test_the_neighbours_code_and_the_platforms_environment_are_nowhere_to_be_found(guest: Guest) -> None:
    seen = outcome(guest, FIND, secret=SECRET)
    assert seen["files"] > 5
    assert seen["found"] == []


def test_the_data_folder_is_not_there(guest: Guest, platform: Running) -> None:
    folder = platform.data.resolve()
    paths = [folder, *folder.parents[:-2], *sorted(folder.iterdir())]
    code = """
def main(args):
    return {path: attempt(os.listdir if path in args["folders"] else open, path) for path in args["paths"]}
"""
    folders = [str(path) for path in paths if path.is_dir()]
    seen = outcome(guest, code, paths=[str(path) for path in paths], folders=folders)
    allowed = {str(path) for path in (Path("/tmp"), Path("/tmp").resolve())}  # the sandbox's own
    assert {path for path, (word, _) in seen.items() if word == "reached"} <= allowed
    assert len(seen) > 5


def test_the_hosts_processes_are_neither_seen_nor_signalled(guest: Guest, platform: Running) -> None:
    pids = [platform.process.pid, *descendants_of(platform.process.pid), os.getpid()]
    code = """
def main(args):
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    return {"seen": seen, "signals": [attempt(os.kill, pid, 0) for pid in args["pids"] if pid not in seen]}
"""
    seen = outcome(guest, code, pids=pids)
    assert seen["seen"] == [1, 2]
    assert seen["signals"]
    assert all(signal == ["refused", "ESRCH"] for signal in seen["signals"])


def test_no_port_of_the_platform_or_of_the_object_store_answers(guest: Guest, platform: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store:  # any listener of the host: Swift's is one like it
        ports = [int(platform.url.rpartition(":")[2]), store.getsockname()[1]]
        code = """
def main(args):
    hosts = ["127.0.0.1", "localhost", "::1", socket.gethostname(), args["host"]]
    return {f"{h} {p}": attempt(socket.create_connection, (h, p), 1) for h in hosts for p in args["ports"]}
"""
        seen = outcome(guest, code, ports=ports, host=socket.gethostbyname(socket.gethostname()))
    assert {word for word, _ in seen.values()} == {"refused"}


def test_forking_without_end_stops_at_the_limit_and_leaves_nothing(guest: Guest, platform: Running) -> None:
    before = len(descendants_of(platform.process.pid))
    code = """
def main(args):
    made = 0
    while True:
        try:
            if not os.fork():
                time.sleep(60)
            made += 1
        except OSError as error:
            return {"made": made, "stopped": errno.errorcode[error.errno]}
"""
    seen = outcome(guest, code)
    assert seen["stopped"] == "EAGAIN"
    assert 10 < seen["made"] <= 256
    guest.put("hostile", "def main(args): return {}")  # its old sandbox is ended, and all that it made with it
    until("the forks are gone", lambda: len(descendants_of(platform.process.pid)) <= before + 4)


def test_filling_the_disk_fills_the_sandboxes_own(guest: Guest, platform: Running) -> None:
    before = shutil.disk_usage(platform.data).free
    code = """
def fill(folder):
    for number in range(200):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(bytes(8 << 20))
def main(args):
    return {folder: attempt(fill, folder) for folder in ("/tmp", "/dev/shm", "/var/tmp", ".", "/", "/usr")}
"""
    seen = outcome(guest, code)
    assert {word for word, _ in seen.values()} == {"refused"}
    assert seen["/tmp"] == ["refused", "ENOSPC"]
    assert before - shutil.disk_usage(platform.data).free < 512 << 20
