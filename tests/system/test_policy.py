"""A policy is published, watched, shown and taken back by commands, with a server and without one."""

import json
from pathlib import Path

import pytest

from system.running import GUEST, rambla, serving

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SITE = 'layer: site\nrules:\n  package:list: {mode: extend, deny: caller.source == "key"}\n'


def test_the_life_of_a_policy(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "policy"
    policy.mkdir()
    (policy / "site.yaml").write_text(SITE)

    def run(*arguments: object, code: int = 0) -> str:
        done = rambla("policy", *map(str, arguments), "--data", data)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    with serving(data, "--require-isolation", "none") as server, server.client() as client:
        assert client.get(f"{GUEST}/packages").status_code == 200
        run("shadow", "start", policy)
        client.get(f"{GUEST}/packages")
        assert "1 of " in run("shadow", "stop")
        assert "nothing decides in the shadow" in run("shadow", "status", code=1)
        found = json.loads(run("diff", 0, policy, "--journal", 1, "--json"))
        assert [(one["permission"], one["times"]) for one in found["differences"]] == [("package:list", 2)]
        assert "would be accepted as bundle 1" in run("publish", policy, "--dry-run")
        assert "in force, as bundle 1" in run("publish", policy, "--note", "no lists")
        assert client.get(f"{GUEST}/packages").status_code == 403
        assert "no lists" in run("history")
        assert SITE in run("show", 1)
        assert "so: denied by package:list (site, line 3)" in run("explain", "x", "package:list", "guest/")
        assert run("diff", 1, policy) == "no decision changes\n"
        (policy / "site.yaml").write_text(SITE + "rulez: {}\n")
        assert "site.yaml:4:8: 'rulez' has no meaning here" in run("publish", policy, code=1)
        (policy / "site.yaml").write_text("layer: site\nrules: {policy:publish: nobody}\n")
        assert "--force" in run("publish", policy, code=1)
    assert "bundle 0 is in force, as bundle 2" in run("rollback", 0)
    assert len(json.loads(run("key", "rotate", "--json"))) == 2
    with serving(data, "--require-isolation", "none") as server, server.client() as client:
        assert client.get(f"{GUEST}/packages").status_code == 200
        assert server.status()["policy"] == {"bundle": 2, "problems": "none"}
