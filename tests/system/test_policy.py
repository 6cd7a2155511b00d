"""A policy is published, watched, shown and taken back by commands, with a server and without one."""

import json
import sqlite3
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
    assert "no server runs" in run("shadow", "start", policy, code=1)
    assert "bundle 0 is in force, as bundle 2" in run("rollback", 0)
    assert len(json.loads(run("key", "rotate", "--json"))) == 2
    with serving(data, "--require-isolation", "none") as server, server.client() as client:
        assert client.get(f"{GUEST}/packages").status_code == 200
        told = server.status()["policy"]
        assert (told["bundle"], told["newest"], told["problems"]) == (2, 2, "none")


def test_a_server_does_not_start_without_a_good_policy_where_one_was_published(tmp_path: Path) -> None:
    data, policy = tmp_path / "data", tmp_path / "site.yaml"
    policy.write_text(SITE)
    with serving(data, "--require-isolation", "none"):
        assert rambla("policy", "publish", policy, "--data", data).returncode == 0
    (data / "policy.last").unlink()
    with sqlite3.connect(data / "catalog.sqlite3") as database:
        database.execute("UPDATE bundles SET summary = replace(summary, 'operator', 'somebody')")
    database.close()
    refused = rambla("serve", "--data", data, "--listen", "127.0.0.1:0", "--require-isolation", "none")
    assert refused.returncode == 1
    assert "bundle 1:0:0: it was changed" in refused.stderr.splitlines()[-1]
    assert rambla("policy", "rollback", "1", "--data", data).returncode == 1
    assert rambla("policy", "publish", policy, "--data", data).returncode == 0
    with serving(data, "--require-isolation", "none") as server, server.client() as client:
        assert client.get(f"{GUEST}/packages").status_code == 403
