"""An agent that is known by its certificate, and knows the platform by its authority."""

import ssl
from pathlib import Path

import httpx
import pytest

from agent_program import agent_ini, running_agent
from authority import Authority
from policy_host import policy_conf
from system.running import Running, until

pytestmark = pytest.mark.system
CONFIG = """
tls_certificate = "{folder}/server.pem"
tls_key = "{folder}/server.key"

[identity.hosts]
kind = "certificate"
ca_file = "{folder}/hosts.pem"
mapping = "{folder}/mapping.yaml"
roles = ["policy-agent"]
"""
FILES = {"openstack/nova/defaults.yaml": '[{"name": "show", "check_str": "@"}]'}


def test_an_agent_comes_with_a_certificate_in_place_of_a_token(tmp_path: Path) -> None:
    servers, hosts = Authority("servers"), Authority("hosts")
    for name, authority in (("servers", servers), ("hosts", hosts)):
        (tmp_path / f"{name}.pem").write_bytes(authority.pem)
    servers.server().write(tmp_path, "server")
    certificate, key = hosts.certify(("CN", "host-1")).write(tmp_path, "host-1")
    (tmp_path / "mapping.yaml").write_text("grants:\n  - {if: {CN: host-1}, roles: [policy-agent]}\n")
    (tmp_path / "rambla.toml").write_text(CONFIG.format(folder=tmp_path))
    platform = Running(tmp_path / "data", "--config", str(tmp_path / "rambla.toml"), "--require-isolation", "none")
    try:
        token = (platform.data / "operator.token").read_text().strip()
        with httpx.Client(
            base_url=platform.url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=tmp_path / "servers.pem"),
            trust_env=False,
        ) as operator:
            keys = [each["key"] for each in operator.get("/platform/v1/policy/keys").json()]
            operator.post("/platform/v1/policy/bundles", json={"files": FILES}).raise_for_status()
            agent = {
                "url": platform.url,
                "host": "host-1",
                "certificate": certificate,
                "key": key,
                "ca_file": tmp_path / "servers.pem",
                "policy_conf": policy_conf(tmp_path / "policy.conf", tmp_path / "policy", *keys),
            }
            daemon = {"service": "nova", "mode": "plugin", "policy_file": tmp_path / "policy.yaml"}
            with running_agent(agent_ini(tmp_path / "agent.ini", agent, {"nova-api": daemon})):
                until("its report", lambda: operator.get("/policy/v1/fleet").json()["daemons"], 60)
                until("the policy in force", lambda: (tmp_path / "policy.yaml").exists(), 60)
            [told] = operator.get("/policy/v1/fleet").json()["daemons"]
            assert (told["host"], told["by"]) == ("host-1", "hosts/host-1")
    finally:
        platform.stop()
