"""What does a Python sandbox do with its life?

Reads one INIT and then RUN frames from the platform, one after another, blocking, and answers each. OpenWhisk's
convention: `main(dict) -> dict or list`, an exception becomes `{"error": text}`, `__OW_*` variables tell the context.
It runs among hostile code in its own process, so the platform believes nothing it says.
"""

import gc
import json
import os
import socket
import sys
from typing import Any

from rambla_runtimes.python import program
from rambla_runtimes.sandbox import frames

_NOT_AN_OBJECT = "The action did not return a dictionary or array."
_NOT_JSON = "The action did not produce a valid JSON or JSON Array response: "
Answer = tuple[int, bytes, int]


def serve(stream: socket.socket) -> None:
    """Answer frames until the platform hangs up."""
    function: program.Function | None = None
    while header := frames.receive(stream, frames.HEADER.size):
        size, job, kind, _, _ = frames.HEADER.unpack(header)
        body = frames.receive(stream, size)
        if body is None:
            return
        message = json.loads(body)
        del body
        if kind == frames.INIT:
            function, answer = _init(message)
        elif function is not None:
            answer = _run(function, message)
        else:
            answer = (frames.FAILED, _error("Cannot run before init."), 0)
        _flush()
        stream.sendall(frames.frame(answer[0], job, answer[1], answer[2]))


def _init(message: dict[str, Any]) -> tuple[program.Function | None, Answer]:
    os.environ.update(message.get("env", {}))
    try:
        function = program.load(message)
    except program.InitError as error:
        return None, (frames.FAILED, _error(str(error)), 0)
    except MemoryError:
        return None, (frames.FAILED, b"{}", frames.FLAG_MEMORY)
    gc.freeze()
    return function, (frames.READY, b"", 0)


def _run(function: program.Function, message: dict[str, Any]) -> Answer:
    for key, value in message.get("context", {}).items():
        os.environ["__OW_" + key.upper()] = value
    try:
        return _encode(function(message["value"]))
    except MemoryError:
        return frames.FAILED, b"{}", frames.FLAG_MEMORY
    except (Exception, KeyboardInterrupt) as error:
        program.print_traceback(error)
        return frames.RESULT, _error(_text(error)), 0


def _encode(result: object) -> Answer:
    if not isinstance(result, dict | list):
        return frames.FAILED, _error(_NOT_AN_OBJECT), 0
    try:
        text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return frames.RESULT, text.encode(), 0
    except (TypeError, ValueError, RecursionError) as error:
        return frames.FAILED, _error(f"{_NOT_JSON}{error}"), 0


def _text(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


def _flush() -> None:
    """What the action printed goes out before the answer, so that the platform finds it there."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S110 - the action may have closed or replaced its streams; its loss
            pass
