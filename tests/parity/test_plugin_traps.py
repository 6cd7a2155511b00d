"""Whatever happens to the files on a host, what the check allows is what the platform published last."""

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from parity import openstack
from parity.host import Host, in_bundle, now_ms
from policy_host import ROOT, Publisher
from rambla.policy.oslo.book import RuleDefault

HOUR_MS = 3_600_000
Damage = Callable[[Host, bytes], bytes]


def policy(role: str) -> dict[str, str]:
    """Readers may `show`, or others."""
    return in_bundle("nova", [RuleDefault("show", f"role:{role}")])


@pytest.fixture
def reading(host: Host) -> Host:
    """Bundle 1 is in force, and lets readers show."""
    host.bring(policy("reader"))
    host.load("nova", ["show"])
    assert host.allows("nova", "show")
    return host


def changed(name: str, value: object) -> Damage:
    return lambda _, data: json.dumps({**json.loads(data), name: value}).encode()


def by_another(host: Host, data: bytes) -> bytes:
    stranger = Publisher(host.folder / "stranger")
    return stranger.bundle(host.number + 1, policy("admin"))


def with_anothers_signature(host: Host, data: bytes) -> bytes:
    stranger = json.loads(by_another(host, data))
    return json.dumps({**json.loads(data), "signature": stranger["signature"]}).encode()


DAMAGES: dict[str, Damage] = {
    "torn": lambda _, data: data[: len(data) // 2],
    "empty": lambda _, data: b"",
    "no object": lambda _, data: b"[1]",
    "deep": lambda _, data: b"[" * 100_000,
    "another number": changed("number", 1000),
    "another time": changed("at_ms", 1),
    "another author": changed("author", "you"),
    "another text": changed("files", [["openstack/nova/defaults.yaml", "[]"]]),
    "another hash": changed("hash", "0" * 64),
    "no text": changed("note", 7),
    "a lone surrogate": changed("note", "\ud800"),
    "no signature": changed("signature", ""),
    "a key not pinned": by_another,
    "the pinned key's name on another's signature": with_anothers_signature,
    "too large": lambda _, data: data + b" " * 2**24,
    "no list": lambda host, _: host.next({"openstack/nova/defaults.yaml": "no: list"}),
    "no YAML": lambda host, _: host.next({**policy("admin"), "openstack/nova/policy.yaml": "{"}),
    "no mapping": lambda host, _: host.next({**policy("admin"), "openstack/nova/policy.yaml": "- a"}),
    "a file of no service": lambda host, _: host.next({**policy("admin"), "openstack/nova/x": ""}),
    "defaults missing": lambda host, _: host.next({"openstack/nova/policy.yaml": "show: '!'"}),
    "its own question": lambda host, _: host.next(in_bundle("nova", [RuleDefault("show", "not rambla:nova")])),
    "a lower number": lambda host, _: host.bundle(policy("admin"), host.number - 1),
    "another of the same number": lambda host, _: host.bundle(policy("admin"), host.number),
}


def test_what_is_broken_forged_or_older_leaves_the_last_good_policy_in_force(reading: Host) -> None:
    for name, damage in DAMAGES.items():
        reading.put(damage(reading, reading.next(policy("admin"))))
        assert reading.allows("nova", "show"), name
        assert not reading.allows("nova", "show", "admin"), name
        reading.bring(policy("admin"))
        assert reading.allows("nova", "show", "admin"), name
        reading.bring(policy("reader"))
        assert reading.allows("nova", "show"), name


def test_without_a_policy_nothing_is_allowed_and_it_is_found_as_soon_as_it_is_there(host: Host) -> None:
    host.load("nova", ["show"])
    assert not host.allows("nova", "show")
    host.put(b"torn")
    assert not host.allows("nova", "show")
    host.bring(policy("reader"))
    assert host.allows("nova", "show")
    host.bring(in_bundle("glance", [RuleDefault("show", "@")]))
    assert not host.allows("nova", "show"), "the newest bundle says nothing to nova"


def test_a_file_that_vanished_leaves_the_last_good_policy_in_force(reading: Host) -> None:
    (reading.folder / "bundle.json").unlink()
    assert reading.allows("nova", "show")
    (reading.folder / "policy.conf").unlink()
    assert reading.allows("nova", "show")


def test_a_configuration_that_is_broken_leaves_the_one_before_in_force(reading: Host) -> None:
    (reading.folder / "policy.conf").write_text("[policy]\ntrusted_keys = none\n")
    reading.bring(policy("admin"))
    assert reading.allows("nova", "show", "admin")


def test_a_policy_of_which_nobody_said_for_too_long_that_it_is_the_newest_allows_nothing(host: Host) -> None:
    host.set(max_age_s=600)
    host.load("nova", ["show"])
    bundle = host.bundle(policy("reader"), 1, at_ms=now_ms() - HOUR_MS)
    host.put(bundle)
    assert not host.allows("nova", "show"), "it was published an hour ago, and nothing was heard since"
    host.put(host.publisher.statement(bundle, now_ms()), "newest.json")
    assert host.allows("nova", "show")
    host.put(host.publisher.statement(bundle, now_ms() - HOUR_MS), "newest.json")
    assert host.allows("nova", "show"), "an old statement takes nothing back"
    host.set(max_age_s=0.001)
    assert not host.allows("nova", "show")
    host.set(max_age_s=0)
    assert host.allows("nova", "show")


@pytest.mark.parametrize("kind", ["of another bundle", "by another", "torn"])
def test_only_a_statement_that_is_signed_and_names_this_policy_makes_it_younger(host: Host, kind: str) -> None:
    host.set(max_age_s=600)
    host.load("nova", ["show"])
    bundle = host.bundle(policy("reader"), 1, at_ms=now_ms() - HOUR_MS)
    host.put(bundle)
    statements = {
        "of another bundle": host.publisher.newest(2, json.loads(bundle)["hash"], now_ms()),
        "by another": Publisher(host.folder / "stranger").statement(bundle, now_ms()),
        "torn": host.publisher.statement(bundle, now_ms())[:-20],
    }
    host.put(statements[kind], "newest.json")
    assert not host.allows("nova", "show")


def test_a_statement_that_came_before_its_bundle_counts_when_the_bundle_is_there(host: Host) -> None:
    host.set(max_age_s=600)
    host.load("nova", ["show"])
    bundle = host.bundle(policy("reader"), 1, at_ms=now_ms() - HOUR_MS)
    host.put(host.publisher.statement(bundle, now_ms()), "newest.json")
    assert not host.allows("nova", "show")
    host.put(bundle)
    assert host.allows("nova", "show")


def test_keys_are_pinned_and_taken_away_while_the_daemon_runs(reading: Host) -> None:
    old, new = reading.publisher, Publisher(reading.folder / "new")
    second = new.bundle(2, policy("admin"))
    reading.put(second)
    assert reading.allows("nova", "show")
    reading.set(old.key, new.key)
    assert reading.allows("nova", "show", "admin")
    reading.set(new.key)
    reading.put(old.bundle(3, policy("reader")))
    assert not reading.allows("nova", "show"), "the old key is trusted no more"


ENFORCERS = """
import logging, os, sys, threading, time
from pathlib import Path
from oslo_config import cfg
from oslo_policy import policy
from rambla_openstack.policy import folder
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
conf = cfg.ConfigOpts()
conf([], project="x", default_config_files=[], default_config_dirs=[])
def enforcer():
    made = policy.Enforcer(conf)
    made.register_default(policy.RuleDefault("show", "rambla:nova"))
    return made
def may(made, role):
    return made.enforce("show", {}, {"roles": [role]})
path = Path(os.environ["RAMBLA_POLICY_CONF"]).with_name("bundle.json")
"""


def run_in_a_daemon(host: Host, program: str) -> str:
    paths = {"PYTHONPATH": f"{ROOT / 'src'}:{host.folder / 'site'}", "RAMBLA_POLICY_CONF": f"{host.folder}/policy.conf"}
    command = [openstack.PYTHON, "-W", "ignore", "-c", ENFORCERS + program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **paths})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_threads_decide_by_the_old_policy_or_the_new_one_while_many_come(host: Host) -> None:
    roles = ["reader", "admin"]
    for number in range(1, 41):
        host.put(host.bundle(policy(roles[number % 2]), number), f"next-{number}")
    program = """
wrong, ended = [], threading.Event()
os.replace(path.with_name("next-1"), path)
def decide():
    while not ended.is_set():
        made = enforcer()
        answers = [may(made, "reader"), may(made, "admin")]
        if not any(answers) and not any([may(made, "reader"), may(made, "admin")]):
            wrong.append(answers)
threads = [threading.Thread(target=decide) for _ in range(6)]
for thread in threads:
    thread.start()
for number in range(2, 41):
    os.replace(path.with_name(f"next-{number}"), path)
    time.sleep(0.01)
ended.set()
for thread in threads:
    thread.join()
made = enforcer()
print("result", wrong, may(made, "reader"), may(made, "admin"))
"""
    assert run_in_a_daemon(host, program).splitlines()[-1] == "result [] True False"


