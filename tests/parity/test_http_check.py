"""A real oslo.policy whose rules ask a real server decides as it does by itself with the files that were published."""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from parity import generate, openstack
from parity.compare import Tally
from rambla.policy.oslo.book import RuleDefault, book
from system.running import Running, serving

PER_SERVICE = 500
CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json")
SITE = 'layer: site\nrules: {policy:check: [rule operator, caller.subject == "guest"]}\n'
FILES = {
    "keystone": {
        "policy.yaml": '"identity:list_projects": "role:reader or project_id:%(project_id)s"\n',
        "policy.d/a.yaml": '"identity:get_user": "rule:owner or role:auditor"\n',
        "policy.d/b.yaml": '"identity:list_projects": "role:manager and domain_id:%(target.domain_id)s"\n',
    },
    "nova": {"policy.yaml": '"os_compute_api:servers:index": "role:member and project_id:%(project_id)s"\n'},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("asked") / "data", "--object-store", "none") as running:
        yield running


def default_of(rule: RuleDefault) -> dict[str, Any]:
    """As `python -m rambla_openstack.defaults` writes it."""
    old = rule.deprecated
    fields = {"name": rule.name, "check_str": rule.check, "scope_types": list(rule.scopes)}
    return {**fields, "deprecated": {"name": old.name, "check_str": old.check}} if old else fields


def publish(server: Running, rules: dict[str, list[RuleDefault]]) -> None:
    files = {"site.yaml": SITE}
    for service, defaults in rules.items():
        files[f"openstack/{service}/defaults.yaml"] = json.dumps([default_of(rule) for rule in defaults])
        files |= {f"openstack/{service}/{name}": text for name, text in FILES.get(service, {}).items()}
    with server.operator() as operator:
        answer = operator.post("/platform/v1/policy/bundles", json={"files": files})
    assert answer.status_code == 200, answer.text


def requests(defaults: list[RuleDefault], choice: random.Random) -> list[openstack.Request]:
    rules = book(defaults).rules
    names = [rule.name for rule in defaults]
    choice.shuffle(names)
    streams = [generate.requests(name, generate.atoms(rules.terms[name], rules), choice) for name in names]
    return [next(stream) for stream in itertools.islice(itertools.cycle(streams), PER_SERVICE)]


def test_oslo_policy_decides_the_same_by_asking_as_by_itself(oracle: openstack.Oracle, server: Running) -> None:
    services = openstack.service_rules(oracle, openstack.FEW)
    rules = {service: [rule.default for rule in found] for service, found in services.items()}
    publish(server, rules)
    choice, tally = random.Random(11), Tally()
    address = server.url.replace("http://", f"http://{server.key}@")
    for service, defaults in rules.items():
        assert oracle.load(f"{service} alone", defaults, FILES.get(service)) is True
        asked = requests(defaults, choice)
        alone = oracle.decisions(f"{service} alone", asked)
        for content_type in CONTENT_TYPES:
            rule = f"{address}/policy/v1/openstack/{service}"
            asking = {"policy.yaml": json.dumps({default.name: rule for default in defaults})}
            name = f"{service} {content_type}"
            assert oracle.load(name, defaults, asking, content_type=content_type) is True
            for request, theirs, ours in zip(asked, alone, oracle.decisions(name, asked), strict=True):
                tally.add(request, theirs, ours=ours is True)
    print(tally.text())
    assert tally.asked == len(rules) * len(CONTENT_TYPES) * PER_SERVICE
    assert tally.differences == []
    assert tally.asked / 10 < tally.allowed < tally.asked * 9 / 10, "the requests reach both answers"
    counted = server.status()["policy"]["checks"]
    assert sum(sum(counted[service].values()) for service in rules) > tally.asked / 2, "where the scope fits, it asks"
