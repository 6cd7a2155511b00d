import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policykit
from rambla.domain.errors import BrokenPolicy
from rambla.policy.convert import convert
from rambla.policy.credentials import prepare
from rambla.policy.language import load as language
from rambla.policy.oslo import load as oslo
from rambla.policy.oslo.book import RuleDefault
from rambla.policy.policy import Policy
from rambla.policy.terms import FALSE, Reference, Rules, walk

NAMES = ("a", "b", "c", "default", "x:y_z", "or", "odd name", 'quo"te', "x:*", "=x")
ATOMS = (
    "role:admin",
    "role:Member",
    "role:rule",
    "role:7",
    "role:%(project)s",
    "role:a-b",
    "role:a.b",
    "@",
    "!",
    "foo",
    "rule:a",
    "rule:b",
    "rule:x:*",
    "rule:=x",
    "rule:undefined",
    "project:%(project)s",
    "project:%(absent)s",
    "project:p1",
    "project:%(owner)s-x",
    "project:100%",
    "user.id:%(user.id)s",
    "groups.id:p1",
    "'p1':%(project)s",
    "None:%(owner)s",
    '"p1":%(owner)s',
    "is:x",
    "http://nobody/%(project)s",
)
words = st.sampled_from([*ATOMS, *ATOMS, "and", "or", "not", "and", "or", "(", ")"])
checks = st.lists(words, max_size=7).map(" ".join) | st.lists(st.sampled_from(ATOMS) | st.lists(st.sampled_from(ATOMS)))
scopes = st.lists(st.sampled_from(["project", "system"]), max_size=2, unique=True).map(tuple)


def refers_to_itself(name: str, rules: Rules, seen: tuple[str, ...] = ()) -> bool:
    parts = list(walk(rules.find(name) or FALSE))
    names = [part.rule if part.rule in rules.terms else rules.default for part in parts if isinstance(part, Reference)]
    return name in seen or any(refers_to_itself(each, rules, (*seen, name)) for each in names)


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(NAMES), checks, max_size=4),
    st.dictionaries(st.sampled_from(NAMES), scopes, max_size=3),
    policykit.callers(),
    policykit.mappings,
)
def test_what_is_converted_decides_alike(
    rules: dict[str, Any], scoped: dict[str, Any], caller: dict[str, Any], target: dict[str, Any]
) -> None:
    defaults = [RuleDefault(name, "role:admin", scope) for name, scope in scoped.items()]
    book = oslo.load({"policy.yaml": json.dumps(rules)}, defaults)
    try:
        text = convert(book)
    except BrokenPolicy:
        assert any(refers_to_itself(name, book.rules) for name in book.permissions)
        return
    before, after = Policy(book), Policy(language.load({"converted.yaml": text}))
    credentials = prepare(caller)
    for name in (*NAMES, "unheard of"):
        wanted = before.decide(credentials, name, target).allowed
        assert after.decide(credentials, name, target).allowed is wanted, text


def test_a_converted_policy_reads_aloud() -> None:
    rules = {
        "admin_or_owner": "role:admin or (is_admin:True and project_id:%(project_id)s)",
        "compute:get": "rule:admin_or_owner and not role:auditor",
        "image:get": "'public':%(visibility)s or rule:nothing",
    }
    defaults = [RuleDefault("compute:get", "!", ("project", "system"))]
    book = oslo.load({"policy.yaml": json.dumps(rules)}, defaults)
    assert (
        convert(book, "site")
        == """\
layer: site
roles:
  admin: null
  auditor: null
rules:
  admin_or_owner: admin or (caller.is_admin same as "True" and caller.project_id same
    as target.project_id)
  compute:get:
    scope:
    - system
    - project
    allow: rule admin_or_owner and not auditor
  image:get: '"public" same as target.visibility or nobody'
""".replace("same\n    as", "same as")
    )


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"x": "rule:y", "y": "rule:x"}, "refers to itself"),
        ({"x": [["%(a b)s:c"]]}, "no words for"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(rules: dict[str, Any], why: str) -> None:
    with pytest.raises(BrokenPolicy, match=why):
        convert(oslo.load({"policy.yaml": json.dumps(rules)}))
