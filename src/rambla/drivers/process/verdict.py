"""What does an activation end as?

Pure: from what was seen of a sandbox (a frame, an exit, a deadline) to a status and a result in OpenWhisk's words
(core/entity/ActivationResult.scala, Messages.scala). Frames come from hostile code: a result is parsed here before it
may enter any JSON of the platform.
"""

import re
from typing import Literal

import msgspec

from rambla.domain.activation import Status, error_result
from rambla.drivers.process.frames import FLAG_MEMORY, READY, RESULT, Frame, Hostile

Verdict = tuple[Status, bytes]
Phase = Literal["init", "run"]
_QUOTED_BYTES_MAX = 1024

_EXITED = {
    "init": "The action did not initialize and exited unexpectedly.",
    "run": "The action did not produce a valid response and exited unexpectedly.",
}
V8_GAVE_UP = re.compile(r"^FATAL ERROR: .*(out of memory|allocation failed)", re.IGNORECASE)
_MEMORY = "The action exhausted its memory and was aborted."
_INVALID = "The action did not produce a valid JSON or JSON Array response: "
_LOST = "Failed to provision resources to run the action."


def of_frame(frame: Frame, phase: Phase, result_bytes_max: int) -> Verdict | None:
    """None for a successful init. Raises Hostile on a frame that does not belong in this phase."""
    if frame.flags & FLAG_MEMORY:
        return out_of_memory()
    if phase == "init" and frame.kind == READY:
        return None
    if phase == "run" and frame.kind == RESULT:
        return of_result(frame.body, frame.size, result_bytes_max)
    return "action developer error", error_result(_error_text(frame))


def of_result(body: bytes, size: int, result_bytes_max: int) -> Verdict:
    """What code gave back: `body`, or the beginning of it, of `size` bytes."""
    if size > result_bytes_max:
        text = (
            f"The action produced a response that exceeded the allowed length: {size} > {result_bytes_max} "
            f"bytes. The truncated response was: {quote(body)}"
        )
        return "application error", error_result(text)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "action developer error", error_result(_INVALID + quote(body))
    if not isinstance(value, dict | list):
        return "action developer error", error_result(_INVALID + quote(body))
    failed = isinstance(value, dict) and "error" in value
    return ("application error" if failed else "success"), body


def exited(phase: Phase) -> Verdict:
    return "action developer error", error_result(_EXITED[phase])


def out_of_memory() -> Verdict:
    return "action developer error", error_result(_MEMORY)


def timed_out(phase: Phase, timeout_ms: int) -> Verdict:
    during = " during initialization" if phase == "init" else ""
    text = f"The action exceeded its time limits of {timeout_ms} milliseconds{during}."
    return "action developer error", error_result(text)


def lost() -> Verdict:
    """The platform's own side of the sandbox broke."""
    return "whisk internal error", error_result(_LOST)


class _Failure(msgspec.Struct):
    error: str


def _error_text(frame: Frame) -> str:
    try:
        return msgspec.json.decode(frame.body, type=_Failure).error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Hostile(f"a frame of type {frame.kind} out of place") from error


def quote(body: bytes) -> str:
    """The beginning of what is no result, as text."""
    return body[:_QUOTED_BYTES_MAX].decode(errors="replace")
