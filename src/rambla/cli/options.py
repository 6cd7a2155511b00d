"""Which options do many commands share, and how does a command get its client?

`connected` gives a command a client with a namespace's key, `operated` one with the operator's token; both run the
coroutine behind the command and hand it `as_json`. Parameters are read here as `wsk` reads them.
"""

import functools
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import click

from rambla.cli.errors import CliError

Command = Callable[..., Any]
Coroutine = Callable[..., Awaitable[None]]

_FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text for people.")
data_option = click.option(
    "--data",
    type=_FOLDER,
    envvar="RAMBLA_DATA",
    default=Path("var/rambla"),
    show_default=True,
    help="The platform's data folder (or RAMBLA_DATA).",
)
server_options = (
    click.option("--apihost", help="The server's address, such as http://127.0.0.1:8080."),
    click.option("--data", type=_FOLDER, help="Read the server's address from DIR/wskprops."),
)
_CONNECTION = (
    click.option("--apihost", help="The server's address, such as http://127.0.0.1:8080."),
    click.option("--auth", help="The namespace's key, uuid:secret. Other users of the host can see it: prefer --data."),
    click.option("--data", type=_FOLDER, help="Read address and key from DIR/wskprops."),
)
_OPERATION = (
    click.option("--apihost", help="Come to this server with your session, and not with the operator's token."),
    click.option("--data", type=_FOLDER, envvar="RAMBLA_DATA", help="The platform's data folder; else var/rambla."),
)
_PARAMETERS = (
    click.option("--param", "-p", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter; JSON or a string."),
    click.option("--param-file", "-P", type=FILE, help="A file with a JSON object of parameters."),
)
_ANNOTATIONS = (
    click.option("--annotation", "-a", nargs=2, multiple=True, metavar="NAME VALUE", help="An annotation."),
)
_PAGE = (
    click.option("--limit", type=click.IntRange(0, 200), default=30, show_default=True, help="How many; 0 means 200."),
    click.option("--skip", type=click.IntRange(0), default=0, help="How many of the newest to leave out."),
)


def stack(options: Iterable[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Several click options as one decorator; `--help` shows them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(tuple(options)):
            command = option(command)
        return command

    return decorate


parameter_options = stack(_PARAMETERS)
annotation_options = stack(_ANNOTATIONS)
page_options = stack(_PAGE)


def connected(command: Coroutine) -> Command:
    """Run `command(client, ...)` with a client that holds a namespace's key, or the session of who logged in."""

    @stack((*_CONNECTION, json_option))
    @functools.wraps(command)
    def wrapper(apihost: str | None, auth: str | None, data: Path | None, **arguments: Any) -> None:
        from rambla.cli.client import user_client  # late: `rambla --help` needs no HTTP

        async def run() -> None:
            async with user_client(apihost, auth, data) as client:
                await command(client, **arguments)

        start(run)

    return wrapper


def operated(command: Coroutine) -> Command:
    """Run `command(client, ...)` with a client that holds the operator's token, or the session of who logged in."""

    @stack((*_OPERATION, json_option))
    @functools.wraps(command)
    def wrapper(apihost: str | None, data: Path | None, **arguments: Any) -> None:
        from rambla.cli.client import operating_client  # late, as above

        async def run() -> None:
            async with operating_client(apihost, data) as client:
                await command(client, **arguments)

        start(run)

    return wrapper


def start(coroutine: Callable[[], Awaitable[None]]) -> None:
    import anyio  # late, as above

    anyio.run(coroutine)


def value_of(text: str) -> Any:
    """`text` parsed, if it is JSON; else `text` itself. So 3 is a number, [1] an array, and hello a string."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def arguments_of(pairs: Iterable[tuple[str, str]], file: Path | None = None) -> dict[str, Any]:
    """The object in `file`, with `pairs` over it. CliError if the file holds no JSON object."""
    return _object_in(file) | {name: value_of(text) for name, text in pairs}


def _object_in(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        content = json.loads(file.read_bytes(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise CliError(f"{file} must hold a JSON object")
    return content


def key_values(values: dict[str, Any]) -> list[dict[str, Any]]:
    """As OpenWhisk writes parameters and annotations: `[{"key": …, "value": …}]`."""
    return [{"key": key, "value": value} for key, value in values.items()]
