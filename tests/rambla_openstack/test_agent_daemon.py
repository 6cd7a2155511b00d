"""What a daemon's files are after the agent was at them, whatever they were before."""

import errno
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from parity import openstack
from policy_host import ROOT, Publisher
from rambla_openstack.agent import files
from rambla_openstack.agent.daemon import Daemon
from rambla_openstack.agent.memory import Memory
from rambla_openstack.agent.settings import DaemonSettings
from rambla_openstack.policy.signed import Bundle, bundle_of

DEFAULTS = '[{"name": "show", "check_str": "role:reader"}, {"name": "stop", "check_str": "role:admin"}]'
REFUSES_ADMINS = "import sys; text = open(sys.argv[1]).read(); sys.exit('no admins here' if 'admin' in text else 0)"


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return Publisher(tmp_path_factory.mktemp("keys"))


class Host:
    """A daemon of service nova in `folder`, and bundles for it."""

    def __init__(self, folder: Path, publisher: Publisher) -> None:
        self.folder, self.publisher = folder, publisher
        self.file, self.directory = folder / "policy.yaml", folder / "policy.d"
        self.number = 0

    def daemon(self, mode: Any = "files", **more: Any) -> Daemon:
        """As it is after a start of the agent."""
        settings = DaemonSettings("nova-api", "nova", mode, self.file, **{"policy_dir": self.directory, **more})
        return Daemon(settings, Memory(self.folder / "agent.json"), self.folder)

    def bundle(self, **layers: str) -> Bundle:
        """The next one; `policy` is the policy file, other names are those of files in the directory."""
        self.number += 1
        names = {"policy": "policy.yaml"}
        texts = {f"openstack/nova/{names.get(name, f'policy.d/{name}.yaml')}": text for name, text in layers.items()}
        data = self.publisher.bundle(self.number, {"openstack/nova/defaults.yaml": DEFAULTS, **texts})
        return bundle_of(data, {self.publisher.key})

    def latest_ns(self) -> int:
        """As oslo.policy looks for it."""
        return files.latest_ns(self.directory)


@pytest.fixture
def host(tmp_path: Path, publisher: Publisher) -> Host:
    return Host(tmp_path, publisher)


