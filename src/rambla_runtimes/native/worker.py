"""What does the sandbox of a compiled program or a script do with its life?

Reads one INIT and then RUN frames (see ../sandbox/frames.py). The code is a zip with a program `exec` at its root, one
program as base64, or a script that begins with `#!`. OpenWhisk's ActionLoop: the program is started once, reads a line
of JSON for each activation from its standard input and writes a line of JSON to descriptor 3. OpenWhisk's docker
skeleton instead: it is started for each activation with the arguments as JSON, and its last line is the result.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from typing import Any, NoReturn, Protocol

from rambla_runtimes.sandbox import frames
from rambla_runtimes.sandbox.archive import BadArchive, unpack

_FOLDER, _PROGRAM = "action", "exec"
_ANSWER_FD = 3
_LINE_BYTES_MAX = 48 << 20
_END_TRIES, _END_PAUSE_S = 50, 0.01
_ARGUMENT_BYTES_MAX = 100_000  # of the 128 KiB that Linux allows one (MAX_ARG_STRLEN)
_WAIT_FOR_ACK = ("__OW_WAIT_FOR_ACK", "OW_WAIT_FOR_ACK")
_INIT_FAILED = "Initialization has failed due to: "
_NOT_AN_OBJECT = "The action did not return a dictionary or array."
_ZIP, _ELF, _SCRIPT = b"PK\x03\x04", b"\x7fELF", b"#!"
Answer = tuple[int, bytes]


class Program(Protocol):
    def run(self, message: dict[str, Any]) -> bytes:
        """The JSON that the program answers. Ends the sandbox if the program ended without one."""
        ...


class InitError(Exception):
    """Why the code cannot be run, in words for its author."""


def serve(stream: socket.socket, *, skeleton: bool) -> None:
    """Answer frames until the platform hangs up."""
    program: Program | None = None
    while header := frames.receive(stream, frames.HEADER.size):
        size, job, kind, _, _ = frames.HEADER.unpack(header)
        body = frames.receive(stream, size)
        if body is None:
            return
        message = json.loads(body)
        if kind == frames.INIT:
            program, answer = _init(message, skeleton=skeleton)
        elif program is not None:
            answer = frames.RESULT, program.run(message)
        else:
            answer = frames.FAILED, _error("Cannot run before init.")
        stream.sendall(frames.frame(answer[0], job, answer[1]))


def _init(message: dict[str, Any], *, skeleton: bool) -> tuple[Program | None, Answer]:
    os.environ.update(message.get("env", {}))
    try:
        path = _place(message)
        program: Program = Skeleton(path) if skeleton else ActionLoop(path)
    except InitError as error:
        return None, (frames.FAILED, _error(f"{_INIT_FAILED}{error}"))
    return program, (frames.READY, b"")


def _place(message: dict[str, Any]) -> str:
    """Where the program lies, ready to be started; its folder is the current one. Raises InitError."""
    code = message.get("code") or ""
    if not code:
        raise InitError("Missing main/no code to execute.")
    folder = os.path.join(os.getcwd(), _FOLDER)
    path = os.path.join(folder, _PROGRAM)
    content = code.encode()
    if message.get("binary"):
        try:
            content = base64.b64decode(code, validate=True)
        except ValueError:
            raise InitError("the code is no base64") from None
    if content.startswith(_ZIP):
        try:
            unpack(code, folder)
        except BadArchive as error:
            raise InitError(str(error)) from None
        if not os.path.isfile(path):
            raise InitError(f"the zip file has no program '{_PROGRAM}' at its root")
    elif content.startswith((_ELF, _SCRIPT)):
        os.mkdir(folder)
        with open(path, "wb") as file:
            file.write(content)
    else:
        raise InitError("source code is not compiled here: send a program, or a zip with one named 'exec'")
    os.chmod(path, 0o700)
    os.chdir(folder)
    return path


class ActionLoop:
    """A program that is started once and answers a line for a line."""

    def __init__(self, path: str) -> None:
        """Raises InitError if it cannot be started, or says nothing although it was to say that it is ready."""
        given, self._requests = os.pipe()
        answers, taken = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, given, 0),
            (os.POSIX_SPAWN_DUP2, taken, _ANSWER_FD),
        ]
        try:
            os.posix_spawn(path, [path], os.environ, file_actions=actions)
        except OSError as error:
            raise InitError(f"{_PROGRAM} cannot be started: {error.strerror}") from None
        os.close(given)
        os.close(taken)
        self._answers = open(answers, "rb")  # noqa: SIM115 - it lives as long as the sandbox
        if any(os.environ.get(name) for name in _WAIT_FOR_ACK):
            self._line()

    def run(self, message: dict[str, Any]) -> bytes:
        request = {"value": message["value"], **message.get("context", {})}
        _write_all(self._requests, json.dumps(request, ensure_ascii=False).encode() + b"\n")
        return self._line()

    def _line(self) -> bytes:
        line = self._answers.readline(_LINE_BYTES_MAX)
        if not line.endswith(b"\n"):
            _end()
        return line.rstrip()


class Skeleton:
    """A program that is started for each activation."""

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, message: dict[str, Any]) -> bytes:
        text = json.dumps(message["value"], ensure_ascii=False).encode()
        for key, value in message.get("context", {}).items():
            os.environ["__OW_" + key.upper()] = value
        arguments = [text] if len(text) < _ARGUMENT_BYTES_MAX else []
        try:
            done = subprocess.run([self._path, *arguments], input=text, stdout=subprocess.PIPE, check=False)
        except OSError:
            _end()
        *printed, last = done.stdout.rstrip(b"\n").split(b"\n")
        for line in printed:
            sys.stdout.buffer.write(line + b"\n")
        sys.stdout.flush()
        return last or _error(_NOT_AN_OBJECT)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError:
        _end()


def _end() -> NoReturn:
    """The program is gone: so is its sandbox, and the platform tells what of.

    Its descriptors close before the kernel has counted why it ended, so it is waited for; not for long, as it may have
    closed them itself.
    """
    for _ in range(_END_TRIES):
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                break
        except ChildProcessError:
            break
        time.sleep(_END_PAUSE_S)
    os._exit(1)


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()
