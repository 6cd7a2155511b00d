"""The command line against a real server."""

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from system.running import Running, rambla, serving

pytestmark = pytest.mark.system
Run = Callable[..., str]
GREET = "def main(args):\n    print('greeting')\n    return {'hello': args.get('name', 'you')}\n"
FAIL = "def main(args):\n    return {'error': 'no luck'}\n"


@pytest.fixture
def run(server: Running) -> Run:
    """A command that must succeed, on the server's data; its stdout."""

    def succeed(*arguments: str | Path) -> str:
        done = rambla(*arguments, "--data", server.data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return succeed


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def greet(run: Run, name: str, tmp_path: Path) -> str:
    (tmp_path / "greet.py").write_text(GREET)
    run("action", "create", name, tmp_path / "greet.py", "--kind", "python:3", "--param", "name", "street")
    return name


def records(text: str) -> Any:
    return json.loads(text)


def test_an_action_is_made_listed_shown_changed_and_deleted(run: Run, greet: str) -> None:
    assert greet in run("action", "list")
    assert "python:3" in run("action", "get", greet)
    assert run("action", "get", greet, "--code") == GREET
    assert "0.0.2" in run("action", "update", greet, "--memory", "128")
    assert records(run("action", "get", greet, "--json"))["limits"]["memory"] == 128
    run("action", "delete", greet)
    assert greet not in run("action", "list")


def test_an_invoke_prints_the_result_the_record_or_the_id(run: Run, greet: str) -> None:
    assert records(run("action", "invoke", greet, "--result")) == {"hello": "street"}
    assert records(run("action", "invoke", greet, "-r", "-p", "name", "[1]")) == {"hello": [1]}
    assert records(run("action", "invoke", greet, "--blocking"))["response"]["status"] == "success"
    assert len(run("action", "invoke", greet).strip()) == 32


def test_an_activation_is_found_with_its_logs_and_result(run: Run, greet: str) -> None:
    activation_id = records(run("action", "invoke", greet, "--blocking"))["activationId"]
    assert activation_id in run("activation", "list", greet)
    assert "stdout: greeting" in run("activation", "logs", activation_id)
    assert records(run("activation", "result", activation_id)) == {"hello": "street"}
    assert "stdout: greeting" in run("activation", "get", activation_id)


def test_a_failed_invoke_prints_its_record_and_one_line(run: Run, server: Running, name: str, tmp_path: Path) -> None:
    (tmp_path / "fail.py").write_text(FAIL)
    run("action", "create", name, tmp_path / "fail.py", "--kind", "python:3")
    done = rambla("action", "invoke", name, "--blocking", "--data", server.data)
    assert done.returncode == 1
    assert records(done.stdout)["response"]["result"] == {"error": "no luck"}
    assert done.stderr == "rambla: no luck\n"


def test_a_folder_is_an_action(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import helper\ndef main(args):\n    return helper.answer()\n")
    (tmp_path / "helper.py").write_text("def answer():\n    return {'answer': 42}\n")
    run("action", "create", name, tmp_path, "--kind", "python:3")
    assert records(run("action", "invoke", name, "--result")) == {"answer": 42}


def test_a_fired_trigger_runs_the_action_of_an_active_rule_only(run: Run, greet: str) -> None:
    run("trigger", "create", f"{greet}-t")
    assert run("trigger", "fire", f"{greet}-t") == ""
    run("rule", "create", f"{greet}-r", f"{greet}-t", greet)
    assert len(run("trigger", "fire", f"{greet}-t", "-p", "name", "x").strip()) == 32
    assert "inactive" in run("rule", "disable", f"{greet}-r")
    assert records(run("rule", "get", f"{greet}-r", "--json"))["status"] == "inactive"
    run("rule", "enable", f"{greet}-r")
    for kind, suffix in (("rule", "-r"), ("trigger", "-t")):
        assert f"{greet}{suffix}" in run(kind, "list")
        run(kind, "delete", f"{greet}{suffix}")


def test_actions_lie_in_packages(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(GREET)
    run("package", "create", name, "-p", "name", "package")
    run("action", "create", f"{name}/greet", tmp_path / "greet.py", "--kind", "python:3")
    assert records(run("action", "invoke", f"{name}/greet", "--result")) == {"hello": "package"}
    assert name in run("package", "list")


def test_a_sequence_is_made_of_actions(run: Run, server: Running, greet: str) -> None:
    run("action", "create", f"{greet}-s", "--sequence", f"{greet}, /guest/{greet}")
    assert records(run("action", "invoke", f"{greet}-s", "--result")) == {"hello": "street"}
    assert "sequence" in run("action", "list")
    done = rambla("action", "create", f"{greet}-x", "--data", server.data)
    assert (
        done.stderr == "rambla: there is no code. Fix: name a file, a folder or a zip, or give --docker or --sequence\n"
    )


def test_a_package_is_shared_and_bound(run: Run, server: Running, name: str, tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(GREET)
    run("package", "create", name, "--shared", "-p", "name", "provider")
    run("action", "create", f"{name}/greet", tmp_path / "greet.py")
    assert "bound" in run("package", "bind", f"/guest/{name}", f"{name}-b", "-p", "name", "binding")
    assert records(run("action", "invoke", f"{name}-b/greet", "--result")) == {"hello": "binding"}
    row = next(line for line in run("package", "list").splitlines() if f"{name}-b " in line)
    assert f"guest/{name} " in row
    assert records(run("package", "update", name, "--private", "--json"))["publish"] is False
    done = rambla("package", "bind", "/guest/a/b", "c", "--data", server.data)
    assert (done.returncode, done.stderr) == (
        1,
        "rambla: /guest/a/b is no package. Fix: write NAME, or /NAMESPACE/NAME\n",
    )


def test_making_what_exists_is_refused_and_changes_nothing(
    run: Run, server: Running, greet: str, tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text(FAIL)
    done = rambla("action", "create", greet, tmp_path / "other.py", "--kind", "python:3", "--data", server.data)
    assert (done.returncode, done.stderr) == (1, "rambla: resource already exists\n")
    assert run("action", "get", greet, "--code") == GREET


def test_watching_prints_what_ends_meanwhile_and_stops_quietly(run: Run, server: Running, greet: str) -> None:
    command = [sys.executable, "-m", "rambla.cli", "activation", "watch", greet, "--every", "0.1", "--json"]
    with subprocess.Popen(
        [*command, "--data", server.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert watch.stderr.readline().startswith("watching")
        activation_id = records(run("action", "invoke", greet, "--blocking"))["activationId"]
        assert records(watch.stdout.readline())["activationId"] == activation_id
        watch.send_signal(signal.SIGINT)
        assert watch.wait(30) == 130
        assert "Traceback" not in watch.stderr.read()


def test_status_tells_the_isolation_level(run: Run) -> None:
    assert records(run("status", "--json"))["isolation"] in ("none", "limited", "restricted", "sandboxed")
    assert "isolation" in run("status")


def test_namespaces_have_keys_of_their_own(run: Run, server: Running, name: str) -> None:
    run("namespace", "create", name)
    first = run("key", name).strip()
    assert first.count(":") == 1
    assert name in run("namespace", "list")
    rotated = run("key", name, "--rotate").strip()
    assert rotated != first
    assert rambla("action", "list", "--apihost", server.url, "--auth", first).returncode == 1
    assert rambla("action", "list", "--apihost", server.url, "--auth", rotated).returncode == 0
    run("namespace", "delete", name, "--yes")
    assert rambla("action", "list", "--apihost", server.url, "--auth", rotated).returncode == 1


def test_a_namespace_has_limits_that_the_operator_sets(run: Run, server: Running, name: str) -> None:
    run("namespace", "create", name)
    run("namespace", "limits", name, "--fires-per-minute", "7", "--allowed-kind", "python:3", "--no-store-activations")
    shown = json.loads(run("namespace", "limits", name, "--json"))
    assert (shown["firesPerMinute"], shown["allowedKinds"], shown["storeActivations"]) == (7, ["python:3"], False)
    assert "firesPerMinute" in run("namespace", "limits", name, "--all-kinds")
    shown = json.loads(run("namespace", "limits", name, "--reset", "--max-action-memory", "256", "--json"))
    assert (shown["firesPerMinute"], shown["maxActionMemory"], "allowedKinds" in shown) == (600_000, 256, False)


def test_audit_and_usage_are_the_namespaces_own(run: Run, greet: str) -> None:
    run("action", "invoke", greet, "--blocking")
    assert any(entry["target"].endswith(greet) for entry in records(run("audit", "list", "--limit", "200", "--json")))
    assert run("usage")


def test_a_namespace_can_be_tended_while_no_server_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--object-store", "none"):
        online = rambla("key", "guest", "--data", data).stdout
    assert rambla("key", "guest", "--data", data).stdout == online
    assert rambla("namespace", "create", "late", "--data", data).returncode == 0
    with serving(data, "--object-store", "none"):
        assert "late" in rambla("namespace", "list", "--data", data).stdout


def test_a_second_server_on_a_folder_refuses_with_the_fix(server: Running) -> None:
    done = rambla("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--object-store", "none")
    assert done.returncode == 1
    assert "Another Rambla already runs on" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_a_server_with_exit_code_0(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--object-store", "none") as served:
        served.process.terminate()
        assert served.process.wait(60) == 0


def test_the_index_can_be_rebuilt(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--object-store", "none"):
        before = rambla("audit", "list", "--json", "--data", data).stdout
    assert "indexed" in rambla("rebuild", "--data", data).stdout
    with serving(data, "--object-store", "none"):
        after = rambla("audit", "list", "--json", "--limit", "200", "--data", data).stdout
    assert all(entry in records(after) for entry in records(before) if entry["status"])


def test_a_trigger_with_a_feed_is_made_shown_changed_and_deleted(run: Run, server: Running, name: str) -> None:
    cron = ("--param", "cron", "0 0 1 1 *", "--param", "trigger_payload", '{"a": 1}')
    run("trigger", "create", name, "--feed", "/whisk.system/alarms/alarm", *cron)
    assert "/whisk.system/alarms/alarm" in run("trigger", "list")
    shown = records(run("trigger", "get", name, "--json"))
    assert shown["feed"]["config"]["cron"] == "0 0 1 1 *"
    assert shown["feed"]["config"]["payload"] == {"a": 1}
    assert shown["parameters"] == []
    run("trigger", "update", name, "--param", "cron", "0 0 2 2 *")
    run("trigger", "update", name, "--annotation", "for", "us")
    shown = records(run("trigger", "get", name, "--json"))
    assert shown["feed"]["config"]["cron"] == "0 0 2 2 *"
    assert {each["key"] for each in shown["annotations"]} == {"feed", "for"}
    assert "feed.status.active" in run("trigger", "get", name)
    run("trigger", "delete", name)
    assert rambla("trigger", "get", name, "--data", server.data).returncode == 1


def test_a_trigger_whose_feed_refuses_is_not_left_behind(server: Running, name: str) -> None:
    done = rambla(
        "trigger", "create", name, "--feed", "/whisk.system/alarms/alarm", "--param", "cron", "x", "--data", server.data
    )
    assert (done.returncode, done.stderr) == (
        1,
        "rambla: the feed /whisk.system/alarms/alarm refuses: cron pattern 'x' is not valid\n",
    )
    assert rambla("trigger", "get", name, "--data", server.data).returncode == 1


def test_the_systems_actions_run_for_everybody(run: Run, server: Running) -> None:
    invoke = ("action", "invoke", "--result")
    assert records(run(*invoke, "/whisk.system/utils/sort", "-p", "lines", "[3, 1]")) == {"lines": [1, 3], "length": 2}
    assert records(run(*invoke, "/whisk.system/utils/namespace")) == {"namespace": "guest"}
    address = records(run(*invoke, "/whisk.system/utils/hosturl", "-p", "path", "a"))
    assert address == {"url": f"{server.url}/api/v1/namespaces/guest/actions/a"}
    assert "echo" in run("package", "get", "/whisk.system/utils")
