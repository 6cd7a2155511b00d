"""A real Keystone of a test's own: a process on loopback, a folder, and people made in it over plain HTTP."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import pytest

from parity.openstack import FOLDER, PYTHON, ROOT, missing
from stages import ServerProcess, accepts, free_port

SEED = FOLDER / "keystone-seed"
ADMIN_PASSWORD = "admin-word"
DEFAULT_DOMAIN = "default"
CONFIGURATION = """
[DEFAULT]
use_stderr = true
public_endpoint = {origin}
[database]
connection = sqlite:///{folder}/keystone.db?timeout=30
[token]
expiration = {expiration_s}
allow_expired_window = 0
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
[auth]
methods = password,token,application_credential,totp
[oslo_policy]
policy_file = {folder}/policy.yaml
policy_dirs = {folder}/policy.d
{more}
"""


class Keystone(ServerProcess):
    """`policy_file` and `policy_dir` may be written at any time; `url` stays the same over stop and start.

    Ids are Keystone's, domains are given by id. What is made without a `token` is made by the administrator.
    """

    def __init__(
        self, folder: Path, *, expiration_s: int = 3600, more: str = "", variables: Mapping[str, str] | None = None
    ) -> None:
        """`more` are further lines of keystone.conf, `variables` of its environment."""
        shutil.copytree(_seed(), folder, dirs_exist_ok=True)
        port = free_port()
        self.folder, self.origin = folder, f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/v3"
        self.policy_file, self.policy_dir = folder / "policy.yaml", folder / "policy.d"
        (folder / "keystone.conf").write_text(_configuration(folder, self.origin, expiration_s, more))
        command = [PYTHON, Path(__file__).with_name("keystone_server.py"), str(port), str(os.getpid())]
        super().__init__(
            command, folder / "log", accepts(port), environment={**_environment(folder), **(variables or {})}
        )
        self._client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        self._admin_token = ""

    @property
    def admin_token(self) -> str:
        """Of the user `admin` in the project `admin`, who may do everything."""
        if not self._admin_token:
            self._admin_token = self.password_token("admin", ADMIN_PASSWORD, project="admin")
        return self._admin_token

    def environment(self, user: str, password: str, project: str, domain: str = "Default") -> dict[str, str]:
        """What OpenStack's clients read; domains by name."""
        return {
            "OS_AUTH_URL": self.url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user,
            "OS_PASSWORD": password,
            "OS_USER_DOMAIN_NAME": domain,
            "OS_PROJECT_NAME": project,
            "OS_PROJECT_DOMAIN_NAME": domain,
            "OS_REGION_NAME": "RegionOne",
        }

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> dict[str, Any]:
        """The answer's document, {} if it has none; what Keystone refuses fails the test."""
        headers = {"X-Auth-Token": token or self.admin_token}
        answer = self._client.request(method, self.url + path, json=body, headers=headers)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return dict(answer.json()) if answer.content else {}

    def token(self, identity: dict[str, Any], scope: object = None) -> str:
        """`identity` has the methods and what each wants (Identity API v3, POST /v3/auth/tokens)."""
        body = {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}
        answer = self._client.post(f"{self.url}/auth/tokens", json=body)
        assert answer.is_success, (answer.status_code, answer.text)
        return str(answer.headers["x-subject-token"])

    def password_token(
        self, user: str, password: str, *, domain: str = DEFAULT_DOMAIN, project: str = "", scope: object = None
    ) -> str:
        """`project` is one of the user's domain, by name; without it and without `scope` the token is unscoped."""
        named = {"name": user, "domain": {"id": domain}, "password": password}
        in_project = {"project": {"name": project, "domain": {"id": domain}}} if project else None
        return self.token({"methods": ["password"], "password": {"user": named}}, scope or in_project)

    def application_credential_token(self, id_: str, secret: str) -> str:
        method = "application_credential"
        return self.token({"methods": [method], method: {"id": id_, "secret": secret}})

    def trust_token(self, token: str, trust: str) -> str:
        """For the trustee, whose unscoped or scoped token it is."""
        return self.token({"methods": ["token"], "token": {"id": token}}, {"OS-TRUST:trust": {"id": trust}})

    def create_domain(self, name: str) -> str:
        return self._made("domain", {"name": name})

    def create_project(self, name: str, domain: str = DEFAULT_DOMAIN) -> str:
        return self._made("project", {"name": name, "domain_id": domain})

    def create_user(self, name: str, password: str, domain: str = DEFAULT_DOMAIN) -> str:
        return self._made("user", {"name": name, "domain_id": domain, "password": password})

    def role(self, name: str) -> str:
        """Made if there is none of that name; a new Keystone has admin, manager, member, reader and service."""
        found = self.call("GET", f"/roles?name={name}")["roles"]
        return str(found[0]["id"]) if found else self._made("role", {"name": name})

    def assign(self, role: str, user: str, *, project: str = "", domain: str = "") -> None:
        """The role by name, on a project, on a domain, or else on the system."""
        where = f"/projects/{project}" if project else f"/domains/{domain}" if domain else "/system"
        self.call("PUT", f"{where}/users/{user}/roles/{self.role(role)}")

    def create_member(self, name: str, password: str, project: str, role: str = "member") -> str:
        """A user of the default domain with a role on a project, which is given by its id."""
        user = self.create_user(name, password)
        self.assign(role, user, project=project)
        return user

    def create_application_credential(self, token: str, user: str, name: str, **more: Any) -> tuple[str, str]:
        """Its id and secret; the project and, if `more` names no `roles`, the roles are those of the token."""
        body = {"application_credential": {"name": name, **more}}
        made = self.call("POST", f"/users/{user}/application_credentials", body, token=token)["application_credential"]
        return str(made["id"]), str(made["secret"])

    def create_trust(self, token: str, trustor: str, trustee: str, project: str, **more: Any) -> str:
        """By the trustor, whose token it is; `more` may say `impersonation`, `expires_at` and `roles`."""
        usual = {"impersonation": False, "roles": [{"name": "member"}]}
        users = {"trustor_user_id": trustor, "trustee_user_id": trustee, "project_id": project}
        return self._made("trust", {**usual, **users, **more}, "/OS-TRUST/trusts", token=token)

    def revoke(self, token: str) -> None:
        headers = {"X-Auth-Token": self.admin_token, "X-Subject-Token": token}
        answer = self._client.delete(f"{self.url}/auth/tokens", headers=headers)
        assert answer.status_code == 204, answer.text

    def write_policy(self, text: str) -> None:
        """Its policy file, which it reads again as it is newer than the one before."""
        newer_s = self.policy_file.stat().st_mtime + 2
        self.policy_file.write_text(text)
        os.utime(self.policy_file, (newer_s, newer_s))

    def disable_user(self, user: str, *, enabled: bool = False) -> None:
        self.call("PATCH", f"/users/{user}", {"user": {"enabled": enabled}})

    async def start(self) -> None:
        self.start_now()  # in this thread, with which it would end

    def close(self) -> None:
        self._client.close()
        self.kill_now()

    def _made(self, kind: str, values: dict[str, Any], path: str = "", *, token: str | None = None) -> str:
        answer = self.call("POST", path or f"/{kind}s", {kind: values}, token=token)
        return str(answer[kind]["id"])


