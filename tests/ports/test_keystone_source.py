"""Keystone as a source of identities: a real one, stopped in the middle, killed, and started again."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from keystone_cloud import Keystone
from outside_keystone import ADA_WORD, BOB_WORD, SERVICE_WORD, KeystoneStage, People, open_source
from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import KeystoneToken, Password
from rambla.drivers.keystone.source import REFUSED_MS, KeystoneSource
from rambla.identity.ports import Project
from rambla.testing.identity_source import SourceSuite


@pytest.fixture(scope="module")
def people(keystone: Keystone) -> People:
    return People(keystone)


@pytest.fixture
async def source(people: People, tmp_path: Path) -> AsyncIterator[KeystoneSource]:
    source = open_source(people.settings(tmp_path))
    yield source
    await source.close()


class TestKeystoneSource(SourceSuite):
    @pytest.fixture
    async def stage(self, people: People, tmp_path: Path) -> AsyncIterator[KeystoneStage]:
        stage = KeystoneStage(people, tmp_path)
        yield stage
        await stage.source.close()


async def test_a_token_says_who_has_it_and_what_they_are_in_its_project(people: People, source: KeystoneSource) -> None:
    before_ms = time.time_ns() // 1_000_000
    found = await source.prove(KeystoneToken(token=people.token()))
    assert (found.user, found.method) == (people.ada, "password")
    assert sorted(found.roles) == ["member", "reader"]
    assert found.project == Project(people.project, "street", people.domain_name)
    assert found.issued_ms is not None
    assert found.expires_ms is not None
    assert before_ms - 1000 <= found.issued_ms <= found.expires_ms - 3_500_000
    told = {name: found.attributes[name] for name in ("name", "domain", "domain_id", "scope", "project_id")}
    assert told == {
        "name": ("ada",),
        "domain": (people.domain_name,),
        "domain_id": (people.domain,),
        "scope": ("project",),
        "project_id": (people.project,),
    }


async def test_a_password_may_come_for_a_project_or_for_none(people: People, source: KeystoneSource) -> None:
    found = await source.prove(people.password(project="street"))
    assert (found.project, found.method) == (Project(people.project, "street", people.domain_name), "password")
    found = await source.prove(people.password(domain=""))
    assert (found.user, found.project, found.roles, found.attributes["scope"]) == (people.ada, None, (), ("none",))
    for other in ({"project": "elsewhere"}, {"domain": "elsewhere"}, {"code": "123456"}):
        with pytest.raises(BadCredentials):
            await source.prove(people.password(**other))


async def test_a_refused_password_is_held_back_whether_or_not_there_is_such_a_user(
    people: People, source: KeystoneSource
) -> None:
    for user in ("ada", "nobody"):
        with anyio.move_on_after(REFUSED_MS / 1000 - 0.1) as scope:
            await source.prove(people.password("wrong-word", user=user))
        assert scope.cancelled_caught


async def test_an_application_credential_has_the_roles_it_was_made_with(people: People, source: KeystoneSource) -> None:
    credential = people.application_credential(roles=[{"name": "reader"}])
    token = people.keystone.application_credential_token(credential.id, credential.secret)
    for proof in (credential, KeystoneToken(token=token)):
        found = await source.prove(proof)
        assert (found.user, found.method, found.roles) == (people.ada, "application-credential", ("reader",))
        assert found.attributes["application_credential"] == (credential.id,)


async def test_what_is_good_for_other_services_only_is_good_for_nothing_here(
    people: People, source: KeystoneSource
) -> None:
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    credential = people.application_credential(access_rules=[rule])
    token = people.keystone.application_credential_token(credential.id, credential.secret)
    for proof in (credential, KeystoneToken(token=token)):
        with pytest.raises(BadCredentials):
            await source.prove(proof)


@pytest.mark.parametrize("impersonation", [True, False])
async def test_who_acts_for_somebody_is_who_they_are_also_where_keystone_says_otherwise(
    people: People, source: KeystoneSource, impersonation: bool
) -> None:
    found = await source.prove(KeystoneToken(token=people.trusted_token(impersonation=impersonation)))
    assert (found.user, found.on_behalf_of) == (people.bob, people.ada)
    assert found.project == Project(people.project, "street", people.domain_name)
    assert "member" in found.roles
    assert found.attributes.get("name") == (None if impersonation else ("bob",))


async def test_names_of_other_domains_are_not_told(people: People, source: KeystoneSource) -> None:
    """As somebody else may bear them."""
    other = People(people.keystone)
    found = await source.prove(KeystoneToken(token=other.token()))
    assert found.user == other.ada != people.ada
    assert "name" not in found.attributes
    assert found.attributes["domain"] == (other.domain_name,)


async def test_roles_on_a_domain_or_the_system_are_known_as_such(people: People, source: KeystoneSource) -> None:
    keystone = people.keystone
    keystone.assign("auditor", people.bob, domain=people.domain)
    keystone.assign("auditor", people.bob)
    for scope, told in (({"domain": {"id": people.domain}}, "domain"), ({"system": {"all": True}}, "system")):
        token = keystone.password_token("bob", BOB_WORD, domain=people.domain, scope=scope)
        found = await source.prove(KeystoneToken(token=token))
        assert (found.project, found.roles, found.attributes["scope"]) == (None, ("auditor",), (told,))


async def test_a_token_that_was_revoked_or_whose_owner_may_not_come_any_more_proves_nobody(
    people: People, source: KeystoneSource
) -> None:
    token, other = people.token(), people.token()
    people.keystone.revoke(token)
    with pytest.raises(BadCredentials):
        await source.prove(KeystoneToken(token=token))
    assert (await source.prove(KeystoneToken(token=other))).user == people.ada
    leaver = People(people.keystone)
    token = leaver.token()
    leaver.keystone.disable_user(leaver.ada)
    for proof in (KeystoneToken(token=token), leaver.password()):
        with pytest.raises(BadCredentials):
            await source.prove(proof)


async def test_a_token_that_expired_proves_nobody(people: People, source: KeystoneSource) -> None:
    """A token is good for as long as the application credential that it is for."""
    until = datetime.now(UTC) + timedelta(seconds=3)
    credential = people.application_credential(expires_at=f"{until:%Y-%m-%dT%H:%M:%S.%f}")
    token = KeystoneToken(token=people.keystone.application_credential_token(credential.id, credential.secret))
    found = await source.prove(token)
    assert found.expires_ms is not None
    assert abs(found.expires_ms - until.timestamp() * 1000) <= 1000
    await anyio.sleep(max(0.0, until.timestamp() + 0.1 - time.time()))
    for proof in (token, credential):
        with pytest.raises(BadCredentials):
            await source.prove(proof)


async def test_the_platforms_own_token_is_got_again_when_it_is_refused(people: People, source: KeystoneSource) -> None:
    tokens = [KeystoneToken(token=people.token()) for _ in range(10)]
    assert (await source.prove(tokens[0])).user == people.ada
    people.keystone.disable_user(people.service)
    with pytest.raises(SourceAway, match="the platform's own"):
        await source.prove(tokens[0])
    people.keystone.disable_user(people.service, enabled=True)
    await anyio.sleep(1.1)  # Keystone revokes all tokens of that second
    async with anyio.create_task_group() as group:
        for token in tokens:
            group.start_soon(source.prove, token)


async def test_a_second_factor_is_asked_for_if_keystone_wants_one(people: People, source: KeystoneSource) -> None:
    other = People(people.keystone)
    code = other.second_factor()
    with pytest.raises(BadCredentials):
        await source.prove(other.password())
    with pytest.raises(BadCredentials):
        await source.prove(other.password("wrong-word", code=code))
    found = await source.prove(other.password(code=code))
    assert (found.user, found.method) == (other.ada, "password+totp")


async def test_the_platform_may_have_an_application_credential(people: People, tmp_path: Path) -> None:
    token = people.token("rambla", SERVICE_WORD)
    id_, secret = people.keystone.create_application_credential(token, people.service, "platform")
    file = tmp_path / "application-secret"
    file.write_text(secret)
    source = open_source({"url": people.keystone.origin, "application_credential": id_, "secret_file": str(file)})
    assert (await source.prove(KeystoneToken(token=people.token()))).user == people.ada
    await source.close()


async def test_the_platforms_user_may_be_of_another_domain_than_its_project(people: People, tmp_path: Path) -> None:
    other = People(people.keystone)
    people.keystone.call(
        "DELETE", f"/projects/{people.project}/users/{people.service}/roles/{people.keystone.role('service')}"
    )
    people.keystone.assign("service", people.service, project=other.project)
    source = open_source(people.settings(tmp_path, project_domain=other.domain_name))
    try:
        assert (await source.prove(KeystoneToken(token=people.token()))).user == people.ada
    finally:
        people.keystone.assign("service", people.service, project=people.project)
        await source.close()


@pytest.mark.parametrize("fault", ["a wrong secret", "no right to validate", "an address that is none"])
async def test_nobody_is_refused_for_what_the_platform_may_not(people: People, tmp_path: Path, fault: str) -> None:
    settings = people.settings(tmp_path)
    match fault:
        case "a wrong secret":
            Path(settings["secret_file"]).write_text("another-word")
        case "no right to validate":
            Path(settings["secret_file"]).write_text(ADA_WORD)
            settings["user"] = "ada"
        case _:
            settings["url"] += "/elsewhere"
    source = open_source(settings)
    with pytest.raises(SourceAway):
        await source.prove(KeystoneToken(token=people.token("bob", BOB_WORD, "")))
    await source.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "secret_file"),
        ({"application_credential": "x"}, "either a user or"),
        ({"user": ""}, "either a user or"),
        ({"url": "http://keystone.example.org/v3"}, "in clear"),
        ({"url": "ftp://127.0.0.1"}, "in clear"),
        ({"url": "https://"}, "HOST"),
        ({"url": "https://h:port/v3"}, "HOST"),
        ({"url": "https://user:word@h/v3"}, "HOST"),
        ({"url": "https://h/v3?x=y"}, "HOST"),
        ({"ca_file": "/absent"}, "ca_file"),
        ({"secret_file": "/absent"}, "secret_file"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, given: dict[str, str], words: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word")
    usual = {"url": "https://h", "user": "rambla", "secret_file": str(secret)} if given else {"url": "https://h"}
    with pytest.raises(BadSettings) as raised:
        open_source({"secret_file": "", **usual, **given})
    assert "identity.cloud" in str(raised.value)
    assert words in str(raised.value)
    assert "word@" not in str(raised.value)


def test_it_takes_what_keystone_gives_out_and_nothing_of_others(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word")
    source = open_source({"url": "https://h", "user": "rambla", "secret_file": str(secret)})
    assert source.takes(KeystoneToken(token="0123456789abcdef" * 2))
    assert source.takes(KeystoneToken(token="gAAAAABl-_==" * 20))
    assert not source.takes(KeystoneToken(token="two words"))
    assert not source.takes(KeystoneToken(token="x" * 5000))
    assert not source.takes(Password(user="ada", password=""))
