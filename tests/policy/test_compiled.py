import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import policykit
from rambla.domain.access import Decision, Unanswered
from rambla.domain.errors import BrokenPolicy
from rambla.policy.credentials import prepare
from rambla.policy.interpret import Asked, holds
from rambla.policy.oslo.load import load
from rambla.policy.policy import UNDECIDABLE, Policy
from rambla.policy.ports import NOBODY, Question
from rambla.policy.rulings import Clause, Ruling, allowing
from rambla.policy.terms import FALSE, TRUE, All, Ask, Either, Matches, Not, Reference, Role, Rules, Term

YES, NO = Decision(allowed=True, rule="yes"), Decision(allowed=False, rule="no")


class Answering:
    """An enforcer for each way to answer."""

    def says_yes(self, question: Question) -> bool:
        if question.where == "http://fails":
            raise KeyError("an enforcer's mistake")
        return question.where == "http://yes"


class Later:
    """Nobody has been asked yet."""

    def says_yes(self, question: Question) -> bool:
        raise Unanswered(question)


class OneRule:
    """A book whose only permission is decided by one term."""

    def __init__(self, term: Term, rules: Rules) -> None:
        self.rules = rules
        self.permissions = ("x",)
        self.patterns = ()
        self._ruling = Ruling((Clause(term, YES),), NO)

    def ruling(self, permission: str) -> Ruling:
        return self._ruling


def interpreted(term: Term, asked: Asked) -> bool | None:
    """None if it cannot be decided."""
    try:
        return holds(term, asked)
    except Exception:
        return None


@settings(max_examples=600)
@given(policykit.terms, policykit.rules, policykit.callers(), policykit.mappings)
@example(Not(Reference("a")), Rules({"a": Ask("http://%(absent)s")}), {}, {})
@example(Not(All((Ask("http://%(absent)s"), FALSE))), Rules({}), {}, {})
@example(Not(Reference("a")), Rules({"a": Ask("http://fails")}), {}, {})
def test_what_is_compiled_decides_as_the_interpreter_does(
    term: Term, rules: Rules, caller: dict[str, Any], target: dict[str, Any]
) -> None:
    credentials = prepare(caller)
    wanted = interpreted(term, Asked(credentials, target, rules, "x", Answering()))
    policy = Policy(OneRule(term, rules), Answering())
    for _ in range(2):
        decision = policy.decide(credentials, "x", target)
        assert decision == {True: YES, False: NO, None: UNDECIDABLE}[wanted]


@settings(max_examples=300)
@given(st.lists(st.tuples(policykit.terms, st.booleans()), max_size=4), policykit.callers(), policykit.mappings)
def test_a_ruling_allows_when_the_term_made_of_it_holds(
    parts: list[tuple[Term, bool]], caller: dict[str, Any], target: dict[str, Any]
) -> None:
    ruling = Ruling(tuple(Clause(term, YES if allows else NO) for term, allows in parts), NO)
    asked = Asked(prepare(caller), target, Rules({}), "x", Answering())
    book = OneRule(TRUE, Rules({}))
    book._ruling = ruling
    decision = Policy(book, Answering()).decide(asked.credentials, "x", target)
    assert decision.allowed is bool(interpreted(allowing(ruling), asked))


@given(st.none() | st.integers() | st.text(), st.text())
def test_nothing_but_a_decision_comes_out_whatever_goes_in(odd: Any, permission: str) -> None:
    policy = Policy(OneRule(Not(Matches("user.id", "%(project)s")), Rules({})))
    for credentials, target in ((odd, {}), (prepare({"user": odd}), {"project": odd}), (prepare({}), odd)):
        assert isinstance(policy.decide(credentials, permission, target), Decision)


@settings(max_examples=300)
@given(policykit.terms, policykit.rules, policykit.callers(), policykit.mappings)
@example(Not(Reference("a")), Rules({"a": Ask("http://no")}), {}, {})
@example(All((Not(Ask("http://no")), Either((Ask("http://fails"), TRUE)))), Rules({}), {}, {})
def test_what_is_asked_question_by_question_is_decided_as_if_all_answered_at_once(
    term: Term, rules: Rules, caller: dict[str, Any], target: dict[str, Any]
) -> None:
    at_once, later = (Policy(OneRule(term, rules), each) for each in (Answering(), Later()))
    credentials, answers = prepare(caller), dict[str, bool]()
    found = later.decide_or_ask(credentials, "x", target)
    while isinstance(found, Question):
        assert found.where not in answers, "nothing is asked twice"
        try:
            answers[found.where] = Answering().says_yes(found)
        except KeyError:
            found = UNDECIDABLE
        else:
            found = later.decide_or_ask(replace(credentials, answers=answers), "x", target)
    assert found == at_once.decide(credentials, "x", target)


