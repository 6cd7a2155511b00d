"""The check `rambla:` inside a real oslo.policy, beside the same oslo.policy with the same files."""

import itertools
import os
import random
import subprocess
from collections.abc import Iterator

import pytest

from parity import generate, openstack
from parity.compare import CHUNK
from parity.host import Host, asking, in_bundle
from parity.openstack import Request, ServiceRule
from policy_host import ROOT
from rambla.policy.oslo import registered
from rambla.policy.oslo.book import Deprecated, RuleDefault, book
from rambla.policy.oslo.load import load

REQUESTS = 30_000
LAYERS = {
    "policy.yaml": "default: role:auditor\nown_rule: user_id:%(user_id)s and not rule:admin_required\n",
    "policy.d/10-own.yaml": "identity:list_users: rule:own_rule or http_is_not_asked:%(x)s\n",
    "policy.d/20-late.yaml": "own_rule: '!'\nadmin_required: role:admin and not role:reader\n",
}
OLD = [RuleDefault("new", "role:admin", ("project",), Deprecated("old", "role:Member"))]


def spread(defaults: list[RuleDefault], layers: dict[str, str], choice: random.Random) -> Iterator[Request]:
    made = load(layers, defaults)
    names = [*made.permissions, "not_registered_anywhere"]
    terms = {name: made.rules.terms.get(name, made.rules.terms[made.permissions[0]]) for name in names}
    streams = [generate.requests(name, generate.atoms(terms[name], made.rules), choice) for name in names]
    while True:
        for stream in streams:
            yield next(stream)


def differences(host: Host, requests: Iterator[Request]) -> tuple[list[str], int]:
    found, allowed = [], 0
    while chunk := list(itertools.islice(requests, CHUNK)):
        wanted, ours = host.daemon.decisions("plain", chunk), host.daemon.decisions("asking", chunk)
        found += [f"{each}: {was} {now}" for each, was, now in zip(chunk, wanted, ours, strict=True) if was != now]
        allowed += sum(answer is True for answer in ours)
    return found[:5], allowed


def rules_of(host: Host, service: str) -> list[RuleDefault]:
    found: list[ServiceRule] = openstack.service_rules(host.daemon, openstack.FEW)[service]
    return [rule.default for rule in found]


@pytest.mark.parametrize("service", openstack.FEW)
@pytest.mark.parametrize("layers", [{}, LAYERS], ids=["defaults", "layers"])
def test_the_check_decides_as_oslo_policy_does_with_the_same_files(
    host: Host, service: str, layers: dict[str, str]
) -> None:
    defaults = rules_of(host, service)
    host.bring(in_bundle(service, defaults, layers))
    names = load(layers, defaults).permissions
    assert host.daemon.load("plain", defaults, layers) is True
    assert host.daemon.load("asking", defaults, asking(service, names)) is True
    asked = itertools.islice(spread(defaults, layers, random.Random(11)), REQUESTS // 6)
    found, allowed = differences(host, asked)
    assert found == []
    assert REQUESTS // 100 < allowed < REQUESTS // 6


@pytest.mark.parametrize("new_defaults", [True, False])
@pytest.mark.parametrize("layers", [{}, {"policy.yaml": "old: role:reader\n"}])
def test_a_rule_that_had_another_name_is_carried_over_as_by_oslo_policy(
    host: Host, layers: dict[str, str], new_defaults: bool
) -> None:
    host.bring(in_bundle("keystone", OLD, layers))
    assert host.daemon.load("plain", OLD, layers, new_defaults=new_defaults) is True
    file = asking("keystone", book(OLD).permissions)
    assert host.daemon.load("asking", OLD, file, new_defaults=new_defaults) is True
    requests = [("new", {}, {"roles": [role]}) for role in ("admin", "member", "reader", "other")]
    assert host.daemon.decisions("asking", requests) == host.daemon.decisions("plain", requests)


QUIRKS = """
default: role:auditor
nothing: ''
no_list: []
lists: [[role:admin, user_id:u1], role:reader]
not_there: not rule:undefined
undefined_kind: not rol:reader
broken: role:admin or
circle: rule:around
around: not rule:circle
percent: user_id:100%
absent: not user_id:%(absent)s
both_none: project_id:%(project_id)s
into_text: user_id.more:x
key_error: rule:inner or @
inner: not broken.path:%(user)s
nested: (role:admin and (not role:reader or user_id:%(user)s)) or 'x':%(user)s
"""
QUIRK_REQUESTS: list[tuple[dict[str, object], dict[str, object]]] = [
    ({}, {}),
    ({}, {"roles": None}),
    ({"user": "x"}, {"roles": ["reader"], "user_id": "u1"}),
    ({"user": "u1"}, {"roles": ["admin"], "user_id": "u1", "project_id": None}),
    ({"project_id": None}, {"roles": ["Admin", "reader"], "project_id": None}),
    ({"absent": 1}, {"roles": ["auditor"], "user_id": ["u1", "u2"], "system_scope": "all"}),
    ({"user": "x"}, {"roles": [7], "user_id": {"more": "x"}}),
]


def test_what_is_odd_in_oslo_policy_is_as_odd_with_the_check(host: Host) -> None:
    names = [line.partition(":")[0] for line in QUIRKS.split() if line.endswith(":")] + ["not_anywhere"]
    defaults = [RuleDefault(name, "!", ("project",)) for name in names[::3]]
    layers = {"policy.yaml": QUIRKS}
    host.bring(in_bundle("keystone", defaults, layers))
    assert host.daemon.load("plain", defaults, layers) is True
    assert host.daemon.load("asking", defaults, asking("keystone", names)) is True
    requests = [(name, target, caller) for name in names for target, caller in QUIRK_REQUESTS]
    plain, ours = host.daemon.decisions("plain", requests), host.daemon.decisions("asking", requests)
    for request, wanted, found in zip(requests, plain, ours, strict=True):
        in_circle = request[0] in ("circle", "around")  # oslo.policy's own recursion ends in one of two exceptions
        assert isinstance(found, str) and isinstance(wanted, str) if in_circle else found == wanted, request
    assert {"TypeError", "ValueError", True, False} <= set(plain)


@pytest.mark.parametrize("service", openstack.FEW)
def test_what_a_service_registers_is_told_as_the_platform_reads_it(service: str, host: Host) -> None:
    command = [openstack.PYTHON, "-W", "ignore", "-m", "rambla_openstack.defaults", service]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert registered.read(done.stdout, "defaults.yaml") == rules_of(host, service)


def test_a_service_that_is_not_installed_is_told_with_those_that_are() -> None:
    command = [openstack.PYTHON, "-W", "ignore", "-m", "rambla_openstack.defaults", "nothing"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "keystone" in done.stderr


def test_a_rule_may_ask_for_the_rule_that_is_being_decided(host: Host) -> None:
    host.bring(in_bundle("nova", [RuleDefault("show", "role:reader"), RuleDefault("stop", "role:admin")]))
    host.load("nova", ["show", "stop", "not_there"])
    assert [host.allows("nova", name) for name in ("show", "stop", "not_there")] == [True, False, False]
