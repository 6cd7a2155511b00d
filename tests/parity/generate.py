"""Requests that reach the branches of a rule: its own atoms choose roles, scope, credentials and target."""

import random
from collections.abc import Iterator
from typing import Any

from parity.openstack import Request
from rambla.policy import generic
from rambla.policy.terms import Matches, Reference, Role, Rules, Term, walk

VALUES: tuple[Any, ...] = ("p1", "p1", "p1", "p2", None, "None", 7, "7", True, "True", ["p1", "p2"], "")
ROLES = ("admin", "Member", "reader", "service", "auditor")
TARGETS = ("p1", "p1", "p2", None, 7, True, "None")
SHAPE_NOISE = 0.02


def atoms(term: Term, rules: Rules) -> set[Term]:
    """The atoms of a term and of what it refers to."""
    found: set[Term] = set()
    todo, seen = [term], {term}
    while todo:
        for part in walk(todo.pop()):
            if isinstance(part, Reference):
                referred = rules.find(part.rule)
                if referred is not None and referred not in seen:
                    seen.add(referred)
                    todo.append(referred)
            elif isinstance(part, Matches | Role):
                found.add(part)
    return found


def requests(name: str, parts: set[Term], choice: random.Random) -> Iterator[Request]:
    """Endless requests for one rule."""
    checks = sorted((part for part in parts if isinstance(part, Matches)), key=repr)
    roles = [part.name for part in parts if isinstance(part, Role) and "%" not in part.name]
    roles.sort()
    while True:
        yield name, *_request(checks, roles, choice)


def _request(checks: list[Matches], roles: list[str], choice: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    credentials: dict[str, Any] = {"user_id": "u1", "project_id": "p1", "roles": _roles(roles, choice)}
    target: dict[str, Any] = {}
    scope = choice.choice(("project", "project", "domain", "system"))
    if scope == "domain":
        credentials |= {"domain_id": "p1", "project_id": None}
    if scope == "system":
        credentials |= {choice.choice(("system_scope", "system")): "all", "project_id": None}
    for check in checks:
        _meet(check, credentials, target, choice)
    if choice.random() < SHAPE_NOISE:
        credentials[choice.choice(sorted(credentials))] = choice.choice((None, 7, "x", ["x"], {"id": "x"}))
    return target, credentials


def _roles(roles: list[str], choice: random.Random) -> list[str]:
    held = [role for role in roles if choice.random() < 1 / (1 + len(roles) / 2)]
    if choice.random() < 0.3:
        held.append(choice.choice(ROLES))
    return [role.upper() if choice.random() < 0.1 else role for role in held]


def _meet(check: Matches, credentials: dict[str, Any], target: dict[str, Any], choice: random.Random) -> None:
    """Mostly such that the check holds, else anything, or nothing at all."""
    meant = choice.random() < 0.6
    for key in generic.keys(check.match):
        if key not in target and choice.random() < 0.9:
            target[key] = choice.choice(TARGETS)
    left = generic.left(check.kind)
    if isinstance(left, generic.Literal):
        key = generic.single_key(check.match)
        if key and meant:
            target[key] = left.text
    elif isinstance(left, generic.Path) and choice.random() < 0.95:
        try:
            value = generic.fill(check.match, target) if meant else choice.choice(VALUES)
        except (KeyError, ValueError, TypeError):
            value = choice.choice(VALUES)
        _put(credentials, left.segments, value, choice)


def _put(values: dict[str, Any], segments: tuple[str, ...], value: Any, choice: random.Random) -> None:
    for segment in segments[:-1]:
        step = values.get(segment)
        if isinstance(step, list) and step and isinstance(step[0], dict):
            step = step[0]
        elif not isinstance(step, dict):
            step = {}
            values[segment] = [step, {}] if choice.random() < 0.1 else step
        values = step
    values[segments[-1]] = value