def test_short_circuits_ask_no_more_than_they_must() -> None:
    asked: list[str] = []

    class Listening:
        def says_yes(self, question: Question) -> bool:
            asked.append(question.where)
            return question.where == "http://yes"

    term = Either((All((Ask("http://no"), Ask("http://never"))), Ask("http://yes"), Ask("http://never")))
    assert Policy(OneRule(term, Rules({})), Listening()).decide(prepare({}), "x", {}).allowed
    assert asked == ["http://no", "http://yes"]


def test_an_enforcer_hears_what_was_asked_for() -> None:
    heard: list[Question] = []

    class Listening:
        def says_yes(self, question: Question) -> bool:
            heard.append(question)
            return True

    rules = Rules({"web": Ask("http://host/%(name)s")})
    policy = Policy(OneRule(Reference("web"), rules), Listening())
    assert policy.decide(prepare({"user_id": "u"}), "x", {"name": "n"}).allowed
    assert heard == [Question("http://host/n", "x", {"user_id": "u"}, {"name": "n"})]
    assert not policy.decide(prepare({}), "x", {}).allowed, "a target without the name"


def test_only_a_plain_yes_of_an_enforcer_is_a_yes() -> None:
    class Mumbling:
        def says_yes(self, question: Question) -> bool:
            return "True"  # type: ignore[return-value]  # a mistake

    policy = Policy(OneRule(Ask("http://host"), Rules({})), Mumbling())
    assert not policy.decide(prepare({}), "x", {}).allowed


def test_a_circle_is_no_only_where_it_is_walked() -> None:
    rules = Rules({"a": Either((TRUE, Reference("b"))), "b": Reference("a"), "c": Reference("c")})
    assert Policy(OneRule(Reference("a"), rules)).decide(prepare({}), "x", {}).allowed
    assert Policy(OneRule(Reference("b"), rules)).decide(prepare({}), "x", {}).allowed
    for term in (Reference("c"), Not(Reference("c"))):
        assert Policy(OneRule(term, rules)).decide(prepare({}), "x", {}) == UNDECIDABLE


def test_what_permissions_share_is_compiled_for_each_where_it_differs() -> None:
    heard: list[str] = []

    class Listening:
        def says_yes(self, question: Question) -> bool:
            heard.append(question.permission)
            return True

    circle = {"a": "project:p2 or rule:b", "b": "project:p1 or rule:a", "c": "rule:b", "d": "rule:a"}
    rules = {**circle, "web": "http://host", "x": "rule:web", "y": "rule:web"}
    policy = Policy(load({"policy.yaml": json.dumps(rules)}), Listening())
    for permission in ("c", "d", "x", "y"):
        assert policy.decide(prepare({"project": "p1"}), permission, {}).allowed, permission
    assert heard == ["x", "y"]


def test_a_policy_that_nests_too_deeply_is_refused_and_one_that_does_not_is_decided() -> None:
    chain = {f"r{number}": Reference(f"r{number + 1}") for number in range(200)}
    rules = Rules({**chain, "r200": TRUE})
    with pytest.raises(BrokenPolicy, match="nests deeper than 100 levels"):
        Policy(OneRule(Reference("r0"), rules))
    assert Policy(OneRule(Reference("r120"), rules)).decide(prepare({}), "x", {}).allowed


def test_many_permissions_and_callers_are_remembered_only_up_to_a_limit(monkeypatch: Any) -> None:
    monkeypatch.setattr("rambla.policy.policy.REMEMBERED_MAX", 5)
    policy = Policy(OneRule(Role("r1"), Rules({})), NOBODY)
    for number in range(40):
        assert policy.decide(prepare({"roles": [f"r{number % 7}"]}), f"x{number}", {}).allowed is (number % 7 == 1)
        assert sum(map(len, policy._decisions.values())) <= 5
