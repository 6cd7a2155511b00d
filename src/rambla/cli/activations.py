"""What ran, how did it end, and what did it print?

Looks at activations that exist, and watches for new ones. What watching prints, it prints once, even if the clocks of
this host and the server's disagree.
"""

from typing import TYPE_CHECKING, Any

import click

from rambla.cli import entities, show
from rambla.cli.errors import CliError
from rambla.cli.options import connected, page_options
from rambla.cli.paths import collection_path

if TYPE_CHECKING:
    from rambla.cli.client import Client

PAGE = 200
"""How many activations one answer may hold."""
PAGES_MAX = 50
LOOK_BACK_MS = 6 * 60_000
"""Listings are by start: an activation may be recorded this long after it, its longest run and a little more."""
STATUSES = ("success", "application error", "developer error", "internal error")
COLUMNS = ("start (UTC)", "activation", "started", "ms", "status", "name")


@click.group("activation")
def activation() -> None:
    """The records of what ran."""


@activation.command("list")
@click.argument("name", required=False)
@click.option("--since", type=int, metavar="MS", help="Started at or after; milliseconds since the epoch.")
@click.option("--upto", type=int, metavar="MS", help="Started at or before; milliseconds since the epoch.")
@page_options
@connected
async def list_(client: "Client", name: str | None, as_json: bool, **query: Any) -> None:
    """List activations, the newest first; of action NAME, if given."""
    found = await client.call("GET", collection_path("activations"), query={"name": name, **query})
    if as_json:
        show.print_json(found)
    else:
        show.print_table(COLUMNS, map(row, found), empty="no activations")


@activation.command("get")
@click.argument("activation_id", metavar="[ID]", required=False)
@click.option("--last", is_flag=True, help="The newest one.")
@connected
async def get(client: "Client", activation_id: str | None, last: bool, as_json: bool) -> None:
    """Show the whole record of activation ID."""
    record = await client.call("GET", await path_of(client, activation_id, last))
    if as_json:
        show.print_json(record)
        return
    times = {key: show.moment(record.get(key)) for key in ("start", "end")}
    show.print_fields(entities.tidy({key: value for key, value in (record | times).items() if key != "logs"}))
    print_logs(record.get("logs", []))


@activation.command("logs")
@click.argument("activation_id", metavar="[ID]", required=False)
@click.option("--last", is_flag=True, help="The newest one.")
@connected
async def logs(client: "Client", activation_id: str | None, last: bool, as_json: bool) -> None:
    """Print what activation ID wrote."""
    answer = await client.call("GET", await path_of(client, activation_id, last) + "/logs")
    show.print_json(answer) if as_json else print_logs(answer["logs"])


@activation.command("result")
@click.argument("activation_id", metavar="[ID]", required=False)
@click.option("--last", is_flag=True, help="The newest one.")
@connected
async def result(client: "Client", activation_id: str | None, last: bool, as_json: bool) -> None:
    """Print the result of activation ID, as JSON."""
    answer = await client.call("GET", await path_of(client, activation_id, last) + "/result")
    show.print_json(answer if as_json else answer.get("result"))


@activation.command("watch")
@click.argument("name", required=False)
@click.option("--every", type=click.FloatRange(0.1, 60), default=1.0, show_default=True, help="Seconds between looks.")
@connected
async def watch(client: "Client", name: str | None, every: float, as_json: bool) -> None:
    """Print new activations and their logs as they come, until Ctrl-C; with --json, one a line."""
    import anyio  # late: few commands wait

    seen: dict[str, int] = {}
    await new_ones(client, name, seen)
    click.echo("watching; Ctrl-C ends it", err=True)
    while True:
        await anyio.sleep(every)
        for activation_id in await new_ones(client, name, seen):
            print_activation(await client.call("GET", f"{collection_path('activations')}/{activation_id}"), as_json)


async def new_ones(client: "Client", name: str | None, seen: dict[str, int]) -> list[str]:
    """Ids of activations that are not in `seen` (id to start), the oldest first; puts them there.

    Looks at everything that started shortly before the newest, for a long run is recorded after shorter, later ones.
    """
    newest = await client.call("GET", collection_path("activations"), query={"name": name, "limit": 1})
    since = newest[0]["start"] - LOOK_BACK_MS if newest else None
    fresh: dict[str, int] = {}
    for skip in range(0, PAGES_MAX * PAGE, PAGE):
        query = {"name": name, "limit": PAGE, "skip": skip, "since": since}
        page = await client.call("GET", collection_path("activations"), query=query)
        fresh |= {found["activationId"]: found["start"] for found in page if found["activationId"] not in seen}
        if len(page) < PAGE:
            break
    seen |= fresh
    forget(seen)
    return sorted(fresh, key=fresh.__getitem__)


def forget(seen: dict[str, int]) -> None:
    """Drop what started too long before the newest to be listed again."""
    oldest = max(seen.values(), default=0) - LOOK_BACK_MS
    for activation_id in [key for key, start in seen.items() if start < oldest]:
        del seen[activation_id]


def print_activation(record: dict[str, Any], as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(record))
        return
    start, activation_id, started, ms, status, name = map(show.cell, row(record))
    took = f" {ms} ms" if ms else ""
    click.echo(f"{start} {activation_id} {name}: {status}{took}{f' ({started})' if started else ''}")
    print_logs(record.get("logs", []), indent="    ")


def print_logs(lines: list[Any], indent: str = "") -> None:
    for line in lines:
        click.echo(indent + show.clean(str(line)))


async def path_of(client: "Client", activation_id: str | None, last: bool) -> str:
    """The path of one activation; CliError unless exactly one of the two says which."""
    if bool(activation_id) == last:
        raise CliError("give the ID of an activation, or --last")
    if last:
        newest = await client.call("GET", collection_path("activations"), query={"limit": 1})
        if not newest:
            raise CliError("there are no activations yet")
        activation_id = newest[0]["activationId"]
    if not (activation_id and activation_id.isalnum()):
        raise CliError("the activation id is not valid")
    return f"{collection_path('activations')}/{activation_id}"


def start_kind(record: dict[str, Any]) -> str:
    """`cold`, `warm`, or "" for a trigger, which starts nothing."""
    annotations = entities.mapping(record.get("annotations"))
    if not annotations.get("kind"):
        return ""
    return "cold" if "initTime" in annotations else "warm"


def status_of(record: dict[str, Any]) -> str:
    """In words, from a summary or from a whole record."""
    response = record.get("response")
    if isinstance(response, dict) and response.get("status"):
        return str(response["status"])
    code = record.get("statusCode", 0)
    return STATUSES[code] if code in range(len(STATUSES)) else str(code)


def row(record: dict[str, Any]) -> tuple[Any, ...]:
    return (
        show.moment(record.get("start")),
        record.get("activationId"),
        start_kind(record),
        record.get("duration"),
        status_of(record),
        record.get("name"),
    )
