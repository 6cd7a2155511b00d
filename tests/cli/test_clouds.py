"""What clouds.yaml and the variables OS_* say, as openstacksdk takes them."""

from pathlib import Path

import pytest

from rambla.cli.clouds import login_of
from rambla.cli.errors import CliError

CLOUDS = """
clouds:
  plain:
    auth: {auth_url: "https://k/v3", username: ada, password: word, user_domain_name: north, project_name: street}
  hidden:
    auth: {username: ada, project_name: street}
  program:
    auth_type: v3applicationcredential
    auth: {application_credential_id: one, application_credential_secret: word}
  token: {auth_type: v3token, auth: {token: gAAAA}}
  guessed: {auth: {application_credential_id: one, application_credential_secret: word}}
  strange: {auth_type: v3oidcpassword, auth: {}}
  empty: {}
  none:
"""
SECURE = "clouds: {hidden: {auth: {password: hidden-word}}}\n"
ADA = {"method": "password", "user": "ada", "domain": "north", "project": "street", "password": "word"}
PROGRAM = {"method": "application-credential", "id": "one", "secret": "word"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    folder = tmp_path / ".config" / "openstack"
    folder.mkdir(parents=True)
    (folder / "clouds.yaml").write_text(CLOUDS)
    (folder / "secure.yaml").write_text(SECURE)
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path)}


def test_every_way_to_log_in_is_read(environment: dict[str, str]) -> None:
    assert login_of("plain", environment) == ADA
    assert login_of("hidden", environment) == {**ADA, "domain": "", "password": "hidden-word"}
    assert login_of("program", environment) == login_of("guessed", environment) == PROGRAM
    assert login_of("token", environment) == {"method": "keystone-token", "token": "gAAAA"}


def test_the_nearest_file_counts_and_one_that_is_named_before_all(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "clouds.yaml").write_text("clouds: {plain: {auth: {username: bob, password: p}}}")
    assert login_of("plain", environment)["user"] == "bob"
    named = tmp_path / "named.yaml"
    named.write_text("clouds: {plain: {auth: {username: cyd, password: p}}}")
    assert login_of("plain", {**environment, "OS_CLIENT_CONFIG_FILE": str(named)})["user"] == "cyd"


def test_the_variables_are_a_cloud_too(environment: dict[str, str]) -> None:
    given = {"OS_USERNAME": "ada", "OS_PASSWORD": "word", "OS_USER_DOMAIN_NAME": "north", "OS_PROJECT_NAME": "street"}
    assert login_of("envvars", given) == ADA
    assert login_of("envvars", {"OS_TOKEN": "t", "OS_AUTH_TYPE": "token"}) == {"method": "keystone-token", "token": "t"}
    program = {"OS_APPLICATION_CREDENTIAL_ID": "one", "OS_APPLICATION_CREDENTIAL_SECRET": "word"}
    assert login_of("envvars", program) == PROGRAM


@pytest.mark.parametrize("cloud", ["strange", "empty", "none", "absent", "envvars"])
def test_what_says_too_little_is_an_error_that_says_so(environment: dict[str, str], cloud: str) -> None:
    with pytest.raises(CliError, match=cloud if cloud != "none" else "clouds.yaml has no cloud"):
        login_of(cloud, environment)


@pytest.mark.parametrize("text", ["a: [", "[]", "clouds: 3", "\0", "x"])
def test_a_file_that_is_none_tells_nothing_of_what_is_in_it(
    environment: dict[str, str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "clouds.yaml").write_text(f"{text}\n# secret-word")
    with pytest.raises(CliError) as caught:
        login_of("plain", environment)
    assert "secret-word" not in str(caught.value)