def test_a_child_decides_and_follows_though_a_thread_of_its_parent_was_taking_a_policy_over(host: Host) -> None:
    """The thread is not there in the child, and so never lets go."""
    host.put(host.bundle(policy("reader"), 1), "next-1")
    host.put(host.bundle(policy("admin"), 2), "next-2")
    program = """
os.replace(path.with_name("next-1"), path)
made = enforcer()
assert may(made, "reader")
held, ended = threading.Event(), threading.Event()
def hold():
    with folder.CURRENT._lock:
        held.set()
        ended.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
if not (child := os.fork()):
    os.replace(path.with_name("next-2"), path)
    os._exit(0 if may(made, "admin") and not may(made, "reader") else 1)
code = os.waitpid(child, 0)[1]
ended.set()
thread.join()
print("result", code)
"""
    assert run_in_a_daemon(host, program).splitlines()[-1] == "result 0"


def test_a_problem_is_logged_once_and_its_end_too(host: Host) -> None:
    host.bring(policy("reader"))
    host.put(host.publisher.statement((host.folder / "bundle.json").read_bytes(), now_ms()), "newest.json")
    program = """
made, good = enforcer(), path.read_bytes()
for text in (good, good[:-1], good[:-1], good):
    path.write_bytes(text)
    assert [may(made, "reader") for _ in range(3)] == [True] * 3
"""
    said = [line for line in run_in_a_daemon(host, program).splitlines() if "rambla:" in line]
    path = host.folder / "bundle.json"
    assert said == [
        "INFO rambla: bundle 1 is in force",
        f"ERROR rambla: {path}: it is no JSON; what was read before stays in force",
        f"INFO rambla: {path}: it is well again",
    ]
