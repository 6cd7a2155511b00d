"""Container images: OpenWhisk's HTTP contract, kept, and broken in every way that an image can think of."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

import imagekit
from enginekit import a_program, a_run, act, error_of
from imagekit import KIND, podman
from rambla.domain.activation import RunResult
from rambla.domain.errors import EngineFailed, ImageFailed
from rambla.drivers.podman.engine import PodmanEngine, PodmanSettings, open_engine
from rambla.drivers.podman.images import is_reference
from rambla.engine.ports import Sandbox

pytestmark = pytest.mark.anyio
DEVELOPER = "action developer error"
NOT_LOADED = "The action did not initialize and exited unexpectedly."
EXITED = "The action did not produce a valid response and exited unexpectedly."
SECRET = "this is known to the container alone"


async def loaded(engine: PodmanEngine, what: str, tag: str = "latest", **env: str) -> Sandbox:
    kind = f"{KIND}:{tag}"
    sandbox = await engine.start(kind, 128, grants=False)
    assert await sandbox.init(a_program(what, kind, env=env), a_run()) is None
    return sandbox


async def once(
    engine: PodmanEngine, what: str, tag: str = "latest", timeout_ms: int = 10_000, **args: Any
) -> RunResult:
    """The first run of a new container, or why it was not loaded."""
    return await act(engine, a_program(what, f"{KIND}:{tag}"), a_run(args, timeout_ms=timeout_ms), 128)


async def value_of(engine: PodmanEngine, what: str) -> Any:
    result = await once(engine, what)
    assert result.status == "success", result
    return msgspec.json.decode(result.result)


def texts_of(result: RunResult) -> list[str]:
    return [line.text for line in result.logs]


async def test_an_image_is_told_what_openwhisk_tells_it(containers: PodmanEngine) -> None:
    context = {
        "namespace": "guest", "action_name": "/guest/a", "action_version": "0.0.1", "activation_id": "1" * 32,
        "transaction_id": "t", "deadline": "1700000000000", "api_key": "key",
    }  # fmt: skip
    sandbox = await containers.start(KIND, 128, grants=False)
    run = a_run({"n": 1}, context=context)
    assert await sandbox.init(a_program("message", KIND, env={"GIVEN": "1"}), run) is None
    told = msgspec.json.decode((await sandbox.run(run)).result)
    await sandbox.close()
    assert told["run"] == {"value": {"n": 1}, **context}
    env = {f"__OW_{key.upper()}": value for key, value in context.items()} | {"GIVEN": "1"}
    assert told["init"] == {"name": "a", "main": "main", "code": "message", "binary": False, "env": env}


async def test_an_image_that_brings_its_own_code_is_sent_none(containers: PodmanEngine) -> None:
    assert texts_of(await once(containers, "")) == ["one", "two"]


async def test_a_container_has_nothing_but_what_it_needs(containers: PodmanEngine) -> None:
    inside = await value_of(containers, "inside")
    folders = ["/tmp", "/run", "/var/tmp", "/action", "/dev/shm", "/data", "/dev/stdout", "/dev/stderr"]
    assert [place for place, wrote in inside["wrote"].items() if wrote] == sorted(folders)
    assert inside["kept"] == imagekit.KEPT.decode()
    assert (inside["interfaces"], inside["pid"]) == (["lo"], 1)
    status = dict(line.split(":\t", 1) for line in inside["status"].splitlines())
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    names = {entry.partition("=")[0] for entry in inside["environment"]}
    assert names == {"PATH", "TERM", "container", "HOSTNAME", "HOME"}


async def test_root_in_a_container_is_nobody_outside(containers: PodmanEngine) -> None:
    if os.geteuid() or "no user namespace" in containers.health().parts["images"]:
        pytest.skip(f"no user namespace of its own: {containers.health().parts['images']}")
    assert int((await value_of(containers, "inside"))["uid_map"].split()[1]) > 2**30


async def test_no_secret_can_be_read_from_podman(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "echo", token=SECRET)
    (name,) = podman("ps", "--format", "{{.Names}}").split()
    assert '"org.rambla.owner"' in podman("inspect", name)
    assert SECRET not in podman("inspect", name)
    await sandbox.close()


async def test_what_is_printed_after_the_answer_belongs_to_its_run(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "late")
    for _ in range(3):
        assert texts_of(await sandbox.run(a_run())) == ["one", "two", "late"]
    await sandbox.close()


async def test_an_image_without_sentinels_has_its_logs_too(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "counts", "plain")
    for number in (1, 2, 3):
        assert texts_of(await sandbox.run(a_run())) == [f"run {number}"]
    await sandbox.close()


@pytest.mark.parametrize(
    ("tag", "what", "said"),
    [
        ("gone", "echo", NOT_LOADED),
        ("latest", "broken", "it cannot be loaded"),
        ("deaf", "echo", "The action exceeded its time limits of 1500 milliseconds during initialization."),
        ("latest", "slow to load", "The action exceeded its time limits of 1500 milliseconds during initialization."),
    ],
)
async def test_what_does_not_load_says_so(containers: PodmanEngine, tag: str, what: str, said: str) -> None:
    result = await once(containers, what, tag, timeout_ms=1500)
    assert (result.status, error_of(result), result.timed_out) == (DEVELOPER, said, "time limits" in said)
    assert ("going" in texts_of(result)) == (tag == "gone")
    assert containers.health().sandboxes == 0


@pytest.mark.parametrize("what", ["garbage", "hangs up", "short", "headers", "interim", "crumbs", "crashes"])
async def test_what_is_no_answer_ends_the_container(containers: PodmanEngine, what: str) -> None:
    sandbox = await loaded(containers, what)
    result = await sandbox.run(a_run())
    assert (result.status, error_of(result), sandbox.alive) == (DEVELOPER, EXITED, False)
    await sandbox.close()


@pytest.mark.parametrize("what", ["drips", "endless"])
async def test_an_answer_that_never_ends_is_a_timeout(containers: PodmanEngine, what: str) -> None:
    result = await once(containers, what, timeout_ms=500)
    assert result.timed_out
    assert error_of(result) == "The action exceeded its time limits of 500 milliseconds."


@pytest.mark.parametrize(("what", "size"), [("boast", 9_000_000_000), ("chunks", 64 << 20), ("large", 2 << 20)])
async def test_an_answer_that_is_too_long_is_cut(containers: PodmanEngine, what: str, size: int) -> None:
    result = await once(containers, what)
    said, _, quoted = error_of(result).partition(" > 1048576 bytes. The truncated response was: ")
    start = "The action produced a response that exceeded the allowed length: "
    assert size <= int(said.removeprefix(start)) < size + 100_000
    assert quoted[10] == "x"
    assert (result.status, len(quoted)) == ("application error", 1024)


@pytest.mark.parametrize(
    ("what", "args", "said"),
    [
        ("redirect", {}, "The action did not produce a valid JSON or JSON Array response."),
        ("text", {}, "The action did not produce a valid JSON or JSON Array response: no JSON"),
        ("status", {"status": 502, "body": {"error": {"why": 1}}}, {"why": 1}),
        ("status", {"status": 400, "body": [1]}, "The action did not produce a valid JSON or JSON Array response: [1]"),
        ("status", {"status": 200, "body": 3}, "The action did not produce a valid JSON or JSON Array response: 3"),
    ],
)
async def test_an_answer_that_is_no_success_is_the_developers(
    containers: PodmanEngine, what: str, args: dict[str, Any], said: object
) -> None:
    result = await once(containers, what, **args)
    assert (result.status, error_of(result)) == (DEVELOPER, said)


async def test_after_an_answer_other_than_200_the_container_is_not_used_again(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "status")
    assert (await sandbox.run(a_run({"status": 200, "body": {}}))).status == "success"
    await sandbox.run(a_run({"status": 502, "body": {}}))
    assert not sandbox.alive
    await sandbox.close()


async def test_a_fork_bomb_stops_at_the_limit(containers: PodmanEngine) -> None:
    assert 10 < (await value_of(containers, "forks"))["forks"] < 256


async def test_files_are_in_memory_and_count_as_the_actions(containers: PodmanEngine) -> None:
    assert error_of(await once(containers, "fills")) == "The action exhausted its memory and was aborted."


async def test_a_port_that_was_closed_is_no_answer(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "closes")
    assert (await sandbox.run(a_run())).status == "success"
    result = await sandbox.run(a_run())
    assert (error_of(result), sandbox.alive) == (EXITED, False)
    await sandbox.close()


async def test_a_container_that_somebody_killed_is_known_to_be_dead(containers: PodmanEngine) -> None:
    sandbox = await loaded(containers, "echo")
    podman("kill", podman("ps", "--quiet"))
    with anyio.fail_after(10):
        while sandbox.alive:
            await anyio.sleep(0.01)
    assert (await sandbox.run(a_run())).status == DEVELOPER
    await sandbox.close()


async def test_nothing_is_left_after_close(containers: PodmanEngine, tmp_path: Path) -> None:
    await once(containers, "echo")
    assert podman("ps", "--all", "--quiet") == ""
    assert [path.name for path in (tmp_path / "containers").iterdir()] == ["owner"]
    await containers.close()
    assert not (tmp_path / "containers").exists()


@pytest.mark.parametrize("image", ["localhost/rambla/absent", "absent:1", "docker.io/nobody/absent@sha256:" + "0" * 64])
async def test_an_image_that_is_not_here_is_not_fetched(containers: PodmanEngine, image: str) -> None:
    with pytest.raises(ImageFailed) as raised:
        await containers.start(f"blackbox:{image}", 128, grants=False)
    assert str(raised.value).startswith(f"Failed to pull container image '{image}'. (")
    assert "podman load" in str(raised.value)
    assert (podman("ps", "--all", "--quiet"), containers.health().sandboxes) == ("", 0)


async def test_an_image_whose_program_cannot_be_started_says_so(containers: PodmanEngine) -> None:
    with pytest.raises(ImageFailed, match=r"^Failed to run container image '.*:empty'\. \(.*/nothing.*\)$"):
        await containers.start(f"{KIND}:empty", 128, grants=False)


@pytest.mark.parametrize(
    "name",
    ["", "-v/:/host", "a b", "oci:/etc", "oci:etc", "dir:etc", "docker-archive:x", "../x", "/x", "x:", "x:y:z", "X",
     "http://x/y", "x@sha256:1", "x\n", "a" * 256],
)  # fmt: skip
async def test_what_is_no_name_of_an_image_never_reaches_podman(containers: PodmanEngine, name: str) -> None:
    with pytest.raises(ImageFailed, match="this is not the name of an image"):
        await containers.start(f"blackbox:{name}", 128, grants=False)


@pytest.mark.parametrize(
    "name", ["x", "x:1", "a/b-c__d.e:V.1-x", "localhost:5000/a", "q.io/a/b@sha256:" + "0" * 64, "localhost/oci:1"]
)
def test_names_of_images_are_understood(name: str) -> None:
    assert is_reference(name)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "podman cannot be started: No such file or directory"),
        ("exit 125", "podman: it said nothing"),
        ("echo '9.9 []'", r"podman cannot bound memory and pids of a container here\. Fix: run as root, or delegate"),
        (
            "case $* in *' run '*) echo 'Error: no, not here' >&2; exit 126;; info*) echo '9.9 [memory pids]';; esac",
            r"podman 9\.9 runs no container: default: podman: no, not here; .* Fix: apt-get install podman runc",
        ),
    ],
)
async def test_where_podman_does_not_work_the_reason_and_the_fix_are_told(
    tmp_path: Path, script: str | None, why: str
) -> None:
    program = tmp_path / "podman"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    with pytest.raises(EngineFailed, match=why):
        await open_engine(PodmanSettings(folder=tmp_path / "containers", program=str(program)))


async def test_what_a_killed_platform_left_is_swept_and_nothing_else(images: None, tmp_path: Path) -> None:
    settings = PodmanSettings(folder=tmp_path / "containers")
    script = (
        "import anyio, sys\nfrom pathlib import Path\nfrom rambla.drivers.podman.engine import *\n"
        "async def main():\n"
        "    engine = await open_engine(PodmanSettings(folder=Path(sys.argv[1])))\n"
        "    await engine.start(sys.argv[2], 64, grants=False)\n"
        "    print('up', flush=True)\n"
        "    await anyio.sleep(60)\n"
        "anyio.run(main)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", script, str(settings.folder), KIND]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as platform:
        assert platform.stdout is not None
        assert platform.stdout.readline() == b"up\n"
        platform.kill()
    other = await open_engine(PodmanSettings(folder=tmp_path / "other"))
    theirs = await other.start(KIND, 64, grants=False)
    assert len(podman("ps", "--quiet").split()) == 2
    engine = await open_engine(settings)
    assert len(podman("ps", "--all", "--quiet").split()) == 1
    assert await theirs.init(a_program("echo", KIND), a_run()) is None
    await engine.close()
    await other.close()
    assert podman("ps", "--all", "--quiet") == ""
