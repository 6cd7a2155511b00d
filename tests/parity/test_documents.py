"""Policy files of every kind, damaged ones too, are read and decided as oslo.policy reads and decides them."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from parity import openstack
from parity.openstack import Request
from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import Deprecated, RuleDefault
from rambla.policy.oslo.load import load
from rambla.policy.policy import Policy

DEFAULTS = [
    RuleDefault("admin_required", "role:admin"),
    RuleDefault("x", "role:admin", ("project", "system")),
    RuleDefault("y", "role:member or rule:x", deprecated=Deprecated("old_y", "role:old")),
    RuleDefault("z", "rule:y and not rule:admin_required", ("domain",), Deprecated("z", "role:reader")),
]
NAMES = ["x", "y", "z", "old_y", "admin_required", "default", "unknown", "mine"]
ATOMS = [
    "role:admin",
    "role:Member",
    "role:%(role)s",
    "role:%(absent)s",
    "rule:x",
    "rule:y",
    "rule:mine",
    "rule:undefined",
    "rule:admin_required",
    "@",
    "!",
    "project_id:%(project_id)s",
    "project_id:p1",
    "user.id:%(user_id)s",
    "user.roles.name:admin",
    "'public':%(visibility)s",
    "None:%(nil)s",
    "True:%(flag)s",
    "is_admin:True",
    "is_admin:1",
    "project_id:%(project_id)s-%(flag)s",
    "project_id:%(absent)s",
    "project_id:100%",
    "is:x",
    "a..b:c",
    ":x",
    "x:",
    "foo",
    "(role:admin",
    "role:admin)",
    "'a':'b'",
    '"x":y',
    "'a'",
    "1.5:%(number)s",
    "roles:admin",
    "user:%s",
    "project_id:%%",
    "l:b",
]
CALLERS: list[dict[str, Any]] = [
    {"roles": ["admin"], "project_id": "p1", "is_admin": True, "user": {"id": "u1", "roles": [{"name": "admin"}]}},
    {
        "roles": ["MEMBER", "old"],
        "project_id": None,
        "domain_id": "d1",
        "user": {"id": "u2", "roles": []},
        "l": ["a", "b"],
    },
    {"roles": ["reader"], "system_scope": "all", "is_admin": "True", "user": "u1"},
    {"roles": None, "project_id": 7},
    {"project_id": "p1-True", "system": "all"},
]
TARGETS: list[dict[str, Any]] = [
    {},
    {"project_id": "p1", "user_id": "u1", "visibility": "public", "nil": None, "flag": True, "role": "Admin"},
    {"project_id": None, "user_id": None, "number": 1.5, "role": "member", "flag": "True"},
    {"project_id": 7, "flag": 1},
]
VALUES = [
    "",
    [],
    None,
    {},
    ["role:admin"],
    [["role:admin", "rule:y"], "role:reader"],
    [[]],
    [None],
    ["foo"],
    {"role:old": 1},
]
ODD = [True, 7, 1.5, [7], [["x"], 7]]


def requests() -> list[Request]:
    combined = itertools.product(NAMES, TARGETS, CALLERS)
    return [(name, target, caller) for name, target, caller in combined]


def checks(choice: random.Random) -> Iterator[Any]:
    while True:
        kind = choice.random()
        if kind < 0.1:
            yield choice.choice(VALUES)
        elif kind < 0.11:
            yield choice.choice(ODD)
        else:
            yield expression(choice)


def expression(choice: random.Random) -> str:
    """Mostly well formed, so that most of them are decided by something."""
    words = [choice.choice(ATOMS)]
    while choice.random() < 0.6:
        words += [choice.choice(("and", "or", "AND", "or not")), choice.choice(ATOMS)]
        if choice.random() < 0.2:
            words = ["(", *words, ")"]
    if choice.random() < 0.2:
        words.insert(0, "not")
    if choice.random() < 0.1:
        words.insert(choice.randrange(len(words)), choice.choice(("(", ")", "not", "and", "'")))
    return " ".join(words)


def ours(texts: dict[str, str], asked: Sequence[Request], *, new_defaults: bool) -> list[bool] | None:
    try:
        policy = Policy(load(texts, DEFAULTS, new_defaults=new_defaults))
    except BrokenPolicy:
        return None
    return [policy.decide(prepare(caller), name, target).allowed for name, target, caller in asked]


@pytest.mark.parametrize("seed", range(4))
def test_random_files_are_decided_alike(oracle: openstack.Oracle, seed: int) -> None:
    choice, asked = random.Random(seed), requests()
    stream = checks(choice)
    read = 0
    for number in range(60):
        rules = {name: next(stream) for name in choice.sample(NAMES, choice.randrange(1, 5))}
        texts = {"policy.yaml": json.dumps(rules)}
        if choice.random() < 0.3:
            texts["policy.d/1.yaml"] = json.dumps({choice.choice(NAMES): next(stream)})
        new_defaults = choice.random() < 0.5
        name = f"{seed}-{number}"
        loaded = oracle.load(name, DEFAULTS, texts, new_defaults=new_defaults)
        mine = ours(texts, asked, new_defaults=new_defaults)
        assert (mine is not None) is (loaded is True), texts
        if mine is not None:
            read += 1
            theirs = [answer is True for answer in oracle.decisions(name, asked)]
            assert mine == theirs, differences(texts, asked, mine, theirs)
    assert read > 30


def differences(texts: dict[str, str], asked: Sequence[Request], mine: list[bool], theirs: list[bool]) -> str:
    found = [request for request, our, their in zip(asked, mine, theirs, strict=True) if our is not their]
    return f"{texts}: {found[:3]}"


@pytest.mark.parametrize("new_defaults", [True, False])
@pytest.mark.parametrize("text", ["", "old_y: role:x", "old_y: role:old", "old_y: rule:y", "y: '!'\nold_y: '@'"])
def test_deprecated_names_are_carried_over_alike(oracle: openstack.Oracle, text: str, new_defaults: bool) -> None:
    asked, name = requests(), f"deprecated {new_defaults} {text}"
    assert oracle.load(name, DEFAULTS, {"policy.yaml": text}, new_defaults=new_defaults) is True
    theirs = [answer is True for answer in oracle.decisions(name, asked)]
    assert ours({"policy.yaml": text}, asked, new_defaults=new_defaults) == theirs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "[]",
        "~",
        "x: '@'\nx: '!'",
        "x: [[role:admin]]",
        "a: &a '@'\nx: *a",
        "base: &b {x: '@'}\n<<: *b\ny: '!'",
        "yes: '@'",
        "x: !!str '@'",
        "x: 'role:admin\n  or role:Member'",
        "x: >\n  role:admin\n  or role:Member\n",
        '{"x": "@", "y": "!"}',
        "x: [",
        "- a",
        "7",
        "text",
        "x: true",
        "x: 2026-99-99",
        "? [a]\n: '@'",
        "--- {x: '@'}\n--- {y: '@'}",
        "x: *nothing",
        "x: !!python/object:os.system '@'",
    ],
)
def test_yaml_is_read_as_oslo_policy_reads_it(oracle: openstack.Oracle, text: str) -> None:
    asked = requests()
    loaded = oracle.load(text, DEFAULTS, {"policy.yaml": text})
    mine = ours({"policy.yaml": text}, asked, new_defaults=True)
    assert (mine is not None) is (loaded is True)
    if mine is not None:
        assert mine == [answer is True for answer in oracle.decisions(text, asked)]
