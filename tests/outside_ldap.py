"""A directory: a slapd of a test's own, with a few people and groups."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rambla.drivers.ldap.enforcer import open_enforcer
from stages import ServerProcess, accepts, certificate, free_port

SECRET = "geheimes-wort"
BASE = "dc=example,dc=org"
BOUND = {"bind_dn": f"cn=reader,{BASE}", "base": f"ou=people,{BASE}", "groups_base": f"ou=groups,{BASE}"}
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSCACertificateFile {certificate}
sizelimit unlimited
database mdb
directory {folder}/data
suffix dc=example,dc=org
rootdn cn=reader,dc=example,dc=org
rootpw {secret}
access to * by * none
"""
PEOPLE = ["alice", "bob", "a*e", "weird\\, name", "twice", "deep", "comma\\+plus"]
GROUPS = {
    "ops": ["cn=oncall,ou=groups", "uid=weird\\, name,ou=people"],
    "oncall": ["uid=alice,ou=people", "cn=loop,ou=groups"],
    "loop": ["cn=oncall,ou=groups"],
    "direct": ["uid=alice,ou=people", "uid=a*e,ou=people", "uid=twice,ou=people", "uid=comma\\+plus,ou=people"],
    "g0": ["uid=deep,ou=people"],
    **{f"g{level}": [f"cn=g{level - 1},ou=groups"] for level in range(1, 9)},
}


def entries() -> str:
    lines = [f"dn: {BASE}", "objectClass: dcObject", "objectClass: organization", "o: example", "dc: example", ""]
    for unit in ("people", "groups"):
        lines += [f"dn: ou={unit},{BASE}", "objectClass: organizationalUnit", f"ou: {unit}", ""]
    for dn in PEOPLE:
        name = dn.replace("\\", "")
        lines += [f"dn: uid={dn},ou=people,{BASE}", "objectClass: inetOrgPerson", f"cn: {name}", f"sn: {name}", ""]
    lines += [f"dn: cn=other,ou=people,{BASE}", "objectClass: inetOrgPerson", "cn: other", "sn: x", "uid: twice", ""]
    for name, members in GROUPS.items():
        lines += [f"dn: cn={name},ou=groups,{BASE}", "objectClass: groupOfNames", f"cn: {name}"]
        lines += [*(f"member: {member},{BASE}" for member in members), ""]
    return "\n".join(lines)


class Directory(ServerProcess):
    secret = SECRET

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        self.argument = "ops"
        self.opened: list[Any] = []
        self.authority, key = certificate(folder)
        slapd = _program("slapd")
        (folder / "data").mkdir()
        configuration = folder / "slapd.conf"
        values = {"folder": folder, "certificate": self.authority, "key": key, "secret": SECRET}
        configuration.write_text(CONFIGURATION.format(**values))
        (folder / "entries.ldif").write_text(entries())
        add = [_program("slapadd"), "-f", configuration, "-l", folder / "entries.ldif"]
        subprocess.run(add, check=True, capture_output=True)
        addresses = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        super().__init__([slapd, "-f", configuration, "-h", addresses, "-d", "0"], folder / "log", accepts(self.port))

    def open(self, **settings: Any) -> Any:
        secret = self.folder / "secret"
        secret.write_text(SECRET + "\n")
        usual = {"url": f"ldap://127.0.0.1:{self.port}", "ca_file": str(self.authority), "secret_file": str(secret)}
        given = {**usual, **BOUND, **settings}
        self.enforcer = open_enforcer("named", given, timeout_ms=10_000)
        self.opened.append(self.enforcer)
        return self.enforcer

    async def close(self) -> None:
        for enforcer in self.opened:
            await enforcer.close()


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/libexec")
    if found is None or not Path("/etc/ldap/schema/core.schema").exists():
        pytest.skip("needs OpenLDAP's server: apt-get install slapd")
    return found
