"""What do the records of activations look like, whole?

For the cases that run something: what an action, a sequence and a trigger leave behind, and what was printed.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from compat.openwhisk.asking import COUNT, ID, MS, Like, User, matching, pairs

LIMITS = {"timeout": 60000, "memory": 256, "logs": 10, "concurrency": 1}
DEVELOPER_ERROR = "action developer error"
APPLICATION_ERROR = "application error"
_ONLY_COLD = {"key": "initTime", "value": COUNT}


def a_record(user: User, name: str, result: Any, /, **changed: Any) -> dict[str, Any]:
    """Of an action that succeeded; `package/name` lies in the package. `ran` are annotations besides the usual ones."""
    usual = {"path": f"{user.namespace}/{name}", "kind": changed.pop("kind", "python:3"), "limits": LIMITS}
    ran = {**usual, "waitTime": COUNT, "timeout": False, **changed.pop("ran", {})}
    shown = {"end": MS, "duration": COUNT, "annotations": _but_for_a_cold_start(ran)}
    return {**_activation(user, name, result), **shown, **changed}


def a_sequence_record(user: User, name: str, result: Any, parts: int, /, **changed: Any) -> dict[str, Any]:
    """`parts` activations are its logs."""
    ran = {"topmost": True, "path": f"{user.namespace}/{name}", "kind": "sequence", "limits": LIMITS, "waitTime": COUNT}
    shown = {
        "end": MS,
        "duration": COUNT,
        "annotations": pairs({**ran, **changed.pop("ran", {})}),
        "logs": [ID] * parts,
    }
    return {**_activation(user, name, result), **shown, **changed}


def parts_of(user: User, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of the parts. Each says that the whole was the reason, and all together took as long as it."""
    parts = [user.ended(activation_id) for activation_id in whole["logs"]]
    for part in parts:
        assert part["cause"] == whole["activationId"]
        assert {"key": "causedBy", "value": "sequence"} in part["annotations"]
    assert whole["duration"] == sum(part["duration"] for part in parts)
    return parts


def a_fire(user: User, name: str, payload: Any, logs: list[Any], /) -> dict[str, Any]:
    """A trigger's; `logs` are made by `invoked` and `not_invoked`."""
    return {**_activation(user, name, payload), "logs": logs}


def invoked(user: User, rule: str, action: str) -> Like:
    """The line that tells of a rule whose action runs."""
    return _told(user, rule, action, {"statusCode": 0, "success": True, "activationId": ID})


def not_invoked(user: User, rule: str, action: str, error: str) -> Like:
    return _told(user, rule, action, {"statusCode": 1, "success": False, "error": error})


def failed(error: Any, status: str = DEVELOPER_ERROR) -> dict[str, Any]:
    """The response of an action that failed."""
    return {"status": status, "success": False, "result": {"error": error}, "size": COUNT}


def printed(text: str, stream: str = "stdout") -> Like:
    """A line of a log."""
    return matching(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z +{stream}: {re.escape(text)}")


def fire(user: User, trigger: str, payload: Any = None, /) -> dict[str, Any]:
    """The record of a trigger with an active rule."""
    answer = user.post(f"triggers/{trigger}", payload)
    told = answer.gives({"activationId": ID}, 202, {"x-openwhisk-activation-id": answer.json["activationId"]})
    return user.ended(told["activationId"])


def runs_of(user: User, fired: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of the actions that a trigger began, in the order of its rules."""
    lines = [msgspec.json.decode(line) for line in fired["logs"]]
    return [user.ended(line["activationId"]) for line in lines if line["success"]]


def without_headers(result: Mapping[str, Any]) -> dict[str, Any]:
    """What an action got of a trigger, but for the headers of the request that fired it."""
    assert "__ow_headers" in result
    return {key: value for key, value in result.items() if key != "__ow_headers"}


def _activation(user: User, name: str, result: Any) -> dict[str, Any]:
    return {
        "namespace": user.namespace,
        "name": name.rpartition("/")[2],
        "version": "0.0.1",
        "subject": user.namespace,
        "activationId": ID,
        "start": MS,
        "response": {"status": "success", "success": True, "result": result, "size": COUNT},
        "logs": [],
        "annotations": [],
        "publish": False,
    }


def _but_for_a_cold_start(annotations: Mapping[str, Any]) -> Like:
    """Whether a sandbox was at hand is not for a case to say."""
    expected = pairs(annotations)
    return Like(repr(expected), lambda shown: [one for one in shown if one != _ONLY_COLD] == expected)


def _told(user: User, rule: str, action: str, outcome: Mapping[str, Any]) -> Like:
    line = {"rule": f"{user.namespace}/{rule}", "action": f"{user.namespace}/{action}", **outcome}
    return Like(repr(line), lambda text: isinstance(text, str) and msgspec.json.decode(text) == line)