def validator(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program, "{file}"


def test_the_files_are_made_equal_to_the_bundles(host: Host) -> None:
    daemon = host.daemon()
    assert daemon.settle(host.bundle(policy="show: '!'\n", a="stop: '@'\n")).state == "in-force"
    assert (host.file.read_text(), (host.directory / "a.yaml").read_text()) == ("show: '!'\n", "stop: '@'\n")
    assert daemon.applied.number == 1
    daemon.settle(host.bundle(b="stop: '!'\n"))
    assert host.file.read_text() == "{}\n", "an empty file, not none: oslo.policy would look for it elsewhere"
    assert [path.name for path in host.directory.iterdir()] == ["b.yaml"]
    assert not list(host.folder.rglob("*.rambla"))


def test_a_service_that_the_bundle_does_not_name_keeps_its_files(host: Host) -> None:
    daemon = host.daemon()
    daemon.settle(host.bundle(policy="show: '!'\n"))
    other = bundle_of(host.publisher.bundle(2, {"site.yaml": ""}), {host.publisher.key})
    outcome = daemon.settle(other)
    assert (outcome.state, outcome.detail) == ("failed", "bundle 2 says nothing to nova")
    assert host.file.read_text() == "show: '!'\n"
    assert daemon.applied.number == 1


def test_every_change_is_later_than_all_that_was_there(host: Host) -> None:
    daemon = host.daemon()
    tomorrow = time.time_ns() + 86_400 * 10**9
    host.file.write_text("show: '@'\n")
    os.utime(host.file, ns=(tomorrow, tomorrow))
    daemon.settle(host.bundle(policy="show: '!'\n", a="{}"))
    known_file, known_folder = host.file.stat().st_mtime, host.latest_ns()
    assert known_file > tomorrow / 1e9
    os.utime(host.file, ns=(1, 1))  # as a backup that was restored
    os.utime(host.directory / "a.yaml", ns=(tomorrow * 2, tomorrow * 2))
    daemon.settle(host.bundle(policy="show: '@'\n"))
    assert host.file.stat().st_mtime > known_file
    assert host.latest_ns() > known_folder, "the latest in the folder went, and it still looks newer"
    now = host.latest_ns()
    os.utime(host.directory, ns=(1, 1))
    daemon.settle(host.bundle(policy="show: '@'\n", b="{}"))
    assert host.latest_ns() > now


def test_only_the_agents_own_files_are_taken_away_and_others_are_told_of(host: Host) -> None:
    host.directory.mkdir()
    (host.directory / "local.yaml").write_text("stop: '@'\n")
    host.daemon().settle(host.bundle(a="{}", b="{}"))
    outcome = host.daemon().settle(host.bundle(b="{}"))
    assert sorted(path.name for path in host.directory.iterdir()) == ["b.yaml", "local.yaml"]
    assert (outcome.state, outcome.detail) == ("in-force", "policy.d has what no bundle has: local.yaml")


def test_what_the_validator_refuses_changes_nothing_and_is_told_with_its_words(host: Host) -> None:
    daemon = host.daemon(validator=validator(REFUSES_ADMINS))
    daemon.settle(host.bundle(policy="show: role:reader\n"))
    outcome = daemon.settle(host.bundle(policy="show: role:admin\n", a="{}"))
    assert (outcome.state, outcome.detail) == ("refused", "no admins here")
    assert host.file.read_text() == "show: role:reader\n"
    assert not host.directory.exists()
    assert daemon.applied.number == 1
    assert daemon.settle(host.bundle(policy="show: role:member\n")).state == "in-force"
    assert host.file.read_text() == "show: role:member\n"


@pytest.mark.parametrize("command", [("/does/not/exist",), (sys.executable, "-c", "raise SystemExit(7)", "{file}")])
def test_a_validator_that_cannot_say_yes_says_no(host: Host, command: tuple[str, ...]) -> None:
    outcome = host.daemon(validator=command).settle(host.bundle(policy="show: '@'\n"))
    assert outcome.state in ("failed", "refused")
    assert outcome.detail
    assert not host.file.exists()


@pytest.mark.parametrize("name", ["policy.yaml", "policy.d/a.yaml"])
def test_a_local_change_is_put_right_and_told(host: Host, name: str) -> None:
    daemon, bundle = host.daemon(), host.bundle(policy="show: '!'\n", a="stop: '!'\n")
    daemon.settle(bundle)
    path, moment = host.folder / name, (host.folder / name).stat().st_mtime
    path.write_text("show: '@'\n")
    outcome = daemon.settle(bundle)
    assert path.read_text().endswith("'!'\n")
    assert path.stat().st_mtime > moment
    assert outcome.state == "in-force"
    assert f"{path.name} was changed here, and put right at 20" in outcome.detail
    path.unlink()
    daemon.settle(bundle)
    assert path.read_text().endswith("'!'\n")


def test_owner_and_mode_stay_and_a_file_with_an_address_is_for_its_group_only(host: Host) -> None:
    asking = host.daemon("ask", ask_url="http://name:secret@127.0.0.1:1/policy/v1/openstack/nova")
    asking.settle(host.bundle())
    assert host.file.stat().st_mode & 0o777 == 0o640
    host.file.chmod(0o604)
    host.daemon().settle(host.bundle(policy="show: '@'\n"))
    assert host.file.stat().st_mode & 0o777 == 0o604


def test_with_the_check_every_rule_asks_for_itself_and_with_the_address_every_rule_asks_there(host: Host) -> None:
    host.daemon().settle(host.bundle(a="{}"))
    bundle = host.bundle(policy="own: '@'\n", b="'a name with spaces': '@'\n")
    host.daemon("plugin").settle(bundle)
    assert list(host.directory.iterdir()) == []
    assert __import__("yaml").safe_load(host.file.read_text()) == {
        "show": "rambla:nova/show",
        "stop": "rambla:nova/stop",
        "own": "rambla:nova/own",
        "a name with spaces": "rambla:nova",
    }
    host.daemon("ask", ask_url="http://h/%7E").settle(bundle)
    assert '"show": "http://h/%%7E"' in host.file.read_text()


def test_files_for_a_directory_that_the_daemon_does_not_have_are_a_failure(host: Host) -> None:
    outcome = host.daemon(policy_dir=None).settle(host.bundle(a="{}"))
    assert (outcome.state, "policy_dir" in outcome.detail) == ("failed", True)
    assert not host.file.exists()


def test_a_daemon_is_told_of_a_change_and_only_of_a_change(host: Host) -> None:
    log = host.folder / "reloads"
    reload = "sh", "-c", f"echo again >> {shlex.quote(str(log))}"
    bundle = host.bundle(policy="show: '!'\n")
    host.daemon(reload=reload).settle(bundle)
    for _ in range(3):
        host.daemon(reload=reload).settle(bundle)
    host.daemon(reload=reload).settle(host.bundle(policy="show: '!'\n"))
    assert log.read_text().split() == ["again"]
    outcome = host.daemon(reload=("false",)).settle(host.bundle(policy="show: '@'\n"))
    assert (outcome.state, outcome.detail) == ("failed", "false ended with 1")
    assert host.daemon(reload=reload).settle(host.bundle(policy="show: '@'\n")).state == "in-force"
    assert log.read_text().split() == ["again", "again"], "it was not told yet, so it is told now"


def test_a_full_disk_leaves_every_file_as_it_was_and_it_goes_on_when_there_is_room(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = host.daemon()
    daemon.settle(host.bundle(policy="show: '!'\n", a="stop: '!'\n"))
    before = {path: path.read_bytes() for path in host.folder.rglob("*") if path.is_file()}
    bundle = host.bundle(policy="show: '@'\n", b="stop: '@'\n")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        outcome = daemon.settle(bundle)
    assert (outcome.state, "No space left" in outcome.detail) == ("failed", True)
    assert {path: path.read_bytes() for path in host.folder.rglob("*") if path.is_file()} == before
    assert daemon.applied.number == 1
    assert daemon.settle(bundle).state == "in-force"
    assert host.file.read_text() == "show: '@'\n"


KILLED = """
import sys
from pathlib import Path
from rambla_openstack.agent.daemon import Daemon
from rambla_openstack.agent.memory import Memory
from rambla_openstack.agent.settings import DaemonSettings
from rambla_openstack.policy.signed import Bundle
folder = Path(sys.argv[1])
settings = DaemonSettings("nova-api", "nova", "files", folder / "policy.yaml", folder / "policy.d")
daemon = Daemon(settings, Memory(folder / "agent.json"), folder)
print("ready", flush=True)
number = 1
while True:
    number += 1
    text = f"show: x:{number}\\n" * 1000
    files = {f"openstack/nova/policy.d/{number % 3}.yaml": text, "openstack/nova/policy.yaml": text}
    daemon.settle(Bundle(number, 0, str(number), {"openstack/nova/defaults.yaml": "[]", **files}))
"""


def test_a_kill_at_any_moment_leaves_whole_files_and_the_next_start_puts_all_right(host: Host) -> None:
    for round_ in range(8):
        command = [sys.executable, "-c", KILLED, str(host.folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.05 + 0.013 * round_)
            process.send_signal(signal.SIGKILL)
        for path in (*host.folder.glob("policy.yaml"), *host.directory.glob("[0-9].yaml")):
            lines = path.read_text().splitlines()
            assert lines == ["show: '!'"] or (len(lines), len(set(lines))) == (1000, 1), path
        outcome = host.daemon().settle(host.bundle(policy="show: '!'\n", last="{}"))
        assert (outcome.state, outcome.detail) == ("in-force", "")
        assert [path.name for path in host.directory.iterdir()] == ["last.yaml"]
        assert host.file.read_text() == "show: '!'\n"


@pytest.mark.skipif(openstack.missing(openstack.FEW) is not None, reason="needs oslo.policy: make openstack")
def test_openstacks_own_validator_may_be_the_validator(host: Host) -> None:
    program = openstack.PYTHON.with_name("oslopolicy-validator")
    (host.folder / "nova.conf").write_text("[oslo_policy]\n")
    config = "--namespace", "nova", "--config-file", str(host.folder / "nova.conf")
    command = "env", "OS_OSLO_POLICY__POLICY_FILE={file}", "PYTHONWARNINGS=ignore", str(program), *config
    daemon = host.daemon(validator=command)
    good, bad = "os_compute_api:servers:show: role:reader\n", "os_compute_api:servers:show: role:reader or\n"
    outcome = daemon.settle(host.bundle(policy=good))
    assert outcome.state == "in-force", outcome
    outcome = daemon.settle(host.bundle(policy=bad))
    assert outcome.state == "refused", outcome
    assert "Failed to parse rule" in outcome.detail
    assert host.file.read_text() == good
