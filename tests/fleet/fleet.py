"""A platform and many hosts, whose agents follow it; what each host has, and what the platform tells of it."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_program import agent_ini
from fleet.proxy import Network, network
from policy_host import ROOT, policy_conf
from stages import free_port
from system.running import Running, until

HEARTBEAT_S, WATCH_S, SILENT_S = 3, 2, 9
RULES = 200
PROCESSES = 4
DEFAULTS = "".join(f"- {{name: 'compute:rule-{number}', check_str: 'role:reader'}}\n" for number in range(RULES))


class Fleet:
    """The last tenth of the hosts is behind `network`; the others reach the platform itself."""

    def __init__(self, folder: Path, platform: Running, behind: Network, hosts: int) -> None:
        self.folder, self.platform, self.network = folder, platform, behind
        self.names = [f"host-{number:03}" for number in range(hosts)]
        self.far = set(self.names[-max(1, hosts // 10) :])
        self.processes: list[subprocess.Popen[bytes]] = []
        self.number = 0
        with platform.operator() as operator:
            self.keys = [key["key"] for key in operator.get("/platform/v1/policy/keys").json()]
        self.token_file = folder / "token"
        self.token_file.write_text(platform.program("agents", "policy-agent"))
        self.groups = [self.names[start::PROCESSES] for start in range(PROCESSES)]
        for name in self.names:
            self._make(name)

    def _make(self, name: str) -> None:
        folder = self.folder / name
        folder.mkdir()
        conf = policy_conf(folder / "policy.conf", folder / "policy", *self.keys)
        agent = {
            "url": self.network.url if name in self.far else self.platform.url,
            "host": name,
            "token_file": self.token_file,
            "policy_conf": conf,
            "heartbeat_s": HEARTBEAT_S,
            "watch_s": WATCH_S,
        }
        daemon = {"service": "nova", "mode": "files", "policy_file": folder / "policy.yaml"}
        agent_ini(folder / "agent.ini", agent, {"nova-api": daemon})

    def start(self, group: int) -> None:
        configs = [str(self.folder / name / "agent.ini") for name in self.groups[group]]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
        with (self.folder / f"hosts-{group}.log").open("ab") as log:
            command = [sys.executable, "-m", "fleet.hosts", *configs]
            self.processes.append(subprocess.Popen(command, stderr=log, env=environment))

    def kill(self, group: int) -> None:
        process = self.processes.pop(group)
        process.kill()
        process.wait()

    def publish(self) -> int:
        text = f"compute:rule-0: user_id:u{self.number + 1}\n"
        files = {"openstack/nova/defaults.yaml": DEFAULTS, "openstack/nova/policy.yaml": text}
        with self.platform.operator() as operator:
            answer = operator.post("/platform/v1/policy/bundles", json={"files": files}).raise_for_status()
        self.number = int(answer.json()["number"])
        return self.number

    def has(self, name: str) -> int:
        """The number of the bundle whose policy file this host has, by the file itself."""
        text = (self.folder / name / "policy.yaml").read_text()
        head, _, number = text.strip().rpartition("user_id:u")
        assert head == "compute:rule-0: ", "no file is torn"
        return int(number)

    def told(self) -> list[dict[str, Any]]:
        with self.platform.operator() as operator:
            found: list[dict[str, Any]] = operator.get("/policy/v1/fleet").raise_for_status().json()["daemons"]
            return found

    def states(self) -> Counter[str]:
        return Counter(each["state"] for each in self.told())

    def is_current(self, names: set[str]) -> bool:
        """Whether the platform tells so of exactly these; then it is so."""
        current = {each["host"] for each in self.told() if each["state"] == "current"}
        if current != names:
            return False
        assert {self.has(name) for name in names} == {self.number}
        return True

    def seconds(self, what: str, check: Callable[[], Any]) -> float:
        started = time.monotonic()
        until(what, check, 240)
        return time.monotonic() - started


@contextmanager
def running_fleet(folder: Path, hosts: int) -> Iterator[Fleet]:
    environment = {**os.environ, "RAMBLA_FLEET_SILENT_MS": str(SILENT_S * 1000)}
    listen = f"127.0.0.1:{free_port()}"
    options = "--listen", listen, "--require-isolation", "none"
    platform = Running(folder / "data", *options, environment=environment)
    try:
        with network(platform.url) as behind:
            fleet = Fleet(folder, platform, behind, hosts)
            try:
                for group in range(PROCESSES):
                    fleet.start(group)
                yield fleet
            finally:
                for _ in range(len(fleet.processes)):
                    fleet.kill(0)
    finally:
        platform.stop()
