"""What a policy says to OpenStack's services is told from its files, as what it says of the platform."""

import json
import sys
from pathlib import Path

import pytest

from rambla.app.folder import DataFolder
from rambla.cli import main
from servicekit import FILES, POLICY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "policy", FILES)


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, Path]:
    """The options that name a data folder, on which no server runs."""
    with DataFolder(tmp_path / "data") as folder:
        folder.secret("operator.token")
    return "--data", tmp_path / "data"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main.run(["policy", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_service_is_explained_by_its_own_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("explain", "u1", "identity:list_users", "p1", "-f", folder, "--service", "keystone")
    code, out, _ = run(capsys, *asked, "-r", "auditor", "-c", "system_scope", "all")
    last = "so: allowed by identity:list_users (openstack/keystone/policy.d/10-auditors.yaml, line 1)"
    assert (code, out.splitlines()[-1]) == (0, last)
    code, out, _ = run(capsys, *asked, "--json")
    assert (code, json.loads(out)["decision"]["allowed"]) == (0, False)
    code, _, err = run(capsys, "explain", "u1", "x", "p1", "-f", folder, "--service", "nova")
    assert (code, err) == (1, "rambla: The policy has no files of the service 'nova'.\n")


def test_who_may_and_what_somebody_may_is_told_of_a_service(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of_keystone = ("-f", folder, "--service", "keystone")
    _, out, _ = run(capsys, "who-can", "identity:revoke_token", "p1", *of_keystone)
    assert out == "manager\n"
    _, out, _ = run(capsys, "what-can", "u1", "-r", "manager", *of_keystone)
    assert "identity:revoke_token" in out
    assert "identity:list_users" not in out


def test_a_difference_is_that_of_the_service_that_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write(tmp_path / "other", {**FILES, "openstack/ironic.api/policy.yaml": '"baremetal:node:get": "!"\n'})
    assert run(capsys, "diff", folder, other, "--exit-code") == (0, "no decision changes\n", "")
    assert run(capsys, "diff", folder, other, "--service", "keystone", "--exit-code")[0] == 0
    code, out, _ = run(capsys, "diff", folder, other, "--service", "ironic.api", "--exit-code")
    assert (code, out.splitlines()[:2]) == (1, ["baremetal:node:get", "- reader"])


def test_publishing_testing_and_linting_take_the_files_of_services_along(
    folder: Path, data: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "publish", folder, *data)[0] == 0
    _, out, _ = run(capsys, "show", 1, *data, "--json")
    assert json.loads(out)["files"] == FILES
    assert run(capsys, "diff", 1, folder, "--service", "keystone", *data)[1] == "no decision changes\n"
    assert run(capsys, "lint", folder) == (0, "nothing to tell\n", "")
    assert run(capsys, "test", folder)[0] == 0
    (folder / "openstack/keystone/policy.yaml").write_text(POLICY.replace("list_users", "list_usrs"))
    for command in (("publish", folder, *data), ("lint", folder), ("test", folder)):
        code, _, err = run(capsys, *command)
        assert code == 1
        assert "openstack/keystone/policy.yaml:1:1: there is no rule 'identity:list_usrs'" in err


def test_a_fleet_that_nobody_reported_is_empty(data: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "fleet", *data) == (
        0,
        "no host has reported a daemon\nbundle 0 is in force for 0 of 0 daemons\n",
        "",
    )
    assert run(capsys, "fleet", "--check", *data)[0] == 0
    assert run(capsys, "fleet", "--forget", "h1", *data)[0] == 1


def test_what_a_service_registers_is_asked_in_its_own_environment(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "openstack", "no-service", "--python", sys.executable)
    assert (code, out) == (1, "")
    assert err.startswith("rambla: no service 'no-service' is installed here")
