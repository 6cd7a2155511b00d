"""How does an action's code become a function?

OpenWhisk's convention: text is executed as a fresh `__main__`; a base64 zip is unpacked and its `__main__.py`
executed, with its folder (and the site-packages of a `virtualenv/` in it) first on the path. Whatever goes wrong is an
InitError whose message the user sees; tracebacks go to the log.
"""

import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from rambla_runtimes.sandbox.archive import BadArchive, unpack

FOLDER = "action"
_MAIN_FILE = "__main__.py"

Function = Callable[[dict[str, Any]], Any]


class InitError(Exception):
    """Why the code cannot be run, in words for its author."""


def load(message: dict[str, Any]) -> Function:
    """The function that `message` (code, binary, main) describes. Raises InitError."""
    code, main = message.get("code"), message.get("main") or "main"
    if not code:
        raise InitError("Missing main/no code to execute.")
    path, source = _unpack(code) if message.get("binary") else (_MAIN_FILE, code)
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    _execute(source, path, module)
    function = getattr(module, main, None)
    if not callable(function):
        raise InitError(f"Initialization has failed due to: the action has no function '{main}'.")
    return function  # type: ignore[no-any-return]  # getattr: what the user named


def _execute(source: str, path: str, module: types.ModuleType) -> None:
    try:
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - the purpose of this program
    except Exception as error:
        print_traceback(error)
        raise InitError(f"Initialization has failed due to: {describe(error)}") from None


def _unpack(code: str) -> tuple[str, str]:
    """Unpack the zip beneath the current folder; the path and the text of its main file."""
    folder = os.path.join(os.getcwd(), FOLDER)
    try:
        unpack(code, folder)
    except BadArchive as error:
        raise InitError(f"Initialization has failed due to: {error}") from None
    path = os.path.join(folder, _MAIN_FILE)
    if not os.path.isfile(path):
        raise InitError("Initialization has failed due to: Zip file does not include __main__.py.")
    os.chdir(folder)
    library = f"virtualenv/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    sys.path[:0] = [folder, os.path.join(folder, library)]
    try:
        with open(path, encoding="utf-8") as file:
            return path, file.read()
    except UnicodeDecodeError as error:
        raise InitError(f"Initialization has failed due to: {describe(error)}") from None


def describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def print_traceback(error: BaseException) -> None:
    """The user's part of the traceback, on stderr: frames of this package say nothing to them."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_globals.get("__name__", "").startswith("rambla_runtimes."):
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)