@contextmanager
def running_keystone(folder: Path, **options: Any) -> Iterator[Keystone]:
    keystone = Keystone(folder, **options)
    try:
        keystone.start_now()
        yield keystone
    finally:
        keystone.close()


def _configuration(folder: Path, origin: str, expiration_s: int = 3600, more: str = "") -> str:
    return CONFIGURATION.format(folder=folder, origin=origin, expiration_s=expiration_s, more=more)


def _environment(folder: Path) -> dict[str, str]:
    paths = {"PYTHONPATH": str(ROOT / "src"), "OS_KEYSTONE_CONFIG_FILES": str(folder / "keystone.conf")}
    return {**os.environ, **paths, "PYTHONWARNINGS": "ignore"}


def _seed() -> Path:
    """A new Keystone's folder, which every test copies: making it takes half a minute, so it is made once."""
    if reason := missing(("keystone",)):
        pytest.skip(reason)
    with (FOLDER / ".keystone-seed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes of one run ask at once
        if not SEED.exists():
            _make(Path(mkdtemp(prefix="keystone-seed-", dir=FOLDER)))
    return SEED


def _make(folder: Path) -> None:
    for name in ("fernet", "credential", "policy.d"):
        (folder / name).mkdir(mode=0o700)
    (folder / "policy.yaml").write_text("{}\n")
    (folder / "keystone.conf").write_text(_configuration(folder, "http://127.0.0.1"))
    endpoint = "$(public_endpoint)s/v3"  # filled in by Keystone itself, as each copy has a port of its own
    urls = [word for kind in ("admin", "public", "internal") for word in (f"--bootstrap-{kind}-url", endpoint)]
    who = [f"--keystone-{kind}={number}" for kind, number in (("user", os.geteuid()), ("group", os.getegid()))]
    for command in (
        ["db_sync"],
        ["fernet_setup", *who],
        ["credential_setup", *who],
        ["bootstrap", "--bootstrap-password", ADMIN_PASSWORD, "--bootstrap-region-id", "RegionOne", *urls],
    ):
        manage = [PYTHON.with_name("keystone-manage"), "--config-file", folder / "keystone.conf", *command]
        done = subprocess.run(manage, capture_output=True, text=True, check=False, env=_environment(folder))
        assert done.returncode == 0, done.stderr[-4000:]
    folder.rename(SEED)
