"""What does the extension `x-ibm-configuration` say of a document's operations?

Which URL each operation leads to, by its operationId; to which a secret is sent; whether scripts of other origins may
read the answers. OpenWhisk's gateway also reads it as `x-gateway-configuration`. Secrets are not for a document that
its readers, the journal among them, see: where one stood, it says so. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from rambla.gateway.values import Document, listing, mapping, text

CONFIGURATION = "x-ibm-configuration"
CONFIGURATIONS = ("x-gateway-configuration", CONFIGURATION)
REQUEST_PATH = "$(request.path)"
PROOF = "message.headers.X-Require-Whisk-Auth"
HIDDEN = "********"
_SWITCH = "operation-switch"
_KEEP = "keep"
_PROOFS = re.compile(r"message\.headers\.(?:x-require-whisk-auth|authorization)", re.IGNORECASE)


class Invocation(NamedTuple):
    """`verb` is what is asked of the URL whatever the visitor asked, lower-case; "" keeps the visitor's."""

    url: str
    verb: str


class Assembly(NamedTuple):
    """`targets` are by operationId, `everything` is the one of all others, if there is any; `secured` are operationIds
    that are sent a secret, `all_secured` says that all are."""

    targets: dict[str, Invocation]
    everything: Invocation | None
    secured: frozenset[str]
    all_secured: bool
    cors: bool | None


def read(document: Document) -> Assembly:
    configuration = _configuration(document)
    targets: dict[str, Invocation] = {}
    secured: set[str] = set()
    steps = listing(mapping(configuration.get("assembly")).get("execute"))
    for case in _cases(steps):
        identifiers = [one for one in listing(case.get("operations")) if isinstance(one, str)]
        done = listing(case.get("execute"))
        target = _target(done)
        targets |= dict.fromkeys(identifiers, target) if target else {}
        secured |= {one for one in identifiers if _sends_secret(done)}
    cors = mapping(configuration.get("cors")).get("enabled")
    return Assembly(
        targets, _target(steps), frozenset(secured), _sends_secret(steps), cors if isinstance(cors, bool) else None
    )


def with_case(document: Document, identifier: str, url: str, *, secured: bool) -> Document:
    """The document with that operation leading to `url`, whatever it led to before."""
    done: list[Document] = [{"invoke": {"target-url": url, "verb": _KEEP}}]
    if secured:
        done.append({"set-variable": {"actions": [{"set": PROOF, "value": HIDDEN}]}})
    case = {"operations": [identifier], "execute": done}
    steps = _steps(document) or [{}]
    number = next((number for number, step in enumerate(steps) if _SWITCH in mapping(step)), 0)
    switch = mapping(mapping(steps[number]).get(_SWITCH))
    cases = [case if _is_for(one, {identifier}) else one for one in listing(switch.get("case"))]
    if case not in cases:
        cases.append(case)
    steps[number] = {**mapping(steps[number]), _SWITCH: {**switch, "case": cases}}
    return _with_steps(document, steps)


def without_cases(document: Document, identifiers: Iterable[str]) -> Document:
    gone, steps = set(identifiers), _steps(document)
    for number, step in enumerate(steps):
        switch = mapping(mapping(step).get(_SWITCH))
        if switch:
            kept = [one for one in listing(switch.get("case")) if not _is_for(one, gone)]
            steps[number] = {**step, _SWITCH: {**switch, "case": kept}}
    return _with_steps(document, steps) if steps else document


def without_secrets(document: Document) -> Document:
    """The document with HIDDEN in the place of whatever is sent to actions to prove something."""
    return {name: _hidden(value) if name in CONFIGURATIONS else value for name, value in document.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    if not isinstance(value, dict):
        return value
    if _PROOFS.fullmatch(text(value.get("set"))):
        return {**value, "value": HIDDEN}
    return {name: _hidden(one) for name, one in value.items()}


def _configuration(document: Document) -> Document:
    return next((mapping(document[name]) for name in CONFIGURATIONS if name in document), {})


def _steps(document: Document) -> list[Any]:
    return [*listing(mapping(_configuration(document).get("assembly")).get("execute"))]


def _with_steps(document: Document, steps: list[Any]) -> Document:
    name = next((name for name in CONFIGURATIONS if name in document), CONFIGURATION)
    configuration = _configuration(document)
    assembly = {**mapping(configuration.get("assembly")), "execute": steps}
    return {**document, name: {**configuration, "assembly": assembly}}


def _cases(steps: list[Any]) -> Iterator[Document]:
    for step in steps:
        for case in listing(mapping(mapping(step).get(_SWITCH)).get("case")):
            yield mapping(case)


def _is_for(case: Any, identifiers: set[str]) -> bool:
    first = next(iter(listing(mapping(case).get("operations"))), None)
    return isinstance(first, str) and first in identifiers


def _target(steps: list[Any]) -> Invocation | None:
    for step in steps:
        invoked = mapping(mapping(step).get("invoke"))
        if text(invoked.get("target-url")):
            verb = text(invoked.get("verb")).lower()
            return Invocation(invoked["target-url"], "" if verb == _KEEP else verb)
    return None


def _sends_secret(steps: list[Any]) -> bool:
    actions = (
        action for step in steps for action in listing(mapping(mapping(step).get("set-variable")).get("actions"))
    )
    return any(text(mapping(action).get("set")).lower() == PROOF.lower() for action in actions)
