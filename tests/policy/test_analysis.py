from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policykit
from rambla.domain.access import Decision
from rambla.policy.analysis import diagram, words
from rambla.policy.analysis.difference import ANY_OTHER, Case, changed, diff
from rambla.policy.analysis.examples import Impossible, Unknown, find
from rambla.policy.analysis.explain import coverage, explain
from rambla.policy.analysis.queries import what_can, who_can
from rambla.policy.credentials import prepare
from rambla.policy.interpret import Asked, atom_holds
from rambla.policy.language.load import load
from rambla.policy.policy import Policy
from rambla.policy.rulings import Clause, Ruling
from rambla.policy.terms import (
    FALSE,
    All,
    Attribute,
    Broken,
    Contains,
    Either,
    Equal,
    InScope,
    Matches,
    Not,
    Order,
    Present,
    Role,
    Rules,
    Term,
    walk,
)

YES, NO = Decision(allowed=True, rule="yes"), Decision(allowed=False, rule="no")
ROLE = Attribute("caller", ("trust",))


class OneRule:
    def __init__(self, term: Term, rules: Rules | None = None) -> None:
        self.rules = rules or Rules({})
        self.permissions = ("x",)
        self.patterns = ()
        self._ruling = Ruling((Clause(term, YES),), NO)

    def ruling(self, permission: str) -> Ruling:
        return self._ruling


def meets(case: Case, caller: dict[str, Any], target: dict[str, Any]) -> bool:
    asked = Asked(prepare(caller), target, Rules({}))
    return all(atom_holds(atom, asked) is value for atom, value in case.cube)


kinds = st.sampled_from(["project", "user.id", "'p1'", "owner"])
matches = st.sampled_from(["%(project)s", "%(owner)s", "p1", "p2", "%(absent)s"])
attributes = st.builds(Attribute, st.sampled_from(["caller", "target"]), st.sampled_from([("project",), ("owner",)]))
operands = attributes | st.sampled_from(["p1", "p2", 1])
atoms = (
    st.builds(Role, st.sampled_from(["admin", "member"]))
    | st.builds(InScope, st.sampled_from(["system", "domain", "project"]))
    | st.builds(Matches, kinds, matches)
    | st.builds(Equal, attributes, operands)
    | st.builds(Order, attributes, st.sampled_from(["<", ">="]), st.sampled_from([1, 2]))
    | st.builds(Contains, attributes, st.sampled_from(["p1", "p2"]))
    | st.builds(Present, attributes, st.sampled_from(["any", "scalar", "number", "list"]))
)
terms = st.recursive(
    atoms,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: Either(tuple(parts)))
    ),
    max_leaves=6,
)
values = st.sampled_from(["p1", "p2", None, 1, 2, ["p1"], ["p1", "p2"], "None"])
targets = st.dictionaries(st.sampled_from(["project", "owner"]), values)
callers = st.fixed_dictionaries(
    {"roles": st.lists(st.sampled_from(["admin", "member"]), max_size=2)},
    optional={
        "project": values,
        "owner": values,
        "user": st.fixed_dictionaries({"id": values}),
        "system_scope": st.just("all"),
        "domain_id": st.just("d"),
    },
)


@settings(max_examples=400)
@given(terms, terms, callers, targets)
def test_a_request_is_decided_otherwise_exactly_when_a_case_says_so(
    old: Term, new: Term, caller: dict[str, Any], target: dict[str, Any]
) -> None:
    before, after = OneRule(old), OneRule(new)
    change = changed(before, after, "x")
    gained, lost = (change.gained, change.lost) if change else ((), ())
    credentials = prepare(caller)
    was = Policy(before).decide(credentials, "x", target).allowed
    is_now = Policy(after).decide(credentials, "x", target).allowed
    told = repr((old, new, caller, target))
    assert sum(meets(case, caller, target) for case in gained) == (is_now and not was), told
    assert sum(meets(case, caller, target) for case in lost) == (was and not is_now), told
    for case, answers in [(case, (False, True)) for case in gained] + [(case, (True, False)) for case in lost]:
        if case.example is not None:
            shown = prepare(case.example.credentials)
            decided = [Policy(book).decide(shown, "x", case.example.target).allowed for book in (before, after)]
            assert tuple(decided) == answers


@settings(max_examples=300)
@given(terms, callers, targets)
def test_who_can_and_what_can_are_the_decisions_asked_the_other_way_round(
    term: Term, caller: dict[str, Any], target: dict[str, Any]
) -> None:
    book, credentials = OneRule(term), prepare(caller)
    allowed = Policy(book).decide(credentials, "x", target).allowed
    who = who_can(book, "x", target)
    assert (who.always or any(meets(case, caller, {}) for case in who.cases)) is allowed
    what = next(iter(what_can(book, credentials)), None)
    assert bool(what and (what.always or any(meets(case, {}, target) for case in what.cases))) is allowed


