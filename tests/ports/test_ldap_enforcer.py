"""A directory as an enforcer: a real slapd, stopped in the middle."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outside_ldap import BASE, Directory
from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer
from rambla.drivers.ldap.enforcer import open_enforcer
from rambla.testing.enforcer import EnforcerSuite, says_yes


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = Directory(tmp_path)
    await found.start()
    found.open()
    yield found
    await found.close()
    await found.kill()


@pytest.mark.parametrize("kind", ["ldap", "ldaps"])
class TestLdapEnforcer(EnforcerSuite):
    @pytest.fixture
    def stage(self, directory: Directory, kind: str) -> Directory:
        if kind == "ldaps":
            directory.open(url=f"ldaps://127.0.0.1:{directory.tls_port}")
        return directory


@pytest.mark.parametrize(
    ("login", "group", "answer"),
    [
        ("alice", "direct", True),
        ("alice", "oncall", True),
        ("alice", f"cn=ops,ou=groups,{BASE}", True),
        ("alice", "loop", True),
        ("a*e", "direct", True),
        ("a*e", "ops", False),
        ("weird, name", "ops", True),
        ("comma+plus", "direct", True),
        ("ALICE", "direct", False),
        ("alice ", "direct", False),
        ("alice", "DIRECT", False),
        ("alice", "*", False),
        ("alice", "direct)(cn=*", False),
        ("deep", "g5", True),
    ],
)
async def test_who_is_in_which_group(directory: Directory, login: str, group: str, answer: bool) -> None:
    directory.argument = group
    assert await says_yes(directory, login) is answer


@pytest.mark.parametrize(("login", "words"), [("twice", "two entries"), ("deep", "nested deeper than 5")])
async def test_a_search_that_cannot_be_finished_is_no_answer(directory: Directory, login: str, words: str) -> None:
    directory.argument = "ops"
    with pytest.raises(NoAnswer, match=words) as raised:
        await says_yes(directory, login)
    assert not isinstance(raised.value, EnforcerAway)


async def test_the_settings_may_name_the_group(directory: Directory) -> None:
    directory.open(group="direct")
    directory.argument = ""
    assert await says_yes(directory, "alice")
    directory.open()
    with pytest.raises(NoAnswer):
        await says_yes(directory, "alice")


async def test_a_wrong_password_or_an_unknown_authority_is_no_answer(directory: Directory) -> None:
    directory.open(bind_dn=f"cn=nobody,{BASE}")
    with pytest.raises(EnforcerAway, match="does not accept bind_dn"):
        await says_yes(directory, "alice")
    directory.open(ca_file="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(EnforcerAway):
        await says_yes(directory, "alice")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "ldaps://h"}, "base"),
        ({"url": "ldaps://h", "base": "", "login": "uid)(x=*"}, "no attribute"),
        ({"url": "ldaps://h", "base": "", "bind_dn": "cn=x"}, "belong together"),
        ({"url": "ldaps://h:port", "base": ""}, "url"),
        ({"url": "ldaps://h", "base": "", "ca_file": "/absent"}, "ca_file"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        open_enforcer("named", given, timeout_ms=10_000)
