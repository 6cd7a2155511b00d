"""How does a command come by a secret?

Never by its arguments, which others on the host can read: from a prompt, from a file, or from stdin.
"""

import sys
from pathlib import Path

import click

from rambla.cli.errors import CliError

_CHARS_MAX = 4096

password_option = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Read the password from a file, or with - from stdin; else it is asked for.",
)


def secret(prompt: str, file: Path | None, *, confirm: bool = False) -> str:
    """The first line of the file, or what is typed, which is not shown; twice, to be sure, with `confirm`."""
    if file is None:
        if not sys.stdin.isatty():
            raise CliError("there is no terminal to ask for a secret. Fix: --password-file FILE, or - for stdin")
        typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
        return typed
    text = sys.stdin.readline(_CHARS_MAX) if str(file) == "-" else _first_line(file)
    found = text.rstrip("\r\n")
    if not found:
        raise CliError(f"there is no secret in {'stdin' if str(file) == '-' else file}")
    return found


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        try:
            return opened.readline(_CHARS_MAX)
        except UnicodeDecodeError:
            raise CliError(f"{file} is not UTF-8") from None
