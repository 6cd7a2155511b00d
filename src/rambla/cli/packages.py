"""Packages: how are they made, shared and bound?

A package holds actions and parameters that they share. A shared one is there for everybody to read and invoke; a
binding gives its actions parameters of one's own.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import entities, show
from rambla.cli.errors import CliError
from rambla.cli.options import (
    Command,
    annotation_options,
    arguments_of,
    connected,
    key_values,
    parameter_options,
    stack,
)
from rambla.cli.paths import entity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

_OPTIONS = stack(
    (
        click.option("--shared/--private", default=None, help="Whether everybody may read and invoke what is in it."),
        parameter_options,
        annotation_options,
    )
)


@click.group("package")
def package() -> None:
    """Folders of actions, with parameters they share."""


def _put(done: str, *, overwrite: bool) -> Callable[[], Command]:
    """`create` and `update` differ only in whether one may exist already."""

    @_OPTIONS
    @connected
    async def put(client: "Client", name: str, as_json: bool, **options: Any) -> None:
        query = {"overwrite": overwrite}
        made = await client.call("PUT", entity_path("packages", name), query=query, body=_body(**options))
        entities.report(made, done, as_json)

    return put


@package.command("bind")
@click.argument("provider")
@click.argument("name")
@parameter_options
@annotation_options
@connected
async def bind(client: "Client", provider: str, name: str, as_json: bool, **options: Any) -> None:
    """Make package NAME a binding of PROVIDER, a package such as /whisk.system/utils, with parameters of its own."""
    parts = provider.removeprefix("/").split("/")
    if len(parts) > 2 or not all(parts):
        raise CliError(f"{provider} is no package. Fix: write NAME, or /NAMESPACE/NAME")
    binding = {"namespace": parts[0] if len(parts) == 2 else "_", "name": parts[-1]}
    body = {"binding": binding, **_body(shared=None, **options)}
    made = await client.call("PUT", entity_path("packages", name), query={"overwrite": False}, body=body)
    entities.report(made, "bound", as_json)


def _body(*, shared: bool | None, **options: Any) -> dict[str, Any]:
    """The body of a PUT: only what was given."""
    body = {
        "parameters": key_values(arguments_of(options["param"], options["param_file"])),
        "annotations": key_values(arguments_of(options["annotation"])),
    }
    given: dict[str, Any] = {key: value for key, value in body.items() if value}
    return given if shared is None else {**given, "publish": shared}


def _row(found: dict[str, Any]) -> tuple[Any, ...]:
    binding = found.get("binding")
    bound = f"{binding['namespace']}/{binding['name']}" if binding else ""
    shared = "yes" if found.get("publish") else "no"
    return entities.full_name(found), shared, bound, found.get("version"), show.moment(found.get("updated"))


entities.add_list(package, "packages", ("package", "shared", "binding of", "version", "updated (UTC)"), _row)
entities.add_get(package, "packages")
entities.add_delete(package, "packages")
for _verb, _done, _overwrite in (("create", "created", False), ("update", "updated", True)):
    _command = click.argument("name")(_put(_done, overwrite=_overwrite))
    package.command(_verb, help=f"{_verb.title()} package NAME.")(_command)