@settings(max_examples=300)
@given(policykit.terms, policykit.rules, policykit.callers(), policykit.mappings)
def test_an_explanation_ends_with_the_decision(
    term: Term, rules: Rules, caller: dict[str, Any], target: dict[str, Any]
) -> None:
    policy, credentials = Policy(OneRule(term, rules)), prepare(caller)
    explanation = explain(policy, credentials, "x", target)
    assert explanation.decision == policy.decide(credentials, "x", target)
    assert explanation.steps[0].reason.answer is {"yes": True, "no": False}.get(explanation.decision.rule)


@pytest.mark.parametrize(
    "cube",
    [
        ((InScope("system"), True), (InScope("project"), True)),
        ((InScope("system"), False), (InScope("project"), False), (InScope("domain"), False)),
        ((Matches("'a'", "%(k)s"), True), (Matches("'b'", "%(k)s"), True)),
        ((Matches("p", "%(k)s"), True), (Matches("'a'", "%(k)s"), True), (Matches("p", "a"), False)),
        ((Order(ROLE, ">=", 2), True), (Order(ROLE, ">=", 1), False)),
        ((Equal(ROLE, "a"), True), (Equal(ROLE, "b"), True)),
        ((Equal(ROLE, "a"), True), (Present(ROLE), False)),
        ((Contains(ROLE, "a"), True), (Present(ROLE, "list"), False)),
        ((Matches("system_scope", "all"), True), (InScope("project"), True)),
    ],
)
def test_what_cannot_be_is_known_not_to_be(cube: diagram.Cube) -> None:
    with pytest.raises(Impossible):
        find(cube)


@pytest.mark.parametrize(
    "cube",
    [
        ((Matches("a", "%(k)s"), True), (Matches("b", "%(k)s"), True), (Matches("a", "%(l)s"), True)),
        ((Matches("token.user.id", "%(k)s"), True), (Matches("token.project.id", "%(k)s"), False)),
        ((Matches("None", "%(k)s"), True), (Matches("domain_id", "%(k)s"), True), (InScope("project"), True)),
        ((Matches("system_scope", "all"), False), (InScope("system"), True)),
        ((Order(ROLE, ">=", 2), True), (Order(ROLE, ">=", 3), False), (Equal(ROLE, 2), False)),
        ((Equal(ROLE, Attribute("target", ("k",))), True), (Equal(Attribute("target", ("k",)), "x"), False)),
        ((Contains(ROLE, "a"), True), (Contains(ROLE, Attribute("target", ("k",))), True), (Role("r"), False)),
        ((Equal(ROLE, ROLE), False), (Present(ROLE), True)),
    ],
)
def test_an_example_is_found_where_there_is_one(cube: diagram.Cube) -> None:
    example = find(cube)
    asked = Asked(prepare(example.credentials), example.target, Rules({}))
    assert [atom_holds(atom, asked) for atom, _ in cube] == [value for _, value in cube]


def test_what_is_spoken_of_in_two_ways_is_not_taken_for_impossible() -> None:
    with pytest.raises(Unknown):
        find(((Contains(Attribute("caller", ("p",)), "a"), True), (Matches("p", "a"), False), (Role("r"), True)))


def test_what_is_not_understood_is_said_to_be_unknown() -> None:
    odd = Matches("a", "%(k)s-%(l)s"), Matches("a", "%(k)s-%(l)s-x"), Role("%(k)s")
    with pytest.raises(Unknown):
        find(tuple((atom, True) for atom in odd))
    change = changed(OneRule(FALSE), OneRule(All(odd)), "x")
    assert change is not None
    assert not change.exact
    assert [case.example for case in change.gained] == [None]


def test_a_difference_too_large_to_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "NODES_MAX", 8)
    many = Either(tuple(All((Role(f"a{number}"), Role(f"b{number}"))) for number in range(9)))
    wide = Either(tuple(Role(f"r{number}") for number in range(1_000)))
    for term in (many, wide):
        change = changed(OneRule(Role("x")), OneRule(term), "x")
        assert change is not None
        assert not change.exact
        assert not who_can(OneRule(term), "x", {}).exact


def test_more_cases_than_can_be_listed_are_counted_as_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rambla.policy.analysis.difference.CASES_MAX", 3)
    change = changed(OneRule(Role("x")), OneRule(Either(tuple(Role(f"r{number}") for number in range(9)))), "x")
    assert change is not None
    assert (len(change.gained), change.exact) == (3, False)


