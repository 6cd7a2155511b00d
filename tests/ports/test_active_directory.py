"""An Active Directory as a source of identities: a real domain controller of Samba's."""

from collections.abc import AsyncIterator

import anyio
import pytest

from outside_samba import BASE, DISABLED_ACCOUNT, NORMAL_ACCOUNT, PEOPLE, ActiveDirectory, word_of
from rambla.domain.errors import BadCredentials
from rambla.domain.proofs import Password
from rambla.drivers.ldap.source import LdapSource
from rambla.identity.ports import Account

INNER, OUTER = (f"cn={name},{PEOPLE}".lower() for name in ("inner", "outer"))


@pytest.fixture(scope="module")
async def domain(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[ActiveDirectory]:
    found = ActiveDirectory(tmp_path_factory.mktemp("samba"))
    await found.start()
    found.fill()
    yield found
    await found.kill()


async def known(source: LdapSource, user: str, password: str) -> Account | None:
    try:
        with anyio.fail_after(30):
            return await source.prove(Password(user=user, password=password))
    except BadCredentials:
        return None


@pytest.mark.parametrize(("attribute", "realm"), [("sAMAccountName", ""), ("userPrincipalName", "@corp.example.org")])
async def test_people_are_known_by_either_name_with_groups_in_groups_below_the_whole_domain(
    domain: ActiveDirectory, attribute: str, realm: str
) -> None:
    source = domain.open_source(user_attribute=attribute, groups_base=BASE, attributes=["userAccountControl"])
    for written in ("alice", "Alice"):
        found = await known(source, written + realm, word_of("alice"))
        assert found
        assert (found.user, found.attributes["userAccountControl"]) == ("alice" + realm, ("512",))
        assert sorted(map(str.lower, found.groups)) == [INNER, OUTER]
    assert await known(source, f"alice{realm}", word_of("search")) is None
    await source.close()


async def test_who_is_disabled_or_expired_or_must_change_their_password_or_gives_none_is_nobody(
    domain: ActiveDirectory,
) -> None:
    source = domain.open_source(member_of="memberOf")
    for user in ("disabled", "expired", "must-change", "nobody", "krbtgt"):
        assert await known(source, user, word_of(user)) is None, user
    with pytest.raises(BadCredentials):
        await source.prove(Password(user="alice", password=""))
    found = await known(source, "alice", word_of("alice"))
    assert found
    assert [*map(str.lower, found.groups)] == [INNER]
    for control, is_let_in in ((DISABLED_ACCOUNT, False), (NORMAL_ACCOUNT, True)):
        line = f"userAccountControl: {control}"
        domain.change(f"dn: cn=alice,{PEOPLE}\nchangetype: modify\nreplace: userAccountControl\n{line}\n")
        assert bool(await known(source, "alice", word_of("alice"))) is is_let_in
    await source.close()
