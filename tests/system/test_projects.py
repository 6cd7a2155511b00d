"""Create projects, see nothing: by a published policy that comes to a real Keystone, with a real Swift behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_program import agent_ini, running_agent
from keystone_cloud import Keystone
from keystone_swift import KeystoneSwift, running_swift
from outside_keystone import ADA_WORD, People
from parity import openstack
from policy_host import defaults_text, policy_conf
from system.running import Running, rambla, serving, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SITE = 'layer: site\nrules: {project:open: caller.source == "cloud"}\n'
MAPPING = "projects: {member: [developer], project-creator: []}\n"
CREATOR_WORD = "wort-des-anlegers"
FOLDER = "openstack/keystone"
POLICY = """\
"identity:create_project": "rule:admin_required or (role:project-creator and domain_id:%(target.project.domain_id)s)"
"""
ECHO = {"exec": {"kind": "python:3", "code": "def main(args): return args"}}


def write_policy(folder: Path) -> Path:
    """What Keystone registers, one rule of it in other words, and a layer of the platform's own."""
    with openstack.oracle() as asked:
        rules = [rule.default for rule in openstack.service_rules(asked, openstack.FEW)["keystone"]]
    (folder / FOLDER).mkdir(parents=True)
    (folder / "site.yaml").write_text(SITE)
    (folder / FOLDER / "defaults.yaml").write_text(defaults_text(rules))
    (folder / FOLDER / "policy.yaml").write_text(POLICY)
    return folder


def write_settings(people: People, folder: Path) -> Path:
    (folder / "mapping.yaml").write_text(MAPPING)
    terms = {"kind": "keystone", "roles": ["developer"], "namespaces": ["*"], "mapping": str(folder / "mapping.yaml")}
    lines = [f"{name} = {value!r}" for name, value in {**terms, **people.settings(folder)}.items()]
    (folder / "rambla.toml").write_text("\n".join(["[identity.cloud]", "timeout_ms = 60000", *lines]))
    return folder / "rambla.toml"


class Town:
    """All three, and the one who creates projects in the domain, whose token is for the domain."""

    def __init__(self, people: People, swift: KeystoneSwift, platform: Running) -> None:
        self.people, self.swift, self.platform = people, swift, platform
        self.keystone = people.keystone
        self.creator = self.keystone.create_user("creator", CREATOR_WORD, people.domain)
        self.keystone.assign("project-creator", self.creator, domain=people.domain)
        scope = {"domain": {"id": people.domain}}
        self.token = self.keystone.password_token("creator", CREATOR_WORD, domain=people.domain, scope=scope)

    def ask_keystone(self, method: str, path: str, body: object = None) -> httpx.Response:
        """As the creator."""
        headers = {"X-Auth-Token": self.token}
        return httpx.request(method, self.keystone.url + path, headers=headers, json=body, timeout=60, trust_env=False)

    def ask_platform(self, token: str, method: str, path: str, body: object = None) -> httpx.Response:
        url = f"{self.platform.url}/api/v1/namespaces/{path}"
        headers = {"X-Auth-Token": token}
        return httpx.request(method, url, headers=headers, json=body, timeout=60, trust_env=False)

    def create_project(self) -> httpx.Response:
        body: dict[str, Any] = {"project": {"name": "harbour", "domain_id": self.people.domain}}
        return self.ask_keystone("POST", "/projects", body)

    def publish(self, folder: Path) -> None:
        published = rambla("policy", "publish", folder, "--data", self.platform.data)
        assert published.returncode == 0, published.stdout + published.stderr

    def created_project(self) -> str:
        """Its id, as soon as the policy that was published has come to Keystone."""
        made = until("a project", lambda: found if (found := self.create_project()).status_code == 201 else None)
        return str(made.json()["project"]["id"])


def agent_settings(keystone: Keystone, platform: Running, folder: Path) -> Path:
    """Of the agent on Keystone's host, which writes its policy file."""
    with platform.operator() as operator:
        keys = [key["key"] for key in operator.get("/platform/v1/policy/keys").json()]
    conf = policy_conf(folder / "policy.conf", folder / "host", *keys)
    agent = {"url": platform.url, "host": "host", "token_file": platform.data / "operator.token", "policy_conf": conf}
    files = {"policy_file": keystone.policy_file, "policy_dir": keystone.policy_dir}
    return agent_ini(folder / "agent.ini", agent, {"keystone": {"service": "keystone", "mode": "files", **files}})


@pytest.fixture
def town(keystone: Keystone, tmp_path: Path) -> Iterator[Town]:
    people = People(keystone)
    settings = write_settings(people, tmp_path)
    options = ("--config", str(settings), "--require-isolation", "none")
    with (
        running_swift(keystone, tmp_path / "swift") as swift,
        serving(tmp_path / "data", *options) as platform,
        running_agent(agent_settings(keystone, platform, tmp_path)),
    ):
        yield Town(people, swift, platform)
    keystone.write_policy("{}")


def test_who_creates_projects_sees_nothing_of_what_is_in_them(town: Town, tmp_path: Path) -> None:
    keystone, people = town.keystone, town.people
    assert town.create_project().status_code == 403
    town.publish(write_policy(tmp_path / "policy"))
    project = town.created_project()

    keystone.assign("member", people.ada, project=project)
    token = people.token(project="harbour")
    with town.swift.account(token, project) as ada:
        assert ada.put("box").status_code == 201
        assert ada.put("box/letter", content=b"dear bob").status_code == 201
    assert town.ask_platform(token, "PUT", "_/actions/secret", ECHO).status_code == 200

    with town.swift.account(town.token, project) as creator:
        for path in ("", "box", "box/letter"):
            assert creator.get(path).status_code == 403
        assert creator.put("box/other", content=b"x").status_code == 403
    for method, path in (
        ("GET", "harbour/actions/secret"),
        ("GET", "harbour/actions"),
        ("POST", "harbour/actions/secret"),
    ):
        assert town.ask_platform(town.token, method, path).status_code == 403


def test_who_creates_projects_cannot_help_themselves_to_a_role_in_them(town: Town, tmp_path: Path) -> None:
    town.publish(write_policy(tmp_path / "policy"))
    project = town.created_project()
    member, users = town.keystone.role("member"), f"/users/{town.creator}/roles"
    user: dict[str, Any] = {"user": {"name": "another", "password": ADA_WORD, "domain_id": town.people.domain}}
    asked = [
        ("PUT", f"/projects/{project}{users}/{member}", None),
        ("PUT", f"/domains/{town.people.domain}{users}/{member}", None),
        ("POST", "/users", user),
        ("PATCH", f"/users/{town.people.ada}", {"user": {"password": "another-word"}}),
        ("GET", f"/role_assignments?scope.project.id={project}", None),
        ("GET", f"/users?domain_id={town.people.domain}", None),
    ]
    assert [town.ask_keystone(*one).status_code for one in asked] == [403] * len(asked)
    identity = {"methods": ["token"], "token": {"id": town.token}}
    body = {"auth": {"identity": identity, "scope": {"project": {"id": project}}}}
    assert town.ask_keystone("POST", "/auth/tokens", body).status_code == 401