OLD = "layer: site\nroles: {clerk: {may: file:read}}\nrules: {file:write: clerk of target.project}\n"
NEW = "layer: site\nroles: {clerk: {may: file:read}}\nrules: {file:write: clerk, '*': admin}\n"


def test_two_policies_are_compared_permission_by_permission() -> None:
    old, new = load({"old.yaml": OLD}), load({"new.yaml": NEW})
    changes = {change.permission: change for change in diff(old, new)}
    assert set(changes) == {"file:write", "file:read", ANY_OTHER}
    assert all(change.exact and not change.lost for change in changes.values())
    (case, *_) = changes["file:write"].gained
    assert case.example is not None
    assert case.example.credentials["roles"] == ["clerk"]
    assert list(diff(old, old)) == []


def test_who_can_names_the_roles_and_attributes_that_are_needed() -> None:
    answer = who_can(load({"old.yaml": OLD}), "file:write", {"project": "p1"})
    (case,) = answer.cases
    assert set(case.cube) == {(Role("clerk"), True), (Equal(Attribute("caller", ("project",)), "p1"), True)}
    assert case.example is not None
    assert case.example.credentials == {"roles": ["clerk"], "project": "p1"}
    assert who_can(load({"old.yaml": OLD}), "file:burn", {}).cases == ()


def test_what_makes_a_decision_fail_is_never_allowed_and_only_where_it_is_asked() -> None:
    answer = who_can(OneRule(Not(All((Role("a"), Broken("it is"))))), "x", {})
    assert [case.cube for case in answer.cases] == [((Role("a"), False),)]
    assert not who_can(OneRule(Not(Broken("it is"))), "x", {}).cases
    assert who_can(OneRule(Either((Role("a"), Broken("it is")))), "x", {}).cases[0].cube == ((Role("a"), True),)


def test_a_percent_sign_in_a_target_is_a_percent_sign() -> None:
    book = OneRule(Either((Matches("project", "%(project)s"), Matches("owner", "%(absent)s"))))
    (case,) = who_can(book, "x", {"project": "50%"}).cases
    assert case.example is not None
    assert case.example.credentials["project"] == "50%"
    assert meets(case, {"project": "50%"}, {})


def test_what_can_tells_what_is_always_and_what_is_for_some_targets() -> None:
    clerk = prepare({"roles": ["clerk"], "project": "p1"})
    answers = {answer.permission: answer for answer in what_can(load({"old.yaml": OLD}), clerk)}
    assert answers["file:read"].always
    (case,) = answers["file:write"].cases
    assert case.cube == ((Equal("p1", Attribute("target", ("project",))), True),)
    assert list(what_can(load({"old.yaml": OLD}), prepare({}))) == []


def test_an_explanation_shows_each_part_and_its_line() -> None:
    policy = Policy(load({"old.yaml": OLD}))
    explanation = explain(policy, prepare({"roles": ["clerk"], "project": "p2"}), "file:write", {"project": "p1"})
    assert not explanation.decision.allowed
    (step,) = explanation.steps
    assert (step.decision.rule, step.decision.layer, step.decision.line) == ("file:write", "site", 3)
    assert [part.answer for part in step.reason.parts] == [True, False]


def test_an_explanation_and_a_case_can_be_read() -> None:
    policy = Policy(
        load(
            {
                "old.yaml": OLD.replace(
                    "{file:write: clerk of target.project}",
                    "{file:write: rule staff and clerk of target.project, staff: everybody}",
                )
            }
        )
    )
    caller = prepare({"roles": ["clerk"], "project": "p2"})
    told = words.explanation(explain(policy, caller, "file:write", {"project": "p1"}))
    assert (
        told
        == """\
allowed by file:write (site, line 3) if
  all of: no
    rule staff: yes
      everybody: yes
    all of: no
      clerk: yes
      caller.project == target.project: no
so: denied, as nothing allows it"""
    )
    (case,) = who_can(policy.book, "file:write", {"project": "p1"}).cases
    assert words.case(case.cube) == 'clerk and caller.project == "p1"'
    assert words.case(()) == "everybody"


@given(policykit.terms)
def test_every_term_has_words(term: Term) -> None:
    for part in walk(term):
        assert words.term(part)


def test_coverage_counts_what_decided_and_shows_what_never_did() -> None:
    policy = Policy(load({"old.yaml": OLD}))
    clerk = prepare({"roles": ["clerk"], "project": "p1"})
    found = coverage(policy, [(clerk, "file:read", {}), (clerk, "file:read", {}), (clerk, "file:write", {})])
    assert {(each.permission, each.decision.rule): each.times for each in found} == {
        ("file:read", "role clerk"): 2,
        ("file:read", "deny"): 0,
        ("file:write", "file:write"): 0,
        ("file:write", "deny"): 1,
    }
