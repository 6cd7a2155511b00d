"""The kit of a real Keystone, and a real Swift behind it: what other tests rely on."""

import time

import httpx
import pytest

from keystone_cloud import Keystone
from keystone_swift import KeystoneSwift, running_swift


@pytest.fixture(scope="module")
def swift(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory):
    with running_swift(keystone, tmp_path_factory.mktemp("swift") / "data") as swift:
        yield swift


def validated(keystone: Keystone, token: str) -> httpx.Response:
    headers = {"X-Auth-Token": keystone.admin_token, "X-Subject-Token": token}
    return httpx.get(f"{keystone.url}/auth/tokens", headers=headers, timeout=60, trust_env=False)


def test_a_person_has_a_token_of_each_kind_until_it_is_revoked(keystone: Keystone) -> None:
    project = keystone.create_project("kinds")
    alice = keystone.create_member("alice", "alice-word", project)
    bob = keystone.create_user("bob", "bob-word")
    password = keystone.password_token("alice", "alice-word", project="kinds")
    id_, secret = keystone.create_application_credential(password, alice, "laptop")
    trust = keystone.create_trust(password, alice, bob, project, impersonation=True)
    application = keystone.application_credential_token(id_, secret)
    trusted = keystone.trust_token(keystone.password_token("bob", "bob-word"), trust)
    for token in (password, application, trusted):
        assert validated(keystone, token).json()["token"]["user"]["id"] == alice
    keystone.revoke(application)
    assert validated(keystone, application).status_code == 404
    assert validated(keystone, password).status_code == 200
    keystone.disable_user(alice)
    assert validated(keystone, password).status_code == 404


async def test_it_is_paused_killed_and_started_again_as_the_same(keystone: Keystone) -> None:
    token = keystone.admin_token
    await keystone.stop()
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(keystone.url, timeout=0.2, trust_env=False)
    finally:
        await keystone.go_on()
    assert validated(keystone, token).status_code == 200
    keystone.kill_now()
    with pytest.raises(httpx.ConnectError):
        httpx.get(keystone.url, timeout=60, trust_env=False)
    keystone.start_now()
    assert validated(keystone, token).status_code == 200


def test_its_policy_is_a_file_that_it_reads_again(keystone: Keystone) -> None:
    project = keystone.create_project("policy")
    keystone.create_member("carol", "carol-word", project)
    headers = {"X-Auth-Token": keystone.password_token("carol", "carol-word", project="policy")}

    def listed() -> int:
        return httpx.get(f"{keystone.url}/users", headers=headers, timeout=60, trust_env=False).status_code

    assert listed() == 403
    part = keystone.policy_dir / "open.yaml"
    time.sleep(1.1)  # it compares the times of files
    part.write_text('"identity:list_users": "role:member"\n')
    assert listed() == 200
    part.unlink()


def test_swift_serves_the_account_of_a_project_to_its_operators_alone(swift: KeystoneSwift, keystone: Keystone) -> None:
    project = keystone.create_project("pictures")
    for name, role in (("owner", "member"), ("looker", "reader")):
        keystone.create_member(name, f"{name}-word", project, role)
    with swift.account(keystone.password_token("owner", "owner-word", project="pictures"), project) as owner:
        assert owner.put("box").status_code == 201
        assert owner.put("box/hello", content=b"hello").status_code == 201
        assert owner.get("box/hello").content == b"hello"
    with swift.account(keystone.password_token("looker", "looker-word", project="pictures"), project) as looker:
        assert looker.get("box/hello").status_code == 403
    with swift.account("no-token", project) as nobody:
        assert nobody.get("box/hello").status_code == 401
