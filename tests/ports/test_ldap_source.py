"""A directory as a source of identities: a real slapd, stopped in the middle, killed, and started again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream, SocketAttribute
from pyasn1.codec.ber import decoder
from pyasn1_modules import rfc2251

from outside_ldap import BASE, Directory, PeopleStage, word_of
from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import Password
from rambla.drivers.ldap import messages
from rambla.drivers.ldap.connection import open_connection
from rambla.drivers.ldap.source import LdapSource, open_source
from rambla.kit.clock import ManualClock
from rambla.testing.identity_source import SourceSuite

GROUPS = f"ou=groups,{BASE}"
ALICE = f"uid=alice,ou=people,{BASE}"


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = Directory(tmp_path)
    await found.start()
    yield found
    await found.close()
    await found.kill()


async def known(source: LdapSource, user: str, password: str | None = None) -> Any:
    with anyio.fail_after(30):
        return await source.prove(Password(user=user, password=password or word_of(user)))


async def is_known(source: LdapSource, user: str, password: str | None = None) -> bool:
    try:
        return bool(await known(source, user, password))
    except BadCredentials:
        return False


@pytest.mark.parametrize("kind", ["start_tls", "ldaps", "groups"])
class TestLdapSource(SourceSuite):
    @pytest.fixture
    def stage(self, directory: Directory, kind: str) -> PeopleStage:
        settings = {
            "start_tls": {},
            "ldaps": {"url": f"ldaps://127.0.0.1:{directory.tls_port}"},
            "groups": {"groups_base": GROUPS},
        }
        return PeopleStage(directory, **settings[kind])


async def test_the_directory_says_what_is_known_of_a_person(directory: Directory) -> None:
    found = await known(directory.open_source(attributes=["departmentNumber", "MAIL", "title"]), "alice")
    assert (found.user, found.method, found.groups) == ("alice", "password", ())
    assert {name: sorted(values) for name, values in found.attributes.items()} == {
        "dn": [ALICE],
        "uid": ["alice"],
        "departmentNumber": ["17", "18"],
        "MAIL": ["alice@example.org"],
        "title": [],
    }


@pytest.mark.parametrize(
    ("settings", "groups"),
    [
        ({}, set()),
        ({"groups_base": GROUPS, "nesting_max": 0}, {f"cn={name},{GROUPS}" for name in ("direct", "oncall")}),
        ({"groups_base": GROUPS}, {f"cn={name},{GROUPS}" for name in ("direct", "oncall", "ops", "loop")}),
        ({"groups_base": GROUPS, "group_name": "cn"}, {"direct", "oncall", "ops", "loop"}),
        ({"groups_base": GROUPS, "member": "memberUid", "member_is": "user", "group_name": "cn"}, {"unix"}),
    ],
    ids=["none", "direct", "nested", "by name", "posix"],
)
async def test_groups_are_told_as_the_settings_say(
    directory: Directory, settings: dict[str, Any], groups: set[str]
) -> None:
    found = await known(directory.open_source(**settings), "alice")
    assert set(found.groups) == groups
    assert len(found.groups) == len(groups)


async def test_groups_may_stand_in_the_entry_itself_and_every_change_is_felt(directory: Directory) -> None:
    source = directory.open_source(member_of="memberOf", groups_base=GROUPS, nesting_max=0)
    before = {f"cn=direct,{GROUPS}", f"cn=oncall,{GROUPS}"}
    assert set((await known(source, "alice")).groups) == before
    directory.change(f"dn: cn=added,{GROUPS}", "changetype: add", "objectClass: groupOfNames", f"member: {ALICE}")
    assert set((await known(source, "alice")).groups) == before | {f"cn=added,{GROUPS}"}
    only = directory.open_source(member_of="memberOf")
    assert (await known(only, "alice")).groups == (f"cn=added,{GROUPS}",)
    directory.change(f"dn: cn=added,{GROUPS}", "changetype: delete")
    assert (await known(only, "alice")).groups == ()
    assert set((await known(source, "alice")).groups) == before


async def test_whose_groups_cannot_all_be_told_is_let_in_nowhere(directory: Directory) -> None:
    assert not await is_known(directory.open_source(groups_base=GROUPS), "deep")
    assert await is_known(directory.open_source(groups_base=GROUPS, nesting_max=9), "deep")


@pytest.mark.parametrize("user", ["a*e", "weird, name", "comma+plus"])
async def test_names_may_have_what_means_something_in_a_filter_or_a_distinguished_name(
    directory: Directory, user: str
) -> None:
    source = directory.open_source(groups_base=GROUPS)
    assert (await known(source, user)).user == user
    assert not await is_known(source, user, word_of("alice"))


async def test_a_name_is_told_as_the_directory_has_it_and_other_spellings_are_nobodys(directory: Directory) -> None:
    source = directory.open_source()
    assert (await known(source, "ALICE", word_of("alice"))).user == "alice"
    for spelling in (" alice", "alice ", "al\u00adice", "\uff41lice", "weird,  name", ALICE):
        assert not await is_known(source, spelling, word_of(spelling.strip())), ascii(spelling)
        assert not await is_known(source, spelling, word_of("alice")), ascii(spelling)


@pytest.mark.parametrize("user", ["twice", "locked", "expired", "must-change"])
async def test_an_account_that_is_locked_or_expired_or_not_the_only_one_is_nobodys(
    directory: Directory, user: str
) -> None:
    assert not await is_known(directory.open_source(), user)


async def test_a_new_password_counts_at_once_and_so_does_a_lock(directory: Directory) -> None:
    source = directory.open_source()
    bob = f"dn: uid=bob,ou=people,{BASE}"
    assert await is_known(source, "bob")
    directory.change(bob, "changetype: modify", "replace: userPassword", "userPassword: new-word")
    assert [await is_known(source, "bob"), await is_known(source, "bob", "new-word")] == [False, True]
    directory.change(bob, "changetype: modify", "replace: pwdAccountLockedTime", "pwdAccountLockedTime: 000001010000Z")
    assert not await is_known(source, "bob", "new-word")


async def test_an_empty_password_is_no_password_though_the_directory_would_say_yes(directory: Directory) -> None:
    source = directory.open_source()
    for user in ("alice", "bob", "nobody", ""):
        with pytest.raises(BadCredentials):
            await source.prove(Password(user=user, password=""))
    connection = await open_connection(source._server, bound=False)
    await connection._send(messages.bind(7, ALICE, ""))
    assert await connection._receive(7) == messages.Result(7, 0), "it does say yes"
    assert not await connection.bind(ALICE, "")
    assert not await connection.bind("", word_of("alice"))
    assert await connection.bind(ALICE, word_of("alice"))
    await connection.close()


async def test_only_whom_the_conditions_mean_is_known(directory: Directory) -> None:
    where = {"objectClass": "inetOrgPerson", "departmentNumber": ["18", "19"]}
    source = directory.open_source(where=where)
    assert [await is_known(source, "alice"), await is_known(source, "bob")] == [True, False]
    source = directory.open_source(where={"departmentNumber": "1*"})
    assert not await is_known(source, "alice")


async def test_people_may_be_known_by_another_attribute(directory: Directory) -> None:
    source = directory.open_source(user_attribute="mail", attributes=["uid"])
    found = await known(source, "Alice@example.org", word_of("alice"))
    assert (found.user, found.attributes["uid"]) == ("alice@example.org", ("alice",))
    assert not await is_known(source, "alice")


async def test_two_directories_may_have_one_name_each_with_its_own_password(
    directory: Directory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Directory(tmp_path_factory.mktemp("other"))
    await other.start()
    try:
        other.change(f"dn: {ALICE}", "changetype: modify", "replace: userPassword", "userPassword: other-word")
        here, there = directory.open_source(), other.open_source()
        passwords = (word_of("alice"), "other-word")
        assert [await is_known(here, "alice", each) for each in passwords] == [True, False]
        assert [await is_known(there, "alice", each) for each in passwords] == [False, True]
    finally:
        await other.close()
        await other.kill()


async def test_a_directory_that_is_not_who_it_should_be_hears_no_password(directory: Directory) -> None:
    for url in (f"ldap://127.0.0.1:{directory.port}", f"ldaps://127.0.0.1:{directory.tls_port}"):
        source = directory.open_source(url=url, ca_file="/etc/ssl/certs/ca-certificates.crt")
        with pytest.raises(SourceAway, match="certificate"):
            await known(source, "alice")


async def test_a_search_that_nobody_may_make_is_no_word_on_anybody(directory: Directory) -> None:
    for settings in ({"bind_dn": f"cn=nobody,{BASE}"}, {"bind_dn": "", "secret_file": ""}, {"base": "ou=absent,dc=x"}):
        with pytest.raises(SourceAway):
            await known(directory.open_source(**settings), "alice")


class Wire:
    """Passes on what is said to a directory, and keeps what kinds of requests these are."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.said: list[str] = []

    async def pass_on(self, client: ByteStream) -> None:
        async with client, await anyio.connect_tcp("127.0.0.1", self._to) as server, anyio.create_task_group() as group:
            group.start_soon(self._answer, server, client)
            async for received in client:
                message, _ = decoder.decode(received, asn1Spec=rfc2251.LDAPMessage())
                self.said.append(message["protocolOp"].getName())
                await server.send(received)
            group.cancel_scope.cancel()

    async def _answer(self, server: ByteStream, client: ByteStream) -> None:
        async for received in server:
            await client.send(received)


