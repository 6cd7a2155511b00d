"""An agent and a platform: what comes to the host, what is told of it, and what is not believed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policy_host import ROOT, Publisher, policy_conf
from policy_server import PolicyServer, policy_server
from rambla_openstack.agent.agent import Agent
from rambla_openstack.agent.settings import read

DEFAULTS = '[{"name": "show", "check_str": "role:reader"}]'
BUNDLE, NEWEST = "bundle.json", "newest.json"


def policy(check: str = "'!'") -> dict[str, str]:
    return {"openstack/nova/defaults.yaml": DEFAULTS, "openstack/nova/policy.yaml": f"show: {check}\n"}


class Host:
    """A host with one daemon, and the platform that its agent knows."""

    def __init__(self, folder: Path, server: PolicyServer) -> None:
        self.folder, self.server = folder, server
        self.file, self.policies = folder / "policy.yaml", folder / "policies"
        self.config, self.conf = folder / "agent.ini", folder / "policy.conf"
        (folder / "token").write_text("a-token\n")
        policy_conf(self.conf, self.policies, server.publisher.key)
        self.config.write_text(
            f"[agent]\nurl = {server.url}\nhost = h1\ntoken_file = {folder}/token\npolicy_conf = {self.conf}\n"
            f"heartbeat_s = 0.3\nwatch_s = 0.1\n"
            f"[daemon nova-api]\nservice = nova\nmode = files\npolicy_file = {self.file}\n"
        )

    def agent(self) -> Agent:
        return Agent(read(self.config.read_text()))

    def run(self, agent: Agent, wanted: Callable[[], Any]) -> None:
        """Step by step until it is so."""
        deadline = time.monotonic() + 60
        while not wanted():
            assert time.monotonic() < deadline, self.told()
            time.sleep(min(agent.step(), 0.05))

    def told(self) -> dict[str, Any]:
        """What the platform heard last of the daemon."""
        return self.server.reports[-1]["daemons"][0] if self.server.reports else {}

    def is_told(self, state: str, number: int, detail: str = "") -> bool:
        told = self.told()
        return (told.get("state"), told.get("number")) == (state, number) and detail in told["detail"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PolicyServer]:
    with policy_server(Publisher(tmp_path / "keys")) as server:
        yield server


@pytest.fixture
def host(tmp_path: Path, server: PolicyServer) -> Host:
    return Host(tmp_path, server)


@pytest.fixture
def agent(host: Host) -> Iterator[Agent]:
    agent = host.agent()
    yield agent
    agent.close()


def test_a_new_policy_comes_to_the_daemon_and_that_is_told(host: Host, server: PolicyServer, agent: Agent) -> None:
    host.run(agent, lambda: host.is_told("failed", 0, "no policy is here yet"))
    for number, check in enumerate(("'!'", "'@'"), 1):
        bundle = server.publish(policy(check))
        host.run(agent, lambda number=number: host.is_told("in-force", number))
        assert host.file.read_text() == f"show: {check}\n"
        assert (host.policies / BUNDLE).read_bytes() == bundle
        assert (host.policies / BUNDLE).stat().st_mode & 0o777 == 0o644
        assert json.loads((host.policies / NEWEST).read_bytes())["number"] == number
    assert server.fetched == 2
    assert server.tokens == {"Bearer a-token"}
    assert server.reports[-1] == {"host": "h1", "daemons": [host.told()]}
    assert host.told()["hash"] == json.loads(bundle)["hash"]


def test_the_statement_stays_fresh_and_the_heart_beats_while_nothing_changes(
    host: Host, server: PolicyServer, agent: Agent
) -> None:
    server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    count, at_ms = len(server.reports), json.loads((host.policies / NEWEST).read_bytes())["at_ms"]
    host.run(agent, lambda: len(server.reports) >= count + 2)
    assert json.loads((host.policies / NEWEST).read_bytes())["at_ms"] > at_ms
    assert server.fetched == 1


FORGERIES: dict[str, Callable[[PolicyServer, Publisher], dict[str, tuple[int, bytes]]]] = {
    "a statement by another key": lambda server, other: {
        "/policy/v1/newest": (200, other.newest(2, "0" * 64, time.time_ns() // 10**6))
    },
    "a torn statement": lambda server, _: {"/policy/v1/newest": (200, server.newest()[:-9])},
    "a bundle by another key": lambda _, other: {"/policy/v1/bundles": (200, other.bundle(2, policy("'@'")))},
    "a torn bundle": lambda server, _: {"/policy/v1/bundles": (200, server.bundles[2][:-9])},
    "an older bundle": lambda server, _: {"/policy/v1/bundles": (200, server.bundles[1])},
    "another bundle 2": lambda server, _: {
        "/policy/v1/bundles": (200, server.publisher.bundle(2, policy("'@'"), at_ms=1))
    },
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_what_cannot_be_believed_changes_nothing_and_is_told(
    host: Host, server: PolicyServer, agent: Agent, forgery: Callable[..., Any]
) -> None:
    first = server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    server.publish(policy("role:x"))
    server.answers = forgery(server, Publisher(host.folder / "other"))
    host.run(agent, lambda: host.is_told("refused", 1, "is not believed"))
    assert (host.policies / BUNDLE).read_bytes() == first
    assert host.file.read_text() == "show: '!'\n"
    server.answers = {}
    host.run(agent, lambda: host.is_told("in-force", 2))


def test_no_older_bundle_is_taken_not_even_when_the_newer_one_is_lost(host: Host, server: PolicyServer) -> None:
    server.publish(policy())
    server.publish(policy("role:x"))
    agent = host.agent()
    host.run(agent, lambda: host.is_told("in-force", 2))
    agent.close()
    (host.policies / BUNDLE).unlink()
    server.number = 1
    agent = host.agent()
    host.run(agent, lambda: host.is_told("failed", 2, "bundle 2 was here already"))
    agent.close()
    (host.policies / BUNDLE).write_bytes(server.bundles[1])
    agent = host.agent()
    host.run(agent, lambda: host.is_told("failed", 2, "bundle 2 was here already"))
    assert host.file.read_text() == "show: role:x\n"
    agent.close()


def test_a_key_that_is_added_opens_what_was_refused(host: Host, server: PolicyServer, agent: Agent) -> None:
    server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    key = server.publisher.signer.rotate(1)
    server.publish(policy("'@'"))
    host.run(agent, lambda: host.is_told("refused", 1, key))
    trust = subprocess.run(command(host, "trust", key), capture_output=True, text=True, check=False)
    assert (trust.returncode, trust.stderr) == (0, "")
    host.run(agent, lambda: host.is_told("in-force", 2))


def test_a_configuration_that_is_broken_leaves_the_keys_before_trusted(
    host: Host, server: PolicyServer, agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    good = host.conf.read_text()
    server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    host.conf.write_text("[policy]\n")
    server.publish(policy("'@'"))
    host.run(agent, lambda: host.is_told("in-force", 2))
    assert capsys.readouterr().err.count("the keys before stay trusted") == 1
    host.conf.write_text(good)
    host.run(agent, lambda: "all is well again" in capsys.readouterr().err)


def test_the_last_good_policy_stays_while_the_platform_is_away(host: Host, server: PolicyServer, agent: Agent) -> None:
    server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    server.answers = {"/policy": (503, b"")}
    again = host.agent()  # also after a new start
    for _ in range(5):
        host.file.write_text("show: '@'\n")
        agent.step()
        again.step()
        assert host.file.read_text() == "show: '!'\n"
    again.close()
    server.publish(policy("role:x"))
    server.answers = {}
    host.run(agent, lambda: host.is_told("in-force", 2))


def test_a_local_change_of_the_bundle_is_put_right(host: Host, server: PolicyServer, agent: Agent) -> None:
    bundle = server.publish(policy())
    host.run(agent, lambda: host.is_told("in-force", 1))
    for change in (lambda path: path.write_bytes(b"torn"), Path.unlink):
        change(host.policies / BUNDLE)
        host.run(agent, lambda: (host.policies / BUNDLE).exists() and (host.policies / BUNDLE).read_bytes() == bundle)


# --- the program ---


def command(host: Host, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "rambla_openstack.agent.main", "--config", str(host.config), *arguments]


def status(host: Host) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(host, "status"), capture_output=True, text=True, check=False)


def test_the_program_runs_until_it_is_told_to_end_and_people_see_how_it_is(host: Host, server: PolicyServer) -> None:
    assert status(host).stdout.splitlines() == ["no policy is here", "the agent was never here"]
    rambla = [sys.executable, "-m", "rambla.cli", "agent", "--config", str(host.config)]
    server.publish(policy())
    with subprocess.Popen(rambla, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while not host.is_told("in-force", 1):
            time.sleep(0.05)
        told = status(host)
        assert told.returncode == 0
        assert told.stdout.splitlines()[1:] == ["nova-api: files, bundle 1 in-force"]
        assert told.stdout.startswith("bundle 1, the newest ")
        second = subprocess.run(command(host), capture_output=True, text=True, check=False)
        assert (second.returncode, "another agent works in" in second.stderr) == (1, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_kill_amid_everything_leaves_a_bundle_that_is_believed_and_a_policy_that_is_whole(
    host: Host, server: PolicyServer
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for round_ in range(6):
        with subprocess.Popen(
            command(host), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            until = time.monotonic() + 0.1 + 0.02 * round_
            while time.monotonic() < until:
                server.publish({**policy(f"x:{server.number}"), "large.yaml": "#" * 200_000})
                time.sleep(0.01)
            process.kill()
        if host.file.exists():
            assert host.file.read_text().startswith("show: x:")
    agent = host.agent()
    host.run(agent, lambda: host.is_told("in-force", server.number))
    assert host.told()["detail"] == ""
    agent.close()


WRONG = {
    "": "[daemon NAME]",
    "[agent]\nurl = http://h\n": "[daemon NAME]",
    "[other]\n": "no section [other]",
    "[agent]\nurl = ftp://h\n[daemon a]\nservice = nova\nmode = files\npolicy_file = /f\n": "'url'",
    "[agent]\nurl = http://h\nport = 1\n[daemon a]\nservice = nova\nmode = files\npolicy_file = /f\n": "'port'",
    "[agent]\nurl = http://h\nhost = a b\n[daemon a]\nservice = nova\nmode = files\npolicy_file = /f\n": "'host'",
    "[agent]\nurl = http://h\n[daemon a b]\nservice = nova\nmode = files\npolicy_file = /f\n": "[daemon a b]",
    "[agent]\nurl = http://h\n[daemon a]\nservice = Nova\nmode = files\npolicy_file = /f\n": "'service'",
    "[agent]\nurl = http://h\n[daemon a]\nservice = nova\nmode = some\npolicy_file = /f\n": "'mode'",
    "[agent]\nurl = http://h\n[daemon a]\nservice = nova\nmode = ask\npolicy_file = /f\n": "'ask_url'",
    "[agent]\nurl = http://h\n[daemon a]\nservice = nova\nmode = files\n": "'policy_file'",
    "[agent]\nurl = http://h\n[daemon a]\nservice = nova\nmode = files\npolicy_file = f\n": "absolute",
    "[agent]\nurl = http://h\nwatch_s = 60\n[daemon a]\nservice = nova\nmode = files\npolicy_file = /f\n": "'watch_s'",
    "[agent]\nurl = http://h\n[daemon a]\nservice = nova\nmode = files\npolicy_file = /f\nreload = 'x\n": "'reload'",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_settings_that_mean_nothing_are_refused_with_their_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as found:
        read(text)
    assert WRONG[text] in str(found.value)
