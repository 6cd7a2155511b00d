"""Which action of a composition runs next, and with what?

Two automata, after OpenWhisk's SequenceActions.scala and PrimitiveActions.scala. A sequence hands each result to the
next action and stops at the first that has an `error`. A conductor is an action that says after each step what comes
next: its result may name an `action`, that one's `params`, and a `state` to be given back. Pure: an automaton is a
value; the results come from whoever runs the actions, and of a nested composition too they are all that is known here.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import msgspec

from rambla.domain.activation import Status, error_result
from rambla.domain.errors import BadRequest
from rambla.domain.names import FullName, parse_full_name

COMPONENTS_MAX = 50
CONDUCTOR_RUNS_MAX = 2 * COMPONENTS_MAX + 1
SEQUENCE_TOO_LONG = "Too many actions in the sequence."
COMPOSITION_TOO_LONG = "Too many actions in the composition."
Fields = dict[str, msgspec.Raw]


@dataclass(slots=True)
class Tally:
    """What was run so far, counted through all nested compositions of one kind. `sequences` are those within others:
    each holds an action at least, so only a circle of them has more than COMPONENTS_MAX."""

    components: int = 0
    conductors: int = 0
    sequences: int = 0


class Response(NamedTuple):
    """What an action, or a whole composition, came to."""

    status: Status
    result: bytes


class Call(NamedTuple):
    """Run this next: a component, or (None) the conductor itself. `payload` is JSON, an object or an array."""

    action: FullName | None
    payload: bytes


class Sequence(msgspec.Struct, frozen=True):
    """`done` components have been called."""

    components: tuple[FullName, ...]
    done: int = 0

    def begin(self, payload: bytes, tally: Tally) -> tuple[Self, Call | Response]:
        """The first step; an `error` in the payload stops nothing yet."""
        return self._call(Response("success", payload), tally)

    def after(self, last: Response, tally: Tally) -> tuple[Self, Call | Response]:
        """The step that follows a component which came to `last`."""
        if last.status != "success" or "error" in _fields(last.result):
            return self, last
        return self._call(last, tally)

    def lacking(self, text: str, tally: Tally) -> tuple[Self, Call | Response]:
        """The step that follows a component which could not be run."""
        return self, _failed(text)

    def _call(self, last: Response, tally: Tally) -> tuple[Self, Call | Response]:
        if self.done == len(self.components):
            return self, last
        if tally.components >= COMPONENTS_MAX:
            return self, _failed(SEQUENCE_TOO_LONG)
        further = msgspec.structs.replace(self, done=self.done + 1)
        return further, Call(self.components[self.done], last.result)


class Conductor(msgspec.Struct, frozen=True):
    """`conducting` while the conductor itself runs; `state` is what it asked to be given back; `namespace` is the
    caller's own, which `_` in a name means."""

    namespace: str
    state: Fields | None = None
    conducting: bool = False

    def begin(self, payload: bytes, tally: Tally) -> tuple[Self, Call | Response]:
        return self._conduct(payload, tally)

    def after(self, last: Response, tally: Tally) -> tuple[Self, Call | Response]:
        if not self.conducting:
            return self._conduct(last.result, tally)
        fields = _fields(last.result)
        params = _boxed(fields.get("params"), "value")
        told = msgspec.structs.replace(self, state=_boxed(fields.get("state"), "state"))
        if "action" not in fields:
            return told, Response(last.status, last.result if params is None else msgspec.json.encode(params))
        name = _name_in(fields["action"], self.namespace)
        if name is None:
            value = bytes(fields["action"]).decode(errors="replace")
            return told.lacking(f"Failed to parse action name from json value {value} during composition.", tally)
        if tally.components >= COMPONENTS_MAX:
            return told.lacking(COMPOSITION_TOO_LONG, tally)
        return msgspec.structs.replace(told, conducting=False), Call(name, msgspec.json.encode(params or {}))

    def lacking(self, text: str, tally: Tally) -> tuple[Self, Call | Response]:
        """The step that follows a component which could not be run: the conductor hears why."""
        return self._conduct(error_result(text), tally)

    def _conduct(self, payload: bytes, tally: Tally) -> tuple[Self, Call | Response]:
        if tally.conductors >= CONDUCTOR_RUNS_MAX:
            return self, _failed(COMPOSITION_TOO_LONG)
        given = payload if self.state is None else msgspec.json.encode({**_object(payload), **self.state})
        return msgspec.structs.replace(self, conducting=True), Call(None, given)


Automaton = Sequence | Conductor


def _failed(text: str) -> Response:
    return Response("application error", error_result(text))


def _fields(result: bytes) -> Fields:
    """Empty for an array."""
    return msgspec.json.decode(result, type=Fields) if result.lstrip().startswith(b"{") else {}


def _object(payload: bytes) -> Fields:
    return _fields(payload) if payload.lstrip().startswith(b"{") else {"value": msgspec.Raw(payload)}


def _boxed(value: msgspec.Raw | None, key: str) -> Fields | None:
    """A value that is no object, as the only field of one."""
    if value is None:
        return None
    return _fields(bytes(value)) if bytes(value).lstrip().startswith(b"{") else {key: value}


def _name_in(value: msgspec.Raw, namespace: str) -> FullName | None:
    try:
        return parse_full_name(msgspec.json.decode(value, type=str), namespace)
    except (msgspec.DecodeError, BadRequest):
        return None
