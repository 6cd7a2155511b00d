"""The platform over https: its own certificate, people's certificates, and a command line that knows which is whose."""

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from authority import SERVER, Authority, Signed
from system.running import Running, rambla, until

pytestmark = pytest.mark.system
MAPPING = """
grants:
  - {if: {OU: Research}, namespaces: {guest: [developer, reader]}}
"""
ADA = (("CN", "ada"), ("OU", "Research"))
CONFIG = """
tls_certificate = "{folder}/server.pem"
tls_key = "{folder}/server.key"
tls_reload_ms = 50

[identity.corp]
kind = "certificate"
ca_file = "{folder}/corp.pem"
crl_file = "{folder}/corp.crl"
mapping = "{folder}/mapping.yaml"
roles = ["developer", "reader"]
namespaces = ["guest"]
cache_ms = 0

[identity.shop]
kind = "certificate"
ca_file = "{folder}/shop.pem"
"""


class Encrypted:
    """A server whose certificate is for the name `rambla.example.org`, as it would be elsewhere than on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.corp, self.shop = (Authority(name) for name in ("servers", "corp", "shop"))
        for name in ("corp", "shop"):
            (folder / f"{name}.pem").write_bytes(getattr(self, name).pem)
        (folder / "corp.crl").write_bytes(self.corp.revoke())
        (folder / "mapping.yaml").write_text(MAPPING)
        (folder / "rambla.toml").write_text(CONFIG.format(folder=folder))
        (folder / "root.pem").write_bytes(self.root.pem)
        self.renew()
        self.running = Running(folder / "data", "--config", str(folder / "rambla.toml"), "--object-store", "swift")

    @property
    def operator_token(self) -> str:
        return (self.running.data / "operator.token").read_text().strip()

    def renew(self) -> None:
        names = [x509.DNSName("rambla.example.org")]
        self.shown = self.root.certify(("CN", "rambla"), names=names, uses=[SERVER])
        self.shown.write(self.folder, "server")

    def client(self, shown: Signed | None = None, **more: Any) -> httpx.Client:
        context = ssl.create_default_context(cadata=self.root.pem.decode())
        context.check_hostname = False
        if shown is not None:
            context.load_cert_chain(*shown.write(self.folder, "client"))
        return httpx.Client(base_url=self.running.url, verify=context, trust_env=False, timeout=60, **more)

    def status(self, shown: Signed | None, **more: Any) -> int:
        with self.client(shown, **more) as client:
            return client.get("/api/v1/namespaces/guest/actions").status_code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    started = Encrypted(tmp_path_factory.mktemp("https"))
    yield started
    started.running.stop()


def test_the_address_that_is_told_to_clients_says_https(server: Encrypted) -> None:
    assert server.running.url.startswith("https://127.0.0.1:")
    properties = (server.running.data / "wskprops").read_text()
    assert f"APIHOST={server.running.url}\n" in properties


def test_the_command_line_knows_the_server_of_a_data_folder_by_its_certificate(server: Encrypted) -> None:
    for arguments in (("action", "list"), ("namespace", "list"), ("status",)):
        done = rambla(*arguments, "--data", server.running.data)
        assert done.returncode == 0, done.stderr
    before = server.shown.pem
    server.renew()
    pinned = server.running.data / "endpoint.pem"
    until("the new certificate to be in force", lambda: pinned.read_bytes() == server.shown.pem != before)
    assert rambla("action", "list", "--data", server.running.data).returncode == 0


def test_uploads_are_told_to_it_by_its_own_swift_also_once_it_has_another_certificate(server: Encrypted) -> None:
    action = server.folder / "seen.py"
    action.write_text("def main(event):\n    return {}\n")
    data = ("--data", server.running.data)
    made = (("action", "create", "seen", action), ("trigger", "create", "came", "--source", "swift:photos"))
    for arguments in (*made, ("rule", "create", "tell", "came", "seen")):
        done = rambla(*arguments, *data)
        assert done.returncode == 0, done.stderr
    with server.client(headers={"Authorization": f"Bearer {server.operator_token}"}) as operator:
        address = operator.get("/platform/v1/status").json()["object_store"]["url"]
    for name in ("before", "after"):
        upload(address, server.running.key, name)
        until(f"the run of {name}", lambda name=name: runs(server) == (1 if name == "before" else 2))
        before = server.shown.pem
        server.renew()
        until("another certificate", lambda before=before: pinned_by(server) == server.shown.pem != before)


def upload(address: str, key: str, name: str) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        shown = {"X-Auth-User": "guest:guest", "X-Auth-Key": key.partition(":")[2]}
        answer = client.get(f"{address}/auth/v1.0", headers=shown).raise_for_status()
        headers = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
        storage = answer.headers["X-Storage-Url"]
        client.put(f"{storage}/photos", headers=headers).raise_for_status()
        client.put(f"{storage}/photos/{name}", headers=headers, content=b"x").raise_for_status()


def runs(server: Encrypted) -> int:
    done = rambla("activation", "list", "--json", "--data", server.running.data)
    assert done.returncode == 0, done.stderr
    return sum(one["name"] == "seen" for one in json.loads(done.stdout))


def pinned_by(server: Encrypted) -> bytes:
    return (server.running.data / "endpoint.pem").read_bytes()


def test_the_command_line_tells_nobody_else_a_secret(server: Encrypted, tmp_path: Path) -> None:
    """Someone who listens at the address that a folder names, with a certificate of the same authority even."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("wskprops", "endpoint"):
        (data / name).write_bytes((server.running.data / name).read_bytes())
    other = server.root.certify(("CN", "rambla"), names=[x509.DNSName("rambla.example.org")], uses=[SERVER])
    for pinned in (other.pem, server.root.pem[:100]):
        (data / "endpoint.pem").write_bytes(pinned)
        assert rambla("action", "list", "--data", data).returncode != 0
    (data / "endpoint.pem").unlink()
    done = rambla("action", "list", "--data", data)
    assert done.returncode != 0
    assert "certificate" in done.stderr.lower()


