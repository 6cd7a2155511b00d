"""What do get, list and delete look like, whatever they are about?

Actions, triggers, rules and packages answer alike, so the commands that only read or remove are made once, here; each
subject's own module adds them to its group and says which columns its table has.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from rambla.cli import show
from rambla.cli.options import connected, page_options
from rambla.cli.paths import collection_path, entity_path

if TYPE_CHECKING:
    from rambla.cli.client import Client  # its HTTP library would slow down every start

Row = Callable[[dict[str, Any]], Sequence[Any]]


def add_list(group: click.Group, collection: str, columns: Sequence[str], row: Row) -> None:
    """`list`: the newest first, a page of them."""

    @group.command("list", help=f"List {collection}, the last changed first.")
    @page_options
    @connected
    async def list_(client: "Client", limit: int, skip: int, as_json: bool) -> None:
        found = await client.call("GET", collection_path(collection), query={"limit": limit, "skip": skip})
        if as_json:
            show.print_json(found)
        else:
            show.print_table(columns, map(row, found), empty=f"no {collection}")


def add_get(group: click.Group, collection: str) -> None:
    """`get`: one of them, whole."""

    @group.command("get", help="Show one whole.")
    @click.argument("name")
    @connected
    async def get(client: "Client", name: str, as_json: bool) -> None:
        found = await client.call("GET", entity_path(collection, name))
        show.print_json(found) if as_json else show.print_fields(tidy(found))


def add_delete(group: click.Group, collection: str) -> None:
    """`delete`: one of them, at once."""

    @group.command("delete", help="Delete it.")
    @click.argument("name")
    @connected
    async def delete(client: "Client", name: str, as_json: bool) -> None:
        gone = await client.call("DELETE", entity_path(collection, name))
        report(gone, "deleted", as_json)


def report(entity: Any, done: str, as_json: bool) -> None:
    """What a changing command says in the end: the entity, or one line about it."""
    if as_json:
        show.print_json(entity)
    else:
        click.echo(f"{done} {show.clean(full_name(entity))} (version {entity.get('version', '?')})")


def full_name(entity: dict[str, Any]) -> str:
    return f"{entity.get('namespace', '_')}/{entity.get('name', '?')}"


def mapping(pairs: Any) -> dict[str, Any]:
    """`[{"key": …, "value": …}]` as an object."""
    return {pair["key"]: pair.get("value") for pair in pairs or []}


def tidy(entity: dict[str, Any]) -> dict[str, Any]:
    """An entity for people: parameters and annotations as objects, the time as a time, code left out."""
    shown = {key: value for key, value in entity.items() if value not in ({}, [], None)}
    for key in ("parameters", "annotations"):
        if key in shown:
            shown[key] = mapping(shown[key])
    if "updated" in shown:
        shown["updated"] = show.moment(shown["updated"])
    if isinstance(shown.get("exec"), dict):
        shown["exec"] = {key: value for key, value in shown["exec"].items() if key != "code"}
    return shown
