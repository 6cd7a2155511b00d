"""Damaged policy files end in a policy or in problems with a place and a fix, and in nothing else.

`make fuzz-policy` reads 100,000 of them.
"""

import os
import random

import pytest

from rambla.domain.access import Decision
from rambla.domain.errors import BrokenPolicy
from rambla.policy import accept
from rambla.policy.bundle import File
from rambla.policy.credentials import prepare
from rambla.policy.language import load as language
from rambla.policy.oslo import load as oslo
from rambla.policy.oslo.book import Deprecated, RuleDefault
from rambla.policy.policy import Policy
from rambla.policy.ports import NOBODY
from rambla.policy.problems import problems_of
from servicekit import FILES

COUNT = int(os.environ.get("RAMBLA_FUZZ", "2000"))
PARTS = 4
READABLE = """\
layer: site
roles:
  operator:      {may: [action:*, trigger:*], includes: reader}
  project-admin: &admin
    may:   [project:create, "*"]
    never: [action:code, object:read]    # sees nothing inside
rules:
  object:read:
    allow: [member of target.project and caller.trust >= 2, 'not rule helper']
    deny:  caller.source == "partner-ldap" or caller.groups exists
    scope: [project, system]
  helper: (caller.a same as target.b or "x" in caller.groups) and not caller.c in ["a", 2.5, true]
  other: 'check "project_id:%(project_id)s" and ask ldap and everybody'
  object:list: {<<: {deny: nobody}, allow: admin}
locks: [object:read, 'action:*']
"""
OPENSTACK = """\
# A service's policy
"admin_required": "role:admin or is_admin:1"
"owner": 'user_id:%(user_id)s and not (role:auditor or "public":%(visibility)s)'
"x": [["role:admin", "rule:owner"], "@"]
"y": "rule:admin_required or (rule:x and not rule:undefined)"
"z": !!str "http://host/%(name)s"
default: "!"
old_y: token.user.id:%(target.user.id)s
"""
YAML_PIECES = [
    "",
    " ",
    "\n",
    "\t",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "*",
    "&a ",
    "*a",
    "<<: ",
    "!",
    "!!set ",
    "|",
    ">",
]
WORD_PIECES = [
    " and ",
    " or ",
    " not ",
    " of ",
    " in ",
    "==",
    ">=",
    "caller.",
    "target.",
    "role:",
    "rule:x",
    "@",
    "same as",
]
VALUE_PIECES = [
    "~",
    "null",
    "true",
    "1e999",
    "-1",
    "0x1F",
    "2026-01-01",
    "'",
    '"',
    "#",
    "(",
    ")",
    "%(a)s",
    "%s",
    "%(",
    "%",
]
ODD_PIECES = ["\x00", "\x85", "\ufeff", "é", "\U0001f600", "\ud800", "--- ", "...", "? ", "%YAML 1.1\n"]
LONG_PIECES = ["[" * 30, "(" * 60, "not " * 60, "a" * 300, "{a: " * 30]
PIECES = YAML_PIECES + WORD_PIECES + VALUE_PIECES + ODD_PIECES + LONG_PIECES
DEFAULTS = [
    RuleDefault("x", "role:admin", ("project",)),
    RuleDefault("y", "@", deprecated=Deprecated("old_y", "!")),
]
CALLERS = [
    {},
    {"roles": ["admin", "member"], "project_id": "p", "project": "p", "trust": 2, "groups": ["x"], "source": "ldap"},
    {"roles": None, "system_scope": "all", "token": "t"},
]
TARGETS = [{}, {"project_id": "p", "project": "p", "user_id": None, "b": 1}]


def damaged(text: str, choice: random.Random) -> str:
    for _ in range(choice.choice((1, 1, 2, 3, 8))):
        at = choice.randrange(len(text) + 1)
        to = min(len(text), at + choice.choice((0, 0, 1, 2, 5, 30)))
        piece = choice.choice(
            (choice.choice(PIECES), text[to : to + choice.randrange(1, 40)], chr(choice.randrange(0x250)))
        )
        text = text[:at] + piece + text[to:]
    return text


def decide_all(policy: Policy) -> None:
    for name in (*policy.book.permissions[:30], "unheard:of"):
        for caller in CALLERS:
            for target in TARGETS:
                assert isinstance(policy.decide(prepare(caller), name, target), Decision)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_file_makes_a_policy_or_problems_and_nothing_else(part: int) -> None:
    choice = random.Random(part)
    read = refused = 0
    for _ in range(COUNT // PARTS):
        readable = choice.random() < 0.5
        text = damaged(READABLE if readable else OPENSTACK, choice)
        try:
            if readable:
                policy = Policy(language.load({"x.yaml": text}))
            else:
                mode = choice.choice(("compat", "strict"))
                policy = Policy(oslo.load({"x.yaml": text}, DEFAULTS, mode=mode))
        except BrokenPolicy as error:
            refused += 1
            for problem in problems_of(error):
                assert problem.place.file in ("x.yaml", "in code")
                assert problem.detail
                assert problem.fix
        else:
            read += 1
            decide_all(policy)
    assert read > COUNT // PARTS / 20
    assert refused > COUNT // PARTS / 5


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_file_of_a_service_makes_a_policy_or_problems_and_nothing_else(part: int) -> None:
    choice = random.Random(part)
    names = [name for name in FILES if name.startswith("openstack/keystone/")]
    read = refused = 0
    for _ in range(COUNT // PARTS):
        name = choice.choice(names)
        files = {**FILES, name: damaged(FILES[name], choice)}
        try:
            policies = accept.compiled([File(each, text) for each, text in files.items()], NOBODY)
        except BrokenPolicy as error:
            refused += 1
            for problem in problems_of(error):
                assert problem.place.file in (*names, "in code")
                assert problem.detail
                assert problem.fix
        else:
            read += 1
            decide_all(policies.of("keystone"))
    assert read > COUNT // PARTS / 50
    assert refused > COUNT // PARTS / 5
