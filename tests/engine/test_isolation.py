"""What hostile code in a sandbox can reach: nothing but itself. Needs a host that isolates at level `sandboxed`."""

import json
import os
import socket
from pathlib import Path

import pytest

from enginekit import a_program, a_run, act, bare_tmp, value_of
from rambla.drivers.process.engine import ProcessEngine

pytestmark = pytest.mark.anyio
SPARE = 2  # processes of the sandbox that may have been made ready for the next start
TRY = """
import errno, os, socket, ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
def attempt(function, *arguments):
    try:
        return ["reached", repr(function(*arguments))[:200]]
    except OSError as error:
        return ["refused", errno.errorcode.get(error.errno, str(error))]
def call(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return errno.errorcode.get(ctypes.get_errno(), "?") if result < 0 else "reached"
def number(x86, arm, *arguments):
    return call("syscall", ctypes.c_long(x86 if platform.machine() == "x86_64" else arm), *arguments)
"""


async def test_no_file_of_the_host_is_there(sandboxed: ProcessEngine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("data folder")
    secret.chmod(0o644)
    paths = [str(secret), "/etc/shadow", str(Path.home() / ".profile"), "/etc/hostname", "/var/log", "/sys", "/var/lib",
             str(Path("/proc/1", "root", "etc", "shadow")), "/proc/1/environ",
             "/dev/vda", "/dev/mem", "/dev/kmsg"]  # fmt: skip
    code = TRY + "def main(a): return {p: attempt(open, p) for p in a['paths']}"
    outcome = await value_of(sandboxed, code, payload={"paths": paths})
    allowed = {"/proc/1/environ"}  # the sandbox's own first process
    assert {path for path, (word, _) in outcome.items() if word == "reached"} <= allowed


async def test_the_platforms_environment_and_processes_are_not_there(sandboxed: ProcessEngine) -> None:
    os.environ["PLATFORM_TEST_SECRET"] = "platform-secret"
    try:
        code = (
            "import glob\ndef main(a):\n"
            " text = b''.join(open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/environ'))\n"
            " pids = sorted(int(p) for p in __import__('os').listdir('/proc') if p.isdigit())\n"
            " return {'pids': pids, 'env': text.decode()}"
        )
        outcome = await value_of(sandboxed, code)
    finally:
        del os.environ["PLATFORM_TEST_SECRET"]
    assert outcome["pids"] == [1, 2]
    assert "platform-secret" not in outcome["env"]


async def test_nothing_outside_can_be_signalled(sandboxed: ProcessEngine) -> None:
    code = TRY + "def main(a): return {str(p): attempt(os.kill, p, 0) for p in a['pids']}"
    pids = [os.getpid(), os.getppid(), 3, 99999]
    outcome = await value_of(sandboxed, code, payload={"pids": pids})
    assert all(seen == ["refused", "ESRCH"] for seen in outcome.values())


async def test_another_sandboxes_code_and_files_are_not_there(sandboxed: ProcessEngine) -> None:
    one = await sandboxed.start("python:3", 128, grants=False)
    write = "def main(a):\n open('/tmp/mark', 'w').write('one')\n return {}"
    assert await one.init(a_program(write), a_run()) is None
    assert (await one.run(a_run())).status == "success"
    assert await value_of(sandboxed, "import os\ndef main(a): return sorted(os.listdir('/tmp'))") == bare_tmp()
    await one.close()


async def test_no_port_of_the_host_can_be_reached(sandboxed: ProcessEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = TRY + "def main(a): return {h: attempt(socket.create_connection, (h, a['port']), 1) for h in a['hosts']}"
        payload = {"port": listener.getsockname()[1], "hosts": ["127.0.0.1", "10.0.0.1", "8.8.8.8"]}
        outcome = await value_of(sandboxed, code, payload=payload)
    assert [seen[0] for seen in outcome.values()] == ["refused"] * 3


async def test_no_abstract_socket_of_the_host_can_be_reached(sandboxed: ProcessEngine) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0rambla-test")
        listener.listen()
        code = TRY + "def main(a): return attempt(socket.socket(socket.AF_UNIX).connect, '\\0rambla-test')"
        assert (await value_of(sandboxed, code))[0] == "refused"


async def test_odd_socket_families_are_refused(sandboxed: ProcessEngine) -> None:
    code = TRY + "def main(a): return [attempt(socket.socket, f, socket.SOCK_RAW)[1] for f in (16, 17, 40, 38, 44)]"
    assert await value_of(sandboxed, code) == ["EAFNOSUPPORT"] * 5


async def test_the_administrators_calls_are_refused(sandboxed: ProcessEngine) -> None:
    code = (
        TRY
        + """
def main(a):
    flags = [0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
    return {
        "unshare": [call("unshare", flag) for flag in flags],
        "clone": [number(56, 220, ctypes.c_long(flag | 17), 0, 0, 0, 0) for flag in flags],
        "clone3": number(435, 435, 0, 0),
        "mount": call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "umount": call("umount2", b"/tmp", 2),
        "ptrace": call("ptrace", 16, 1, 0, 0),
        "setns": call("setns", 0, 0),
        "chroot": call("chroot", b"/tmp"),
        "bpf": number(321, 280, 0, 0, 0),
        "io_uring": number(425, 425, 1, 0),
        "keyctl": number(250, 219, 0, 0, 0),
        "fsopen": number(430, 430, 0, 0),
        "userfaultfd": number(323, 282, 0),
        "pidfd_getfd": number(438, 438, 0, 0, 0),
    }
"""
    )
    outcome = await value_of(sandboxed, code)
    assert outcome.pop("clone3") == "ENOSYS"
    assert outcome.pop("unshare") == outcome.pop("clone") == ["EPERM"] * 6
    assert set(outcome.values()) == {"EPERM"}, outcome


async def test_no_capability_is_held_or_can_be_had(sandboxed: ProcessEngine) -> None:
    code = "def main(a): return dict(line.rstrip().split(':', 1) for line in open('/proc/self/status'))"
    status = await value_of(sandboxed, code)
    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == dict.fromkeys(
        ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], 0
    )
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")


async def test_nothing_but_tmp_can_be_written(sandboxed: ProcessEngine) -> None:
    code = (
        TRY
        + """
def main(a):
    places = ["/x", "/usr/x", "/etc/passwd", "/dev/x", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname"]
    places.append(os.__file__)
    return {p: attempt(open, p, "a")[0] for p in places} | {"/tmp/x": attempt(open, "/tmp/x", "w")[0],
        "/dev/null": attempt(open, "/dev/null", "w")[0]}
"""
    )
    outcome = await value_of(sandboxed, code)
    assert {place for place, word in outcome.items() if word == "reached"} == {"/tmp/x", "/dev/null"}


async def test_a_fork_bomb_stops_at_the_limit_and_is_gone_afterwards(sandboxed: ProcessEngine) -> None:
    before = _processes()
    code = """
import os, time
def main(a):
    made = 0
    while True:
        try:
            if not os.fork(): time.sleep(60)
            made += 1
        except OSError as error:
            return {"made": made, "stopped": error.errno}
"""
    outcome = await value_of(sandboxed, code)
    assert outcome["stopped"] == 11
    assert 10 < outcome["made"] <= 256
    assert _processes() <= before + SPARE
    assert await value_of(sandboxed, "def main(a): return {'well': True}") == {"well": True}


async def test_a_full_disk_is_the_sandboxes_own(sandboxed: ProcessEngine) -> None:
    code = """
import os
def main(a):
    try:
        for n in range(100):
            with open(f"/tmp/{n}", "wb") as file: file.write(bytes(16 << 20))
    except OSError as error:
        return {"stopped": error.strerror}
"""
    result = await act(sandboxed, a_program(code), memory_mb=512)
    assert json.loads(result.result) == {"stopped": "No space left on device"}
    assert await value_of(sandboxed, "def main(a): return [open('/tmp/x', 'wb').write(bytes(1 << 20))]") == [1 << 20]


async def test_daemons_end_with_their_sandbox(sandboxed: ProcessEngine) -> None:
    before = _processes()
    code = "import subprocess\ndef main(a):\n subprocess.Popen(['sleep', '1000'], start_new_session=True)\n return {}"
    assert await value_of(sandboxed, code) == {}
    assert _processes() <= before + SPARE


async def test_nothing_is_left_after_close(sandboxed: ProcessEngine) -> None:
    sandbox = await sandboxed.start("python:3", 128, grants=False)
    assert await sandbox.init(a_program("def main(a): return {}"), a_run()) is None
    await sandboxed.close()
    assert not sandbox.alive
    own = [line.split(":", 2)[2].lstrip("/") for line in Path("/proc/self/cgroup").read_text().splitlines()]
    left = [
        folder
        for base in Path("/sys/fs/cgroup").glob("*")
        for path in own
        for folder in (base / path).glob(f"rambla-{os.getpid()}*")
    ]
    assert left == []
    children = [pid for pid in _all_pids() if _parent(pid) == os.getpid() and "zygote" in _command(pid)]
    assert children == []


def _all_pids() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _processes() -> int:
    """How many processes descend from this one."""
    parents = {pid: _parent(pid) for pid in _all_pids()}
    family, size = {os.getpid()}, 0
    while len(family) > size:
        size = len(family)
        family |= {pid for pid, parent in parents.items() if parent in family}
    return size
