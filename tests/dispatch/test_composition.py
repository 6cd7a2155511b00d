"""Which action of a composition runs next: the automata alone, with results made up."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rambla.dispatch.composition import (
    COMPONENTS_MAX,
    COMPOSITION_TOO_LONG,
    CONDUCTOR_RUNS_MAX,
    SEQUENCE_TOO_LONG,
    Call,
    Conductor,
    Response,
    Sequence,
    Tally,
)
from rambla.domain.activation import Status
from rambla.domain.names import FullName

NAMES = tuple(FullName("guest", "", f"a{number}") for number in range(COMPONENTS_MAX + 1))
json_object = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4)


def ok(value: Any, status: Status = "success") -> Response:
    return Response(status, json.dumps(value).encode())


def run_sequence(names: tuple[FullName, ...], payload: Any, results: list[Response]) -> tuple[list[Call], Response]:
    """The calls that were made and what it came to, if the components give these results in turn."""
    tally, calls, left = Tally(), [], list(results)
    automaton, step = Sequence(names).begin(json.dumps(payload).encode(), tally)
    while isinstance(step, Call):
        calls.append(step)
        tally.components += 1
        automaton, step = automaton.after(left.pop(0), tally)
    return calls, step


@given(st.lists(json_object, min_size=1, max_size=8), json_object)
def test_a_sequence_is_a_fold_that_stops_at_the_first_error(results: list[dict[str, Any]], payload: Any) -> None:
    names = NAMES[: len(results)]
    calls, end = run_sequence(names, payload, [ok(each) for each in results])
    upto = next((at for at, each in enumerate(results) if "error" in each), len(results) - 1)
    assert [call.action for call in calls] == list(names[: upto + 1])
    assert [json.loads(call.payload) for call in calls] == [payload, *results[:upto]]
    assert json.loads(end.result) == results[upto]


def test_an_error_in_the_first_payload_stops_nothing() -> None:
    calls, end = run_sequence(NAMES[:1], {"error": "mine"}, [ok({"fine": True})])
    assert (len(calls), end) == (1, ok({"fine": True}))


def test_an_array_is_handed_on() -> None:
    calls, end = run_sequence(NAMES[:2], {}, [ok([1, 2]), ok([2, 1])])
    assert (json.loads(calls[1].payload), end) == ([1, 2], ok([2, 1]))


def test_a_component_that_failed_ends_it_with_its_own_status() -> None:
    failure = ok({"error": "crash"}, "action developer error")
    assert run_sequence(NAMES[:2], {}, [failure])[1] == failure


def test_more_components_than_allowed_end_it() -> None:
    calls, end = run_sequence(NAMES, {}, [ok({})] * len(NAMES))
    assert (len(calls), end) == (COMPONENTS_MAX, ok_error(SEQUENCE_TOO_LONG))


def ok_error(text: str) -> Response:
    return Response("application error", json.dumps({"error": text}, separators=(",", ":")).encode())


class Conducted:
    """A conductor in action: `tell` gives it a result and keeps what it wants next."""

    def __init__(self, payload: Any = None) -> None:
        self.tally = Tally(conductors=1)
        self.automaton, self.step = Conductor("guest").begin(json.dumps(payload or {}).encode(), Tally())

    def tell(self, value: Any, status: Status = "success") -> Call | Response:
        self.automaton, self.step = self.automaton.after(ok(value, status), self.tally)
        if isinstance(self.step, Call) and self.step.action is None:
            self.tally.conductors += 1
        return self.step

    @property
    def payload(self) -> Any:
        assert isinstance(self.step, Call)
        return json.loads(self.step.payload)


def test_a_conductor_that_names_no_action_ends_the_composition() -> None:
    assert Conducted({"n": 1}).tell({"n": 2}) == ok({"n": 2})
    ended = Conducted().tell({"params": {"n": 2}, "state": {"s": 1}})
    assert json.loads(ended.result) == {"n": 2}
    ended = Conducted().tell({"params": 7})
    assert json.loads(ended.result) == {"value": 7}


def test_a_component_gets_the_params_and_its_result_goes_back_with_the_state_on_top() -> None:
    run = Conducted()
    step = run.tell({"action": "p/a", "params": {"n": 1}, "state": {"s": 1, "n": 9}})
    assert isinstance(step, Call)
    assert (step.action, run.payload) == (FullName("guest", "p", "a"), {"n": 1})
    run.tell({"n": 2, "m": 3})
    assert run.payload == {"n": 9, "m": 3, "s": 1}
    run.tell({"action": "/other/a"})
    run.tell({"m": 4})
    assert run.payload == {"m": 4}, "a state that was not given again is gone"


def test_what_is_no_object_is_boxed() -> None:
    run = Conducted()
    run.tell({"action": "a", "params": "text", "state": 3})
    assert run.payload == {"value": "text"}
    run.tell({})
    assert run.payload == {"state": 3}


def test_a_component_that_failed_is_told_to_the_conductor() -> None:
    run = Conducted()
    run.tell({"action": "a", "state": {"s": 1}})
    run.tell({"error": "crash"}, "action developer error")
    assert run.payload == {"error": "crash", "s": 1}


def test_a_conductor_that_failed_ends_the_composition() -> None:
    assert Conducted().tell({"error": "no"}, "application error") == ok({"error": "no"}, "application error")
    assert Conducted().tell([1]) == ok([1])


def test_a_name_that_is_none_is_told_to_the_conductor() -> None:
    for wrong in (5, {}, "", "/a", "a/b/c/d"):
        run = Conducted()
        run.tell({"action": wrong})
        value = json.dumps(wrong)
        assert run.payload == {"error": f"Failed to parse action name from json value {value} during composition."}


def test_a_composition_has_so_many_components_and_its_conductor_runs_one_time_more_than_twice_that() -> None:
    run = Conducted()
    run.tally.components = COMPONENTS_MAX
    run.tell({"action": "a"})
    assert run.payload == {"error": COMPOSITION_TOO_LONG}
    run.tally.conductors = CONDUCTOR_RUNS_MAX
    assert run.tell({"action": "a"}) == ok_error(COMPOSITION_TOO_LONG)


@given(st.lists(json_object, max_size=20))
def test_whatever_a_conductor_says_there_is_a_next_step_or_an_end(results: list[dict[str, Any]]) -> None:
    run = Conducted()
    for result in results:
        if not isinstance(run.step, Call):
            break
        run.tell(result)
    if isinstance(run.step, Call):
        assert isinstance(run.payload, dict)
