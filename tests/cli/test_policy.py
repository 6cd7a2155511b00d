"""What a policy means is told from its files, without a platform, in words and as JSON, with exit codes for CI."""

import json
import re
import textwrap
from pathlib import Path

import pytest

from rambla.cli import main
from rambla.cli.policy import texts_of
from rambla.policy.language.schema import SCHEMA

SITE = """\
layer: site
roles:
  helper: {may: [action:invoke]}
rules:
  trigger:fire:
    mode: extend
    deny: caller.source == "partner"
"""
TESTS = """\
people:
  ada: {roles: [helper]}
targets:
  shared: {namespace: other, shared: true}
tests:
  - [ada, may, action:invoke, guest/a]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "site.yaml").write_text(SITE.replace("    mode: extend\n", ""))
    (tmp_path / "tests" / "site.yaml").write_text(TESTS)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main.run(["policy", *map(str, arguments)])
    return code, *capsys.readouterr()


def change(folder: Path, old: str, new: str, name: str = "site.yaml") -> None:
    path = folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_tests_that_pass_and_tests_that_fail_are_told_with_exit_codes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "test", folder) == (0, "1 tests passed\n", "")
    change(folder, "action:invoke", "action:read", "tests/site.yaml")
    code, out, err = run(capsys, "test", folder)
    assert (code, out) == (1, "")
    assert "tests/site.yaml:6:5: 'ada may action:read guest/a' is not so: denied by defaults/deny" in err
    code, out, _ = run(capsys, "test", folder, "--json")
    assert (code, json.loads(out)["tests"], len(json.loads(out)["failed"])) == (1, 1, 1)


def test_a_broken_policy_is_a_line_for_each_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "helper:", "helper: {may: x*}\n  other:")
    change(folder, "partner", 'partner" and "')
    for command in (("lint", folder), ("test", folder), ("diff", folder, folder), ("what-can", "ada", "-f", folder)):
        code, out, err = run(capsys, *command)
        assert (code, out) == (1, "")
        assert "site.yaml:3:" in err
        assert len([line for line in err.splitlines() if "site.yaml:" in line]) == 2


def test_lint_tells_what_never_decides_and_what_nobody_asks_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "lint", folder) == (0, "nothing to tell\n", "")
    change(folder, "[action:invoke]", "[action:invoke, action:raed]")
    change(folder, "trigger:fire:", "trigger:list: {mode: extend, allow: rule owner}\n  trigger:fire:")
    code, _, err = run(capsys, "lint", folder)
    assert code == 1
    assert "no endpoint asks for 'action:raed': perhaps 'action:read' is meant" in err
    assert "site, line 5: 'owner' never decides" in err
    assert len(json.loads(run(capsys, "lint", folder, "--json")[1])) == 2


def test_coverage_tells_the_lines_that_no_test_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "coverage", folder)
    assert code == 0
    assert "trigger:fire" in out
    assert out.endswith("50 % of 2\n")
    code, out, _ = run(capsys, "coverage", folder, "--min", 51, "--json")
    assert (code, json.loads(out)) == (1, {"percent": 50, "never": ["site:6 trigger:fire"]})


def test_an_explanation_names_layer_and_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explain", "ada", "action:invoke", "guest/a", "-f", folder)
    assert code == 0
    assert out.endswith("so: allowed by role helper (site, line 3)\n")
    code, out, _ = run(
        capsys, "explain", "joe", "action:read", "shared", "-f", folder, "-c", "namespace", "x", "--json"
    )
    assert json.loads(out)["decision"]["rule"] == "shared-package"
    _, out, _ = run(capsys, "explain", "x", "trigger:fire", "a/t", "-f", folder, "-c", "source", "partner")
    assert out.endswith("so: denied by trigger:fire (site, line 6)\n")


def test_who_can_and_what_can_tell_every_case(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "who-can", "action:invoke", "guest/a", "-f", folder)
    assert code == 0
    assert "not namespace-admin and not identity-admin and helper" in out.splitlines()
    code, out, _ = run(capsys, "what-can", "ada", "-f", folder)
    assert code == 0
    assert any(line.split() == ["action:invoke", "any", "target"] for line in out.splitlines())
    _, out, _ = run(capsys, "what-can", "joe", "-f", folder, "-r", "helper", "-r", "namespace-admin", "--json")
    assert "action:invoke" not in {one["permission"] for one in json.loads(out)}


def test_a_difference_is_every_decision_that_changes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yml"
    other.write_text(SITE.replace("    mode: extend\n", "").replace("action:invoke", "usage:read"))
    old = folder / "site.yaml"
    assert run(capsys, "diff", old, old, "--exit-code") == (0, "no decision changes\n", "")
    code, out, _ = run(capsys, "diff", old, other, "--exit-code")
    assert code == 1
    assert [line for line in out.splitlines() if ":" in line and line[0] not in "+- "] == [
        "action:invoke",
        "usage:read",
    ]
    code, out, _ = run(capsys, "diff", old, other, "--json")
    assert code == 0
    assert {one["permission"]: bool(one["gained"]) for one in json.loads(out)} == {
        "action:invoke": False,
        "usage:read": True,
    }


def test_a_policy_of_openstack_is_written_as_a_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policy.yaml").write_text('"server:list": "role:reader and project_id:%(project_id)s"\n')
    code, out, _ = run(capsys, "convert", tmp_path / "policy.yaml")
    assert code == 0
    assert "server:list: reader and caller.project_id same as target.project_id" in out
    (tmp_path / "policy.yaml").write_text('"server:list": "not rol:reader"\n')
    code, _, err = run(capsys, "convert", tmp_path / "policy.yaml", "--strict")
    assert code == 1
    assert "policy.yaml:1:" in err


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "schema")[1]) == SCHEMA


def test_the_files_of_a_folder_are_its_layers_and_not_its_tests(folder: Path) -> None:
    (folder / "domains").mkdir()
    (folder / "domains" / "a.yml").write_text("layer: domain\n")
    (folder / "README.md").write_text("no layer")
    assert list(texts_of([folder])) == ["domains/a.yml", "site.yaml"]


def test_what_cannot_be_a_policy_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    for arguments, text in (
        (("lint", tmp_path), "is not UTF-8"),
        (("publish", tmp_path / "absent"), "does not exist"),
        (("diff", "nowhere", "0"), "neither a folder, nor a file, nor the number"),
        (("diff", "1", "2", "--data", tmp_path), "Fix: rambla serve"),
    ):
        code, out, err = run(capsys, *arguments)
        assert (code > 0, out, err.count("\n")) == (True, "", 1)
        assert text in err
    (tmp_path / "x.yaml").unlink()
    assert "no file that ends with .yaml" in run(capsys, "lint", tmp_path)[2]


def test_the_policy_of_the_how_to_is_as_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md").read_text(encoding="utf-8")
    layer, table = (textwrap.dedent(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    (tmp_path / "tests").mkdir()
    (tmp_path / "site.yaml").write_text(layer)
    (tmp_path / "tests" / "site.yaml").write_text(table)
    assert run(capsys, "lint", tmp_path) == (0, "nothing to tell\n", "")
    assert run(capsys, "test", tmp_path) == (0, "3 tests passed\n", "")
