"""What does an activation end as, by what its container answered?

Pure: from an HTTP answer to a status and a result in OpenWhisk's words (core/entity/ActivationResult.scala,
processInitResponseContent and processRunResponseContent). What was seen instead of an answer is judged by
`drivers/process/verdict`.
"""

import msgspec

from rambla.domain.activation import error_result
from rambla.drivers.podman.http import Answer
from rambla.drivers.process import verdict
from rambla.drivers.process.verdict import Phase, Verdict

_OK = 200
_NOT_LOADED = "The action failed during initialization"
_INVALID = "The action did not produce a valid JSON or JSON Array response"


def judge(answer: Answer, phase: Phase, result_bytes_max: int) -> Verdict | None:
    """None for a successful init."""
    if phase == "init":
        return None if is_success(answer) else _failure(answer, _NOT_LOADED)
    if is_success(answer) or answer.size > result_bytes_max:
        return verdict.of_result(answer.body, answer.size, result_bytes_max)
    return _failure(answer, _INVALID)


def is_success(answer: Answer) -> bool:
    """Whether the container is in a state to go on: OpenWhisk uses none again that answered otherwise."""
    return answer.status == _OK


def _failure(answer: Answer, otherwise: str) -> Verdict:
    """With the error that it tells, whatever JSON that is; else `otherwise` and what it said instead."""
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and "error" in told:
        as_it_came = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])  # its numbers may be large
        return "action developer error", b'{"error":%b}' % as_it_came["error"]
    text = f"{otherwise}: {verdict.quote(answer.body)}" if answer.body else f"{otherwise}."
    return "action developer error", error_result(text)
