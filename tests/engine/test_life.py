"""The engine's own life: its levels, its zygote's death, its health, and what happens on cancellation."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import msgspec
import pytest

from enginekit import a_program, a_run, act, bare_tmp, error_of, value_of
from rambla.domain.errors import EngineFailed, IsolationTooWeak
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine
from rambla.engine.ports import Level

pytestmark = pytest.mark.anyio
HELLO = "def main(args): return {'hello': True}"


def _zygotes() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"zygote.py" in (path.parent / "cmdline").read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


async def test_health_names_every_part_and_counts_sandboxes(engine: ProcessEngine) -> None:
    health = engine.health()
    assert {"landlock", "seccomp", "namespaces", "control groups", "nodejs", "python", "grants"} <= set(health.parts)
    assert (health.level, health.sandboxes) == (engine.level, 0)
    sandbox = await engine.start("python:3", 128, grants=False)
    assert engine.health().sandboxes == 1
    await sandbox.close()
    await sandbox.close()
    assert engine.health().sandboxes == 0


async def test_a_dead_zygote_is_replaced_and_its_runs_are_the_platforms_fault(engine: ProcessEngine) -> None:
    sandbox = await engine.start("python:3", 128, grants=False)
    assert await sandbox.init(a_program("import time\ndef main(a): time.sleep(60)"), a_run()) is None

    async def strike() -> None:
        await anyio.sleep(0.2)
        for pid in _zygotes():
            os.kill(pid, signal.SIGKILL)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(strike)
        result = await sandbox.run(a_run())
    assert result.status == "whisk internal error"
    assert not sandbox.alive
    await sandbox.close()
    assert await value_of(engine, HELLO) == {"hello": True}


async def test_a_cancelled_run_ends_its_sandbox(engine: ProcessEngine) -> None:
    sandbox = await engine.start("python:3", 128, grants=False)
    assert await sandbox.init(a_program("import time\ndef main(a): time.sleep(60)"), a_run()) is None
    with anyio.move_on_after(0.1):
        await sandbox.run(a_run())
    assert not sandbox.alive
    assert engine.health().sandboxes == 0


async def test_many_starts_at_once_all_succeed(engine: ProcessEngine) -> None:
    seen: list[object] = []

    async def one(number: int) -> None:
        result = await act(engine, a_program("def main(a): return a"), a_run({"n": number}), 64)
        seen.append(json.loads(result.result)["n"])

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(one, number)
    assert sorted(map(str, seen)) == sorted(map(str, range(20)))


async def test_an_unknown_kind_is_refused_with_its_name(engine: ProcessEngine) -> None:
    with pytest.raises(EngineFailed, match="no runtime for kind 'cobol:60'"):
        await engine.start("cobol:60", 128, grants=False)


async def test_grants_without_an_object_store_are_refused(engine: ProcessEngine) -> None:
    with pytest.raises(EngineFailed, match="no object store"):
        await engine.start("python:3", 128, grants=True)


async def test_a_missing_runtime_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="rambla runtime install"):
        await open_engine(ProcessSettings(runtimes=str(tmp_path)))


@pytest.mark.parametrize("level", ["none", "limited", "restricted"])
async def test_weaker_levels_work_are_reported_and_can_be_refused(
    open_runtimes: str | None, level: Level, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ProcessSettings(isolation_max=level, runtimes=open_runtimes)
    engine = await open_engine(settings)
    try:
        if engine.level != level:
            pytest.skip(f"this host allows only {engine.level}: {engine.health().parts}")
        (said,) = [record for record in caplog.records if "isolation" in record.message]
        assert said.levelname == "WARNING"
        assert f"only {level} (" in said.message
        assert "namespaces: switched off" in said.message
        assert await value_of(engine, HELLO) == {"hello": True}
        result = await act(engine, a_program("def main(a):\n while True: pass"), a_run(timeout_ms=300))
        assert error_of(result) == "The action exceeded its time limits of 300 milliseconds."
        with pytest.raises(EngineFailed):
            await engine.start("python:3", 128, grants=True)
    finally:
        await engine.close()
    with pytest.raises(IsolationTooWeak, match=level):
        await open_engine(msgspec.structs.replace(settings, require_isolation="sandboxed"))


async def test_the_strongest_level_is_told_at_start(runtimes: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        engine = await open_engine(ProcessSettings())
    await engine.close()
    if engine.level != "sandboxed":
        pytest.skip(f"this host allows only {engine.level}")
    assert [(record.levelname, record.message) for record in caplog.records if "isolation" in record.message] == [
        ("INFO", "isolation: sandboxed")
    ]


async def test_everything_ends_with_the_platform(runtimes: None, tmp_path: Path) -> None:
    """The platform is killed without a chance to clean up; its zygote and sandboxes go with it."""
    script = tmp_path / "run_platform.py"
    script.write_text(
        "import asyncio\n"
        "from rambla.drivers.process.engine import *\n"
        "async def main():\n"
        "    engine = await open_engine(ProcessSettings())\n"
        "    await engine.start('python:3', 64, grants=False)\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as platform:
        assert platform.stdout is not None
        assert platform.stdout.readline() == b"up\n"
        descendants = _descendants(platform.pid)
        assert len(descendants) >= 3
        platform.kill()
    with anyio.fail_after(10):
        while any(Path(f"/proc/{pid}").exists() for pid in descendants):
            await anyio.sleep(0.01)


def _descendants(root: int) -> set[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family, size = {root}, 0
    while len(family) > size:
        size = len(family)
        family |= {pid for pid, parent in parents.items() if parent in family}
    return family - {root}


async def test_a_spare_is_taken_and_made_again(sandboxed: ProcessEngine) -> None:
    seen, sandboxes = set(), []
    for memory_mb in (64, 256, 128):
        sandboxes.append(sandbox := await sandboxed.start("python:3", memory_mb, grants=False))
        code = "import os\ndef main(a): return {'mark': os.readlink('/proc/self/ns/mnt'), 'tmp': os.listdir('/tmp')}"
        assert await sandbox.init(a_program(code), a_run()) is None
        outcome = json.loads((await sandbox.run(a_run())).result)
        assert sorted(outcome["tmp"]) == bare_tmp()
        seen.add(outcome["mark"])
        await anyio.sleep(0.15)  # in which the next spare is made
    assert len(seen) == 3, "all live at once, as the number of a namespace that has ended is given out again"
    for sandbox in sandboxes:
        await sandbox.close()
    assert sandboxed.health().sandboxes == 0


def test_a_root_who_cannot_become_another_user_is_told_the_fix(runtimes: None) -> None:
    """Root of a user namespace that has nobody else, as in some containers."""
    program = (
        "import asyncio\n"
        "from rambla.drivers.process.engine import *\n"
        "asyncio.run(open_engine(ProcessSettings(isolation_max='limited')))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    alone = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this host allows no user namespaces")
    said = subprocess.run(
        [*alone, sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert "Fix: start it as an ordinary user" in said.stderr, said.stderr
