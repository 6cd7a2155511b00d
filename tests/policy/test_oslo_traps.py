"""Each way in which oslo.policy opens a door by mistake: decided as there in compat mode, refused in strict mode."""

import pytest

from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.oslo.book import Deprecated, RuleDefault
from rambla.policy.oslo.load import load
from rambla.policy.policy import Policy
from rambla.policy.problems import problems_of

DEFAULTS = [
    RuleDefault("admin_required", "role:admin"),
    RuleDefault("x", "role:admin"),
    RuleDefault("y", "role:member", deprecated=Deprecated("old_y", "role:old")),
]
MEMBER = {"roles": ["member"], "project_id": "p1", "user_id": "u1"}
OWN = {"project_id": "p1"}

# policy.yaml, whether compat mode allows `x` to a member in the own project, line and column of the problem, the fix.
TRAPS = [
    ("x: not foo", True, (1, 8), "write role:foo or rule:foo"),
    ("x: not rule:undefined", True, (1, 8), "write the rule 'undefined'"),
    ("x: not rule:admin_requird", True, (1, 8), "perhaps 'admin_required' is meant"),
    ("x: not rol:member", True, (1, 8), "perhaps 'role' is meant"),
    ("x: not project_id:%(absent)s", True, (1, 19), "say who may instead"),
    ("x: not role:%(absent)s", True, (1, 13), "say who may instead"),
    ('x: not rule:mine\nmine: "user_id:%(owner)s"', True, (1, 4), "say who may instead"),
    ("x: not rule:web\nweb: http://host/%(absent)s", True, (1, 4), "say who may instead"),
    ("z: '@'", False, (1, 1), "drop it, or refer to it"),
    ("admin_requird: '@'", False, (1, 1), "perhaps 'admin_required' is meant"),
    ("x: '!'\nx: '@'", True, (2, 1), "keep one of them"),
    ("x:", True, (1, 3), '"@" for everybody'),
    ("x: []", True, (1, 4), '"@" for everybody'),
    ("x: {}", True, (1, 4), '"@" for everybody'),
    ("x: ''", True, (1, 5), 'write "@"'),
    ("default: '@'", False, (1, 1), '"default": "!"'),
    ("x: foo", False, (1, 4), "write role:foo"),
    ("x: rol:member", False, (1, 4), "perhaps 'role' is meant"),
    ("x: (role:member", False, (1, 16), "close every bracket"),
    ("x: rule:nope", False, (1, 4), "write the rule 'nope'"),
    ("x: rule:y\ny: rule:x", False, (1, 1), "break the circle"),
    ("x: project_id:100%", False, (1, 4), "%% for a percent sign"),
    ("x: is:member", False, (1, 4), "quote it"),
    ("""x: "'a b':%(n)s" """, False, (1, 5), "write role:'a"),
    ("1: '@'", False, (1, 1), "in quotes"),
]
REFUSED = [
    ("x: [", (2, 1), "mend the text"),
    ("- a\n- b", (1, 1), 'lines of the form "name": "check"'),
    ("x: true", (1, 4), "write the check as text"),
    ("x: 7", (1, 4), "write the check as text"),
    ("x: 2026-99-99", (1, 4), "write the check as text"),
    ("? [a]\n: '@'", (1, 3), "write"),
]


def allowed(text: str, credentials: dict[str, object] | None = None, target: dict[str, object] | None = None) -> bool:
    policy = Policy(load({"policy.yaml": text}, DEFAULTS))
    caller = prepare(MEMBER if credentials is None else credentials)
    return policy.decide(caller, "x", OWN if target is None else target).allowed


@pytest.mark.parametrize(("text", "answer", "at", "fix"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_compat_mode_decides_as_oslo_policy_and_strict_mode_refuses(
    text: str, answer: bool, at: tuple[int, int], fix: str
) -> None:
    assert allowed(text) is answer
    with pytest.raises(BrokenPolicy) as raised:
        load({"policy.yaml": text}, DEFAULTS, mode="strict")
    found = {(problem.place.file, problem.place.line, problem.place.column) for problem in problems_of(raised.value)}
    assert ("policy.yaml", *at) in found
    assert fix in str(raised.value)


@pytest.mark.parametrize(("text", "at", "fix"), REFUSED, ids=[refused[0] for refused in REFUSED])
def test_what_makes_oslo_policy_raise_is_refused_in_both_modes(text: str, at: tuple[int, int], fix: str) -> None:
    for mode in ("compat", "strict"):
        with pytest.raises(BrokenPolicy) as raised:
            load({"policy.yaml": text}, DEFAULTS, mode=mode)  # type: ignore[arg-type]  # both are modes
        (problem,) = problems_of(raised.value)
        assert (problem.place.line, problem.place.column) == at
        assert fix in problem.fix


def test_two_nulls_are_the_same_project_in_compat_mode_only() -> None:
    text, caller, target = "x: project_id:%(project_id)s", {"roles": [], "project_id": None}, {"project_id": None}
    assert allowed(text, caller, target)
    strict = Policy(load({"policy.yaml": text}, DEFAULTS, mode="strict"))
    assert not strict.decide(prepare(caller), "x", target).allowed
    assert strict.decide(prepare(MEMBER), "x", OWN).allowed


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        ("x: not role:admin", {"roles": None}),
        ("x: not role:admin", {"roles": 7}),
        ("x: not user_id.id:p1", {"user_id": "u1"}),
        ("x: not user_id.id:p1", {"user_id": None}),
        ("x: not project_id:100%", {}),
        ("x: rule:x", {}),
        ("x: not rule:x", {}),
        ("x: not http://nobody.example/", {}),
    ],
)
def test_what_cannot_be_decided_is_denied_also_beneath_a_not(text: str, credentials: dict[str, object]) -> None:
    assert not allowed(text, credentials)


def test_a_clean_override_passes_strict_mode_whether_by_the_new_name_or_the_old() -> None:
    text = "x: role:member and project_id:%(project_id)s\nold_y: rule:mine\nmine: user_id:%(user_id)s\n"
    policy = Policy(load({"policy.yaml": text}, DEFAULTS, mode="strict"))
    decision = policy.decide(prepare(MEMBER), "x", OWN)
    assert (decision.allowed, decision.rule, decision.layer, decision.line) == (True, "x", "policy.yaml", 1)
    carried = policy.decide(prepare(MEMBER), "y", {"user_id": "u1"})
    assert (carried.allowed, carried.layer, carried.line) == (True, "policy.yaml", 2)
