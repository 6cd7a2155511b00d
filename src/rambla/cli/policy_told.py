"""How is what a policy means shown: in words for people, as JSON for programs?"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from rambla.domain.access import Decision
from rambla.policy.analysis import words
from rambla.policy.analysis.difference import Case, Change
from rambla.policy.analysis.explain import Explanation, Part
from rambla.policy.analysis.queries import Answer

NOT_EXACT = "more than can be told exactly"


def answers_as_json(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    return [
        {"permission": one.permission, "always": one.always, "cases": _cases(one.cases), "exact": one.exact}
        for one in answers
    ]


def answer_lines(answer: Answer) -> Iterator[str]:
    """A line for each case."""
    if answer.always:
        yield "everybody"
    yield from (words.case(case.cube) for case in answer.cases)
    if not answer.exact:
        yield NOT_EXACT
    elif not answer.always and not answer.cases:
        yield "nobody"


def changes_as_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [
        {"permission": one.permission, "gained": _cases(one.gained), "lost": _cases(one.lost), "exact": one.exact}
        for one in changes
    ]


def change_lines(change: Change) -> Iterator[str]:
    """As `diff` writes: `+` for what is allowed from now on, `-` for what no longer is."""
    yield change.permission
    for sign, cases in (("+", change.gained), ("-", change.lost)):
        for case in cases:
            yield f"{sign} {words.case(case.cube)}"
            if case.example:
                yield f"    for instance: {_example(case)}"
    if not change.exact:
        yield f"? {NOT_EXACT}"


def explanation_as_json(told: Explanation) -> dict[str, Any]:
    steps = [{"decision": _decision(step.decision), "reason": _part(step.reason)} for step in told.steps]
    return {"decision": _decision(told.decision), "steps": steps}


def _cases(cases: Iterable[Case]) -> list[dict[str, Any]]:
    return [
        {"if": words.case(case.cube), "example": msgspec.to_builtins(case.example, str_keys=True)} for case in cases
    ]


def _example(case: Case) -> str:
    example = msgspec.to_builtins(case.example, str_keys=True)
    said = {"caller": example["credentials"], "target": example["target"], "answers": example["answers"]}
    return msgspec.json.encode({name: values for name, values in said.items() if values}).decode()


def _decision(decision: Decision) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(decision)
    return told


def _part(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {"term": words.term(part.term), "answer": part.answer}
    return {**told, "parts": [_part(each) for each in part.parts]} if part.parts else told
