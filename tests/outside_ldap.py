"""A directory: a slapd of a test's own, with a few people and groups, asked as an enforcer or for passwords."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rambla.domain.proofs import Password
from rambla.drivers.ldap.enforcer import open_enforcer
from rambla.drivers.ldap.source import LdapSource, open_source
from rambla.kit.clock import ManualClock
from stages import ServerProcess, accepts, certificate, free_port

SECRET = "geheimes-wort"
BASE = "dc=example,dc=org"
BOUND = {"bind_dn": f"cn=reader,{BASE}", "base": f"ou=people,{BASE}", "groups_base": f"ou=groups,{BASE}"}
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSCACertificateFile {certificate}
sizelimit unlimited
allow bind_anon_dn
database mdb
directory {folder}/data
suffix dc=example,dc=org
rootdn cn=reader,dc=example,dc=org
rootpw {secret}
overlay ppolicy
ppolicy_default cn=usual,dc=example,dc=org
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by * none
"""
PEOPLE = ["alice", "bob", "a*e", "weird\\, name", "twice", "deep", "comma\\+plus", "locked", "expired", "must-change"]
LINES_OF = {
    "alice": ["departmentNumber: 17", "departmentNumber: 18", "mail: alice@example.org"],
    "locked": ["pwdAccountLockedTime: 000001010000Z"],
    "expired": ["pwdChangedTime: 20200101000000Z"],
    "must-change": ["pwdReset: TRUE", f"pwdPolicySubentry: cn=strict,{BASE}"],
}
POLICIES = {"usual": "FALSE", "strict": "TRUE"}
GROUPS = {
    "ops": ["cn=oncall,ou=groups", "uid=weird\\, name,ou=people"],
    "oncall": ["uid=alice,ou=people", "cn=loop,ou=groups"],
    "loop": ["cn=oncall,ou=groups"],
    "direct": ["uid=alice,ou=people", "uid=a*e,ou=people", "uid=twice,ou=people", "uid=comma\\+plus,ou=people"],
    "g0": ["uid=deep,ou=people"],
    **{f"g{level}": [f"cn=g{level - 1},ou=groups"] for level in range(1, 9)},
}


def word_of(user: str) -> str:
    return f"word-of-{user}"


def entries() -> str:
    lines = [f"dn: {BASE}", "objectClass: dcObject", "objectClass: organization", "o: example", "dc: example", ""]
    for name, must_change in POLICIES.items():
        lines += [f"dn: cn={name},{BASE}", "objectClass: device", "objectClass: pwdPolicy", f"cn: {name}"]
        lines += ["pwdAttribute: userPassword", "pwdLockout: TRUE", f"pwdMustChange: {must_change}"]
        lines += ["pwdMaxAge: 31536000", ""]
    for unit in ("people", "groups"):
        lines += [f"dn: ou={unit},{BASE}", "objectClass: organizationalUnit", f"ou: {unit}", ""]
    for dn in PEOPLE:
        name = dn.replace("\\", "")
        lines += [f"dn: uid={dn},ou=people,{BASE}", "objectClass: inetOrgPerson", f"cn: {name}", f"sn: {name}"]
        lines += [f"userPassword: {word_of(name)}", *LINES_OF.get(name, ()), ""]
    lines += [f"dn: cn=other,ou=people,{BASE}", "objectClass: inetOrgPerson", "cn: other", "sn: x", "uid: twice", ""]
    for name, members in GROUPS.items():
        lines += [f"dn: cn={name},ou=groups,{BASE}", "objectClass: groupOfNames", f"cn: {name}"]
        lines += [*(f"member: {member},{BASE}" for member in members), ""]
    lines += [f"dn: cn=unix,ou=groups,{BASE}", "objectClass: posixGroup", "cn: unix", "gidNumber: 7"]
    lines += ["memberUid: alice", ""]
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

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Of a source of identities."""
        secret = self.folder / "secret"
        secret.write_text(SECRET + "\n")
        usual = {"url": f"ldap://127.0.0.1:{self.port}", "ca_file": str(self.authority), "secret_file": str(secret)}
        return {**usual, "bind_dn": BOUND["bind_dn"], "base": BOUND["base"], **settings}

    def open_source(self, **settings: Any) -> LdapSource:
        self.opened.append(source := open_source("corp", self.settings(**settings), None, ManualClock()))
        return source

    def change(self, *lines: str) -> None:
        """By LDIF, as an administrator does."""
        command = ["ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", BOUND["bind_dn"], "-w", SECRET]
        text = "\n".join(lines) + "\n"
        subprocess.run([_program("ldapmodify"), *command[1:]], input=text.encode(), check=True, capture_output=True)

    async def close(self) -> None:
        for each in self.opened:
            await each.close()


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/libexec")
    if found is None or not Path("/etc/ldap/schema/core.schema").exists():
        pytest.skip("needs OpenLDAP's server: apt-get install slapd")
    return found


class PeopleStage:
    """A directory as a source of identities."""

    user = "alice"
    proofs = (Password(user="alice", password=word_of("alice")),)
    wrong = (
        Password(user="alice", password="another-word"),
        Password(user="nobody", password=word_of("alice")),
        Password(user="locked", password=word_of("locked")),
    )
    secrets = (SECRET, word_of("alice"), "another-word")

    def __init__(self, directory: Directory, **settings: Any) -> None:
        self.source = directory.open_source(**settings)
        self.stop, self.go_on = directory.stop, directory.go_on
        self.kill, self.start = directory.kill, directory.start
