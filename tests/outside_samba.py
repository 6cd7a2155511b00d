"""An Active Directory: a Samba domain controller of a test's own, of which only LDAP is started."""

import base64
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rambla.drivers.ldap.source import LdapSource, open_source
from rambla.kit.clock import ManualClock
from stages import ServerProcess, accepts, certificate

BASE = "dc=corp,dc=example,dc=org"
PORT = 636
PEOPLE = f"cn=Users,{BASE}"
NORMAL_ACCOUNT, DISABLED_ACCOUNT = 512, 514
USERS = {
    "alice": [],
    "search": [],
    "disabled": [f"userAccountControl: {DISABLED_ACCOUNT}"],
    "expired": ["accountExpires: 1"],
    "must-change": ["pwdLastSet: 0"],
}
GROUPS = {"inner": "alice", "outer": "inner"}
SETUP = Path("/usr/share/samba/setup")
OPTIONS = {
    "bind interfaces only": "yes",
    "ldap server require strong auth": "yes",
    "log level": "0",
    "vfs objects": "dfs_samba4 acl_xattr xattr_tdb",  # not every file system has attributes
}


def word_of(user: str) -> str:
    """As long and as mixed as a domain wants it."""
    return f"Word-of-{user}-1"


def entries() -> str:
    lines: list[str] = []
    for user, more in USERS.items():
        password = base64.b64encode(f'"{word_of(user)}"'.encode("utf-16-le")).decode()
        lines += [f"dn: cn={user},{PEOPLE}", "objectClass: user", f"sAMAccountName: {user}", f"unicodePwd:: {password}"]
        lines += [f"userPrincipalName: {user}@corp.example.org"]
        lines += [*(more if user == "disabled" else [f"userAccountControl: {NORMAL_ACCOUNT}", *more]), ""]
    for group, member in GROUPS.items():
        lines += [f"dn: cn={group},{PEOPLE}", "objectClass: group", f"sAMAccountName: {group}"]
        lines += [f"member: cn={member},{PEOPLE}", ""]
    return "\n".join(lines)


class ActiveDirectory(ServerProcess):
    """On an address of its own, as its port is always the same."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("samba-tool") is None or not SETUP.is_dir():
            pytest.skip("needs Samba's domain controller: apt-get install samba-ad-dc samba-ad-provision")
        if shutil.which("ldapmodify") is None:
            pytest.skip("needs OpenLDAP's clients: apt-get install ldap-utils")
        if os.geteuid() != 0:
            pytest.skip("needs root, as a domain controller listens on low ports")
        self.folder = folder
        self.address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        self.authority, key = certificate(folder, self.address)
        key.chmod(0o600)
        self._provision({"tls certfile": self.authority, "tls keyfile": key, "tls cafile": self.authority})
        command = ["samba", "-F", "-M", "single", "-s", self._configuration, "--option=server services=ldap"]
        super().__init__(command, folder / "log", accepts(PORT, self.address))

    @property
    def _configuration(self) -> Path:
        return self.folder / "domain" / "etc" / "smb.conf"

    def _provision(self, more: dict[str, Any]) -> None:
        places = {"interfaces": f"{self.address}/8", "xattr_tdb:file": self.folder / "attributes.tdb"}
        options = [f"--option={name}={value}" for name, value in {**OPTIONS, **places, **more}.items()]
        domain = ["--realm=CORP.EXAMPLE.ORG", "--domain=CORP", f"--adminpass={word_of('admin')}"]
        kind = ["--server-role=dc", "--dns-backend=NONE", f"--targetdir={self.folder / 'domain'}"]
        _run("samba-tool", "domain", "provision", *domain, *kind, *options)

    def fill(self) -> None:
        """Once, as what was added stays."""
        self.change(entries(), "-a")

    def change(self, text: str, *options: str) -> None:
        """By LDIF, as an administrator does."""
        command = ["ldapmodify", "-x", "-H", f"ldaps://{self.address}", "-D", f"cn=Administrator,{PEOPLE}", *options]
        _run(*command, "-w", word_of("admin"), given=text, LDAPTLS_CACERT=str(self.authority))

    def open_source(self, **settings: Any) -> LdapSource:
        secret = self.folder / "secret"
        secret.write_text(word_of("search"))
        usual = {
            "url": f"ldaps://{self.address}",
            "ca_file": str(self.authority),
            "bind_dn": f"cn=search,{PEOPLE}",
            "secret_file": str(secret),
            "base": BASE,
            "user_attribute": "sAMAccountName",
            "where": {"objectCategory": "person"},
        }
        return open_source("corp", {**usual, **settings}, None, ManualClock())


def _run(*command: str | Path, given: str = "", **environment: str) -> None:
    done = subprocess.run(
        command, input=given, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
