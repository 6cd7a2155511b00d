"""What happens when the platform has no descriptor left? Each start fails as such, and nothing of it stays."""

import os
import subprocess
import sys

import pytest

# The limit is lowered in a process of its own: at each step there is room for one descriptor more, so that a start
# fails at each place where it can. What was open before must be open afterwards, and nothing else.
SCRIPT = """
import asyncio, os, resource, signal, sys
from rambla.domain.errors import EngineFailed
from rambla.drivers.process.engine import ProcessSettings, open_engine

def opened():
    return sorted((fd, os.readlink(f"/proc/self/fd/{fd}")) for fd in os.listdir("/proc/self/fd") if alive(fd))

def alive(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")

def groups():
    roots = [folder for folder in os.walk("/sys/fs/cgroup") if f"/rambla-{os.getpid()}-" in folder[0]]
    return [name for _, names, _ in roots for name in names]

async def start(engine, room):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + room, hard))
    try:
        sandbox = await engine.start("python:3", 128, grants=engine.level == "sandboxed")
        await sandbox.close()
        return True
    except EngineFailed:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

async def main(kill):
    engine = await open_engine(ProcessSettings(spares=(), objects_upstream="http://127.0.0.1:9"))
    for _ in range(2):
        assert await start(engine, 100), "with room it works"
    seen = set()
    for room in range(30):
        if kill:
            engine._zygote.close()
        before = opened()
        seen.add(await start(engine, room))
        for _ in range(100):
            if kill:
                engine._zygote.close()
            if opened() == before and not groups():
                break
            await asyncio.sleep(0.02)
        assert opened() == before, (room, set(opened()) ^ set(before))
        assert not groups(), room
    assert seen == {True, False}
    await engine.close()
    print("nothing stays")

asyncio.run(main(sys.argv[1] == "kill"))
"""


@pytest.mark.parametrize("zygote", ["keep", "kill"])
def test_a_start_without_a_free_descriptor_fails_as_such_and_leaves_nothing(runtimes: None, zygote: str) -> None:
    """Also when the zygote itself has to be started again."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", SCRIPT, zygote]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.stdout == "nothing stays\n", ended.stderr
