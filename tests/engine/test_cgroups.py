"""What control groups promise: a fair share of the processors, and nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from enginekit import a_program, a_run, value_of
from rambla.drivers.process.cgroups import open_groups
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine

pytestmark = pytest.mark.anyio
SPIN = """
import os, time
def main(args):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for _ in range(args["children"]):
        if not os.fork():
            os.setsid()  # or the kernel's autogroups, where they are on, would hide what is missing here
            while True: pass
    start, end = time.process_time(), time.monotonic() + 1.5
    while time.monotonic() < end: pass
    return {"spent_s": time.process_time() - start}
"""


def _folders(pid: int) -> list[Path]:
    found = (Path(folder) for folder, _, _ in os.walk("/sys/fs/cgroup"))  # others come and go meanwhile
    return [folder for folder in found if folder.name.startswith(f"rambla-{pid}-")]


async def test_many_processes_get_no_more_of_the_processors_than_one(sandboxed: ProcessEngine) -> None:
    if not sandboxed.health().parts["control groups"].startswith("works (version"):
        pytest.skip("no control groups for processors on this host")
    spent_s: dict[int, float] = {}

    async def spin(children: int) -> None:
        sandbox = await sandboxed.start("python:3", 128, grants=False)
        assert await sandbox.init(a_program(SPIN), a_run()) is None
        result = await sandbox.run(a_run({"children": children}))
        spent_s[children] = json.loads(result.result)["spent_s"]
        await sandbox.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(spin, 30)
        tasks.start_soon(spin, 0)
    assert spent_s[0] > 4 * spent_s[30], "one process of 31 has as much as one that is alone"


async def test_without_a_group_for_processors_sandboxes_stand_behind_the_platform(sandboxed: ProcessEngine) -> None:
    niceness = await value_of(sandboxed, "import os\ndef main(a): return [os.getpriority(os.PRIO_PROCESS, 0)]")
    weighed = sandboxed.health().parts["control groups"].startswith("works (version")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness == [own if weighed else max(own, 10)]


async def test_a_normal_stop_leaves_no_group_behind(runtimes: None) -> None:
    engine = await open_engine(ProcessSettings())
    try:
        if engine.health().parts["control groups"].startswith("works"):
            assert _folders(os.getpid())
        for _ in range(5):
            sandbox = await engine.start("python:3", 128, grants=False)
            assert await sandbox.init(a_program("def main(a): return a"), a_run()) is None
    finally:
        await engine.close()
    assert _folders(os.getpid()) == []


async def test_two_engines_of_one_process_do_not_share_groups(runtimes: None) -> None:
    one, two = await open_engine(ProcessSettings()), await open_engine(ProcessSettings())
    try:
        for engine in (one, two):
            assert await value_of(engine, "def main(a): return a") == {}
    finally:
        await one.close()
        await two.close()


async def test_a_start_removes_the_groups_of_platforms_that_were_killed() -> None:
    code = "import os; from rambla.drivers.process.cgroups import open_groups; groups, _ = open_groups(9)\n"
    code += "groups and groups.make(1); print(os.getpid(), flush=True); os.kill(os.getpid(), 9)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    groups, text = open_groups(9)
    try:
        if not groups:
            pytest.skip(text)
        assert _folders(int(killed.stdout)) == []
        assert _folders(os.getpid()), "its own and those of others that live stay"
        again, _ = open_groups(9)
        assert again
        await again.close()
        groups.make(1)
    finally:
        if groups:
            await groups.close()
    assert _folders(os.getpid()) == []
