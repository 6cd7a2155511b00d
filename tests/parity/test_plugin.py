"""The check `rambla:` inside a real oslo.policy, beside the same oslo.policy with the same files."""

import itertools
import random
from collections.abc import Iterator

import pytest

from parity import generate, openstack
from parity.compare import CHUNK
from parity.host import Host, asking, in_bundle
from parity.openstack import Request, ServiceRule
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


def test_a_rule_may_ask_for_the_rule_that_is_being_decided(host: Host) -> None:
    host.bring(in_bundle("nova", [RuleDefault("show", "role:reader"), RuleDefault("stop", "role:admin")]))
    host.load("nova", ["show", "stop", "not_there"])
    assert [host.allows("nova", name) for name in ("show", "stop", "not_there")] == [True, False, False]
