"""Which rule is in force: defaults, files in their order, and names and checks that were deprecated."""

import pytest

from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import IN_CODE, Deprecated, RuleDefault
from rambla.policy.oslo.load import load
from rambla.policy.policy import Policy

RENAMED = RuleDefault("y", "role:new", deprecated=Deprecated("old_y", "role:old"))
CHANGED = RuleDefault("z", "role:new", ("project",), Deprecated("z", "role:old"))

# The file, whether the old defaults still count, and the roles that are allowed `y` with it.
FILES = [
    ("", True, {"new"}),
    ("", False, {"new", "old"}),
    ("y: role:mine", True, {"mine"}),
    ("y: role:mine", False, {"mine"}),
    ("old_y: role:mine", True, {"mine"}),
    ("old_y: role:mine", False, {"mine"}),
    ("old_y: role:old", True, {"new"}),
    ("old_y: role:old", False, {"new", "old"}),
    ("old_y: rule:y", True, {"new"}),
    ("old_y: rule:y", False, {"new", "old"}),
    ("old_y: [['role:old']]", True, {"new"}),
    ("old_y: role:mine\ny: role:other", True, {"other"}),
]


@pytest.mark.parametrize(("text", "new_defaults", "wanted"), FILES)
def test_an_override_by_the_old_name_is_carried_over_when_it_says_something_of_its_own(
    text: str, new_defaults: bool, wanted: set[str]
) -> None:
    policy = Policy(load({"policy.yaml": text}, [RENAMED], new_defaults=new_defaults))
    roles = {"new", "old", "mine", "other"}
    assert {role for role in roles if policy.decide(prepare({"roles": [role]}), "y", {}).allowed} == wanted


def test_a_later_file_replaces_whole_rules_of_an_earlier_one() -> None:
    texts = {"policy.yaml": "y: role:a\nz: role:a", "policy.d/1.yaml": "y: role:b", "policy.d/2.yaml": "x: role:c"}
    policy = Policy(load(texts, [RENAMED, CHANGED]))
    decision = policy.decide(prepare({"roles": ["b"]}), "y", {})
    assert (decision.allowed, decision.layer, decision.line) == (True, "policy.d/1.yaml", 1)
    assert not policy.decide(prepare({"roles": ["a"]}), "y", {}).allowed
    assert policy.decide(prepare({"roles": ["a"]}), "z", {}).line == 2


def test_scopes_stay_with_the_name_whatever_file_overrides_the_check() -> None:
    policy = Policy(load({"policy.yaml": "z: '@'\nw: rule:z"}, [CHANGED]))
    assert policy.decide(prepare({}), "z", {}).allowed
    assert not policy.decide(prepare({"system_scope": "all"}), "z", {}).allowed
    assert policy.decide(prepare({"system_scope": "all"}), "w", {}).allowed, "a reference asks for no scope"


def test_what_no_file_says_is_in_force_as_the_code_has_it() -> None:
    decision = Policy(load({}, [RENAMED])).decide(prepare({"roles": ["new"]}), "y", {})
    assert (decision.allowed, decision.rule, decision.layer, decision.line) == (True, "y", IN_CODE, 0)


def test_the_default_rule_stands_for_those_that_are_missing() -> None:
    policy = Policy(load({"policy.yaml": "default: role:a\nx: rule:nothing"}))
    for name in ("x", "unheard:of"):
        assert policy.decide(prepare({"roles": ["a"]}), name, {}).allowed
        assert not policy.decide(prepare({"roles": ["b"]}), name, {}).allowed
    assert policy.decide(prepare({"roles": ["a"]}), "unheard:of", {}).rule == "default"
    assert not Policy(load({})).decide(prepare({"roles": ["a"]}), "x", {}).allowed
