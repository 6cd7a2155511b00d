"""A rule that is changed on the platform changes what a real Keystone answers, without a restart, in all three ways."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent_program import agent_ini, running_agent
from keystone_cloud import Keystone
from parity.openstack import PYTHON, missing
from policy_host import installed, policy_conf
from system.running import Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
MODES = ["files", "plugin", "ask"]
LAYER = "openstack/keystone/policy.yaml"
NOBODY, MEMBERS = "identity:list_users: '!'\n", "identity:list_users: role:member\n"


@dataclass
class Cloud:
    platform: Running
    keystone: Keystone
    folder: Path
    defaults: str
    token: str

    def publish(self, layer: str) -> int:
        files = {"openstack/keystone/defaults.yaml": self.defaults, LAYER: layer}
        with self.platform.operator() as operator:
            answer = operator.post("/platform/v1/policy/bundles", json={"files": files})
            assert answer.is_success, answer.text
            return int(answer.json()["number"])

    def lists_users(self) -> int:
        headers = {"X-Auth-Token": self.token}
        return httpx.get(f"{self.keystone.url}/users", headers=headers, timeout=60, trust_env=False).status_code

    def seconds_until(self, status: int) -> float:
        """Since now, until Keystone answers so."""
        started = time.monotonic()
        until(f"{status} from Keystone", lambda: self.lists_users() == status, 60)
        return time.monotonic() - started


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if reason := missing(("keystone",)):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cloud")
    platform = Running(folder / "data", "--require-isolation", "none")
    conf = folder / "policy.conf"
    variables = {"PYTHONPATH": installed(folder / "site"), "RAMBLA_POLICY_CONF": str(conf)}
    keystone = Keystone(folder / "keystone", variables=variables)
    try:
        with platform.operator() as operator:
            keys = operator.get("/platform/v1/policy/keys").json()
        policy_conf(conf, folder / "policy", *(key["key"] for key in keys), max_age_s=600, reload_s=0.5)
        keystone.start_now()
        project = keystone.create_project("photos")
        keystone.create_member("alice", "alice-word", project)
        token = keystone.password_token("alice", "alice-word", project="photos")
        yield Cloud(platform, keystone, folder, keystone_defaults(variables), token)
    finally:
        keystone.close()
        platform.stop()


def keystone_defaults(variables: dict[str, str]) -> str:
    """As an operator gets them."""

    command = [PYTHON, "-W", "ignore", "-m", "rambla_openstack.defaults", "keystone"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **variables})
    return done.stdout


def config(cloud: Cloud, mode: str) -> Path:
    secret = cloud.platform.program(f"keystone-{mode}", "policy-enforcer")
    address = cloud.platform.url.replace("http://", f"http://keystone:{secret}@")
    token_file = cloud.folder / f"{mode}.token"
    token_file.write_text(cloud.platform.program(f"agent-{mode}", "policy-agent"))
    validator = (
        f"env OS_OSLO_POLICY__POLICY_FILE={{file}} {PYTHON.with_name('oslopolicy-validator')} --namespace keystone"
    )
    agent = {
        "url": cloud.platform.url,
        "host": f"host-of-{mode}",
        "token_file": token_file,
        "policy_conf": cloud.folder / "policy.conf",
        "heartbeat_s": 1,
        "watch_s": 1,
    }
    daemon = {
        "service": "keystone",
        "mode": mode,
        "policy_file": cloud.keystone.policy_file,
        "policy_dir": cloud.keystone.policy_dir,
        "ask_url": f"{address}/policy/v1/openstack/keystone",
        "validator": f"{validator} --config-file {cloud.keystone.folder / 'keystone.conf'}",
    }
    return agent_ini(cloud.folder / f"{mode}.ini", agent, {"keystone-api": daemon})


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_that_is_changed_centrally_changes_keystones_answers_without_a_restart(
    cloud: Cloud, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.publish(NOBODY)
    with running_agent(config(cloud, mode)):
        until("the first policy in force", lambda: in_force(cloud), 60)
        assert cloud.seconds_until(403) >= 0
        times = []
        for layer, status in ((MEMBERS, 200), (NOBODY, 403), (MEMBERS, 200), (NOBODY, 403)):
            cloud.publish(layer)
            times.append(cloud.seconds_until(status))
        with capsys.disabled():
            print(
                f"\n{mode}: a real Keystone answered by the new policy after {', '.join(f'{s:.2f}' for s in times)} s"
            )


def in_force(cloud: Cloud) -> bool:
    path = cloud.folder / "policy" / "status.json"
    daemons = json.loads(path.read_text())["daemons"] if path.exists() else []
    with cloud.platform.operator() as operator:
        number = operator.get("/platform/v1/status").json()["policy"]["bundle"]
    return [(each["number"], each["state"]) for each in daemons] == [(number, "in-force")]
