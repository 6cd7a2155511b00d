"""What is asked of a policy engine? Requests as OpenStack's services make them, over the rules that they register.

Four of five go to the five services with the most calls; most callers are members and readers, three of four ask for
what is their own project's. A target has every key that any rule of its service looks for.
"""

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rambla.policy import generic
from rambla.policy.oslo.book import RuleDefault, book
from rambla.policy.terms import Matches, walk

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from parity import openstack  # it lies beside the tests of parity

BUSY = ("nova", "neutron", "cinder", "glance", "keystone")
PERSONAS = {
    "member": (50, ["member", "reader"]),
    "reader": (15, ["reader"]),
    "admin": (12, ["admin", "manager", "member", "reader"]),
    "manager": (6, ["manager", "member", "reader"]),
    "nobody": (5, ["auditor"]),
    "service": (5, ["service"]),
    "system-admin": (4, ["admin", "manager", "member", "reader"]),
    "domain-manager": (3, ["manager", "member", "reader"]),
}
PROJECTS = [f"{number:032x}" for number in range(1000, 1040)]
USERS = [f"{number:032x}" for number in range(5000, 5200)]


@dataclass(frozen=True)
class Request:
    service: str
    rule: str
    target: dict[str, Any]
    credentials: dict[str, Any]


def services() -> dict[str, list[RuleDefault]]:
    with openstack.oracle() as oracle:
        found = openstack.service_rules(oracle, openstack.ALL)
    return {name: [rule.default for rule in rules] for name, rules in found.items()}


def requests(rules: dict[str, list[RuleDefault]], count: int, seed: int = 7) -> list[Request]:
    choice = random.Random(seed)
    keys = {name: sorted(_keys(defaults)) for name, defaults in rules.items()}
    others = sorted(set(rules) - set(BUSY))
    made = []
    for _ in range(count):
        service = choice.choice(BUSY if choice.random() < 0.8 else others)
        credentials = _credentials(choice)
        target = _target(credentials, keys[service], choice)
        rule = choice.choice([default.name for default in rules[service] if ":" in default.name or "_" in default.name])
        made.append(Request(service, rule, target, credentials))
    return made


def _keys(defaults: list[RuleDefault]) -> set[str]:
    terms = book(defaults).rules.terms.values()
    checks = [part for term in terms for part in walk(term) if isinstance(part, Matches)]
    return {key for check in checks for key in generic.keys(check.match)}


def _credentials(choice: random.Random) -> dict[str, Any]:
    persona = choice.choices(list(PERSONAS), [weight for weight, _ in PERSONAS.values()])[0]
    roles = PERSONAS[persona][1]
    project, user = choice.choice(PROJECTS), choice.choice(USERS)
    credentials: dict[str, Any] = {
        "user_id": user,
        "project_id": project,
        "tenant_id": project,
        "user_domain_id": "default",
        "project_domain_id": "default",
        "domain_id": None,
        "system_scope": None,
        "is_admin": "admin" in roles,
        "is_admin_project": True,
        "service_roles": [],
        "roles": list(roles),
        "token": {"user": {"id": user, "domain": {"id": "default"}}, "project": {"id": project}},
    }
    if persona == "system-admin":
        credentials |= {"system_scope": "all", "project_id": None, "tenant_id": None}
    if persona == "domain-manager":
        credentials |= {"domain_id": "default", "project_id": None, "tenant_id": None}
    return credentials


def _target(credentials: dict[str, Any], keys: list[str], choice: random.Random) -> dict[str, Any]:
    own = choice.random() < 0.75
    project = credentials["project_id"] if own and credentials["project_id"] else choice.choice(PROJECTS)
    user = credentials["user_id"] if own else choice.choice(USERS)
    target = {}
    for key in keys:
        if key.endswith(("domain_id", "domain.id")):
            target[key] = "default"
        elif "project" in key or "tenant" in key or key.endswith("owner"):
            target[key] = project
        else:
            target[key] = user if "user" in key else "x"
    return target
