"""What went wrong, in one line a person can act on?

Everything a command raises on purpose is a `CliError`; `main` prints it as `rambla: …` and exits with its code. It
never shows a traceback, unless RAMBLA_TRACEBACK is set.
"""

import json
import traceback
from typing import IO, Any

import click

from rambla.cli.show import clean
from rambla.domain.errors import RamblaError


class CliError(click.ClickException):
    """One line on stderr; `exit_code` is never 0."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"rambla: {clean(one_line(self.message))}", err=True, file=file)


class WrongUsage(CliError):
    exit_code = 2


class Interrupted(CliError):
    """Whoever pressed Ctrl-C knows it: nothing is said."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("")

    def show(self, file: IO[Any] | None = None) -> None:
        pass


class ApiError(CliError):
    """The server's answer was a refusal or a failure. `status` is HTTP's, `body` the parsed JSON, or None; `fix` says
    what a person can do about it."""

    def __init__(self, status: int, body: Any, *, fix: str = "") -> None:
        super().__init__(f"{describe(status, body)}. Fix: {fix}" if fix else describe(status, body))
        self.status = status
        self.body = body


def describe(status: int, body: Any) -> str:
    """The error text of an OpenWhisk body: `error`, or the result of a failed activation, or the status alone."""
    if isinstance(body, dict):
        result = (body.get("response") or {}).get("result") if isinstance(body.get("response"), dict) else None
        for text in (body.get("error"), result.get("error") if isinstance(result, dict) else None):
            if text:
                return text if isinstance(text, str) else json.dumps(text)
    return f"the server answered with HTTP status {status}"


def one_line(text: str) -> str:
    return " ".join(text.split())


def translate(error: BaseException) -> CliError:
    """Any error as one for people. A group with a single error in it stands for that error."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    match error:
        case CliError():
            return error
        case KeyboardInterrupt():
            return Interrupted()
        case click.Abort():
            return Interrupted() if isinstance(error.__cause__, KeyboardInterrupt) else CliError("aborted")
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "rambla"
            return WrongUsage(f"{error.format_message()} See: {command} --help")
        case click.ClickException():
            return CliError(error.format_message())
        case OSError() if error.filename and error.strerror:
            return CliError(f"{error.filename}: {error.strerror}")
        case RamblaError() | OSError():
            return CliError(str(error))
    return CliError(f"this should not happen: {type(error).__name__}: {error} (RAMBLA_TRACEBACK=1 tells where)")


def print_traceback(error: BaseException) -> None:
    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
