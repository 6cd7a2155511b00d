"""Logging in at a real OpenID provider with a browser, and as who clouds.yaml says in a real cloud."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from keystone_cloud import Keystone
from outside_keystone import ADA_WORD, People
from outside_oidc import AUDIENCE, CLIENT, OidcStage, approve
from system.people import Somebody
from system.running import Running

pytestmark = pytest.mark.system
OIDC = """
[identity.browser]
kind = "oidc"
issuer = "{issuer}"
audiences = ["{audience}", "{client}"]
client_id = "{client}"
trust = 2
"""
KEYSTONE = """
[identity.cloud]
kind = "keystone"
url = "{url}"
user = "{user}"
secret_file = "{secret_file}"
project = "{project}"
domain = "{domain}"
user_domain = "{user_domain}"
project_domain = "{project_domain}"
"""
CLOUDS = """
clouds:
  mine: {{auth: {{username: ada, password: "{word}", user_domain_name: "{domain}", project_name: street}}}}
  program:
    auth_type: v3applicationcredential
    auth: {{application_credential_id: "{id}", application_credential_secret: "{secret}"}}
  wrong: {{auth: {{username: ada, password: marked-wrong-word, user_domain_name: "{domain}"}}}}
  token: {{auth_type: v3token, auth: {{token: "{token}"}}}}
"""


def serving(folder: Path, table: str) -> Running:
    (folder / "rambla.toml").write_text(table)
    return Running(folder / "data", "--config", str(folder / "rambla.toml"), "--require-isolation", "none")


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[OidcStage]:
    (tmp_path / "provider").mkdir()
    stage = OidcStage(tmp_path / "provider")
    stage.start_now()
    yield stage
    stage.kill_now()


@pytest.fixture
def server(tmp_path: Path, provider: OidcStage) -> Iterator[Running]:
    running = serving(tmp_path, OIDC.format(issuer=provider.issuer, audience=AUDIENCE, client=CLIENT))
    yield running
    running.stop()


def test_with_a_browser_one_logs_in_at_the_provider_and_is_shown_address_and_code(
    server: Running, provider: OidcStage, tmp_path: Path
) -> None:
    somebody = Somebody(tmp_path / "home")
    command = [sys.executable, "-m", "rambla.cli", "login", "--apihost", server.url, "--device"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(somebody.environment)
    )
    assert process.stderr is not None
    told = process.stderr.readline()
    found = re.match(r"Open (\S+) in a browser, and see that it shows the code ([A-Z-]+)", told)
    assert found, told
    anyio.run(_say_yes, provider.issuer, found[1])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.startswith("browser/ada")
    seen = somebody.tells("whoami")
    assert (seen["subject"], seen["method"], seen["trust"]) == ("browser/ada", "oidc", 2)


async def _say_yes(issuer: str, address: str) -> None:
    async with httpx.AsyncClient(base_url=issuer, follow_redirects=True, trust_env=False) as client:
        await approve(client, address, "ada")


def test_who_names_a_source_that_is_no_provider_is_told_which_there_are(server: Running, tmp_path: Path) -> None:
    told = Somebody(tmp_path / "home").fails("login", "--apihost", server.url, "--device", "--source", "cloud")
    assert told == "rambla: which OpenID provider? There are: none. Fix: --source NAME\n"


def test_who_clouds_yaml_says_one_is_one_is_here(keystone: Keystone, tmp_path: Path) -> None:
    people = People(keystone)
    program = people.application_credential()
    given = {"word": ADA_WORD, "domain": people.domain_name, "id": program.id, "secret": program.secret}
    somebody = Somebody(tmp_path / "home", OS_CLIENT_CONFIG_FILE=str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").write_text(CLOUDS.format(**given, token=people.token()))
    running = serving(tmp_path, KEYSTONE.format(**people.settings(tmp_path)))
    try:
        for cloud in ("mine", "program", "token"):
            somebody.does("login", "--apihost", running.url, "--os-cloud", cloud)
            assert somebody.tells("whoami")["source"] == "cloud"
            somebody.does("logout")
        refused = somebody.fails("login", "--apihost", running.url, "--os-cloud", "wrong")
        assert refused == "rambla: The supplied authentication is invalid\n"
        variables = {"OS_USERNAME": "ada", "OS_PASSWORD": ADA_WORD, "OS_USER_DOMAIN_NAME": people.domain_name}
        other = Somebody(tmp_path / "other", **variables)
        other.does("login", "--apihost", running.url, "--os-cloud", "envvars")
        assert other.tells("whoami")["source"] == "cloud"
    finally:
        running.stop()
        told = "".join(running.stderr)
    assert all(secret not in told for secret in (ADA_WORD, program.secret, "marked-wrong-word"))