def test_others_are_known_by_the_authorities_of_the_system_or_of_a_file(server: Encrypted) -> None:
    """For which the name must be right, too."""
    here = server.running.url
    options = ["--apihost", here, "--auth", server.running.key]
    environment = os.environ | {"SSL_CERT_FILE": str(server.folder / "root.pem")}
    command = ["rambla.cli", "action", "list", *options]
    for trusted, reason in ((environment, "IP address mismatch"), (dict(os.environ), "certificate verify failed")):
        done = subprocess.run(
            [*server.running.python, "-m", *command], capture_output=True, text=True, env=trusted, timeout=60
        )
        assert done.returncode != 0
        assert reason in done.stderr


def test_a_certificate_says_who_comes(server: Encrypted) -> None:
    assert server.status(server.corp.certify(*ADA)) == 200
    assert server.status(server.corp.certify(("CN", "bob"))) == 403
    assert server.status(None) == 401


def test_the_same_name_by_another_sources_authority_is_somebody_else(server: Encrypted) -> None:
    assert server.status(server.shop.certify(*ADA)) == 403
    with pytest.raises(httpx.TransportError):
        server.status(Authority("corp").certify(*ADA))


def test_a_header_beside_a_certificate_is_what_counts(server: Encrypted) -> None:
    ada, bob = server.corp.certify(*ADA), server.corp.certify(("CN", "bob"))
    user, _, secret = server.running.key.partition(":")
    assert server.status(bob, auth=(user, secret)) == 200
    assert server.status(ada, auth=(user, "wrong")) == 401
    assert server.status(ada, headers={"Authorization": "Bearer nobodys"}) == 401


def test_one_that_is_taken_back_opens_nothing_also_on_a_connection_that_is_open(server: Encrypted) -> None:
    ada = server.corp.certify(*ADA)
    path = "/api/v1/namespaces/guest/actions"
    with server.client(ada) as client:
        assert client.get(path).status_code == 200
        (server.folder / "corp.crl").write_bytes(server.corp.revoke(ada))
        assert client.get(path).status_code == 401
    (server.folder / "corp.crl").write_bytes(server.corp.revoke())


def test_a_certificate_acts_and_is_on_record(server: Encrypted) -> None:
    action = {"exec": {"kind": "python:3", "code": "def main(args):\n    return {'ok': True}\n"}}
    with server.client(server.corp.certify(*ADA)) as client:
        path = "/api/v1/namespaces/guest/actions/by-certificate"
        assert client.put(path, json=action).status_code == 200
        answer = client.post(f"{path}?blocking=true&result=true", json={})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