async def test_an_unknown_user_costs_the_directory_what_a_wrong_password_does(directory: Directory) -> None:
    wire = Wire(directory.port)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, wire.pass_on)
        port = listener.extra(SocketAttribute.local_port)
        source = directory.open_source(url=f"ldap://127.0.0.1:{port}", start_tls=False, groups_base=GROUPS)
        assert await is_known(source, "alice")
        assert wire.said == ["bindRequest", "searchRequest", "bindRequest", *["searchRequest"] * 3]
        for user in ("alice", "nobody", "locked", "twice", "a*", "al\u00adice"):
            wire.said.clear()
            assert not await is_known(source, user, "another-word")
            assert wire.said == ["searchRequest", "bindRequest"], ascii(user)
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "ldaps://h"}, "base"),
        ({"url": "ldaps://h", "base": "", "user_attribute": "uid)(x=*"}, "no attribute"),
        ({"url": "ldaps://h", "base": "", "where": {"(": "x"}}, "no attribute"),
        ({"url": "ldaps://h", "base": "", "where": {"cn": []}}, "needs a value"),
        ({"url": "ldaps://h", "base": "", "attributes": ["a b"]}, "no attribute"),
        ({"url": "ldaps://h", "base": "", "member_is": "cn"}, "member_is"),
        ({"url": "ldaps://h", "base": "", "filter": "(uid=%s)"}, "filter"),
        ({"url": "ldaps://h", "base": "", "bind_dn": "cn=x"}, "belong together"),
        ({"url": "http://h", "base": ""}, "url"),
        ({"url": "ldaps://h", "base": "", "ca_file": "/absent"}, "ca_file"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSettings, match=words) as raised:
        open_source("corp", given, None, ManualClock())
    assert "identity.corp" in str(raised.value)
