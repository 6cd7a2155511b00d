"""A real Swift that asks a real Keystone who its callers are, as one process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from keystone_cloud import Keystone
from parity.openstack import PYTHON, ROOT
from stages import ServerProcess, accepts, free_port

PASSWORD = "swift-word"
FILTERS = """
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
www_authenticate_uri = {keystone}
{service}
[filter:s3token]
use = egg:swift#s3token
auth_uri = {keystone}
{service}
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, {operator_roles}
reseller_admin_role = ResellerAdmin
"""
SERVICE = """
auth_type = password
auth_url = {keystone}
username = {user}
password = {password}
user_domain_id = default
project_domain_id = default
project_name = {user}
"""


class KeystoneSwift(ServerProcess):
    """Accounts are `AUTH_` and the project's id. It is in Keystone's catalogue as `object-store`."""

    def __init__(self, keystone: Keystone, data: Path, *, operator_roles: str = "member") -> None:
        """Who has one of `operator_roles` on a project may do everything in its account."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        user = f"swift-{port}"  # its own, as a Keystone may have several
        _introduce(keystone, user, self.url)
        data.mkdir(parents=True, exist_ok=True)
        service = SERVICE.format(keystone=keystone.url, user=user, password=PASSWORD)
        text = FILTERS.format(keystone=keystone.url, service=service, operator_roles=operator_roles)
        (data / "keystone.conf").write_text(text)
        options = ["--data", data, "--port", str(port), "--keystone-conf", data / "keystone.conf"]
        command = [PYTHON, "-m", "rambla_openstack.embedded", *options, "--parent-pid", str(os.getpid())]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"}
        super().__init__(command, data / "log", accepts(port), environment=environment)

    def account(self, token: str, project: str) -> httpx.Client:
        """A client whose paths are `container/object` in the account of that project."""
        base = f"{self.url}/v1/AUTH_{project}"
        return httpx.Client(base_url=base, headers={"X-Auth-Token": token}, timeout=60, trust_env=False)


def _introduce(keystone: Keystone, user: str, url: str) -> None:
    """Its user, who may validate tokens, in a project of that name, and its endpoint."""
    keystone.create_member(user, PASSWORD, keystone.create_project(user), "service")
    keystone.role("ResellerAdmin")
    made = keystone.call("POST", "/services", {"service": {"type": "object-store", "name": "swift"}})
    endpoint = {"service_id": made["service"]["id"], "interface": "public", "region_id": "RegionOne"}
    keystone.call("POST", "/endpoints", {"endpoint": {**endpoint, "url": f"{url}/v1/AUTH_$(project_id)s"}})


@contextmanager
def running_swift(keystone: Keystone, data: Path, *, operator_roles: str = "member") -> Iterator[KeystoneSwift]:
    swift = KeystoneSwift(keystone, data, operator_roles=operator_roles)
    try:
        swift.start_now()
        yield swift
    finally:
        swift.kill_now()
